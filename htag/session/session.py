"""One running app and the tabs that show it. No socket, no store, no Starlette: messages in, replies out."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextvars import Context
from time import perf_counter
from typing import Any, overload

from htag.app import App
from htag.events import Event
from htag.limits import Limits
from htag.log.reports import Reports
from htag.observer import Observer
from htag.session import execution, form_fields, joining, late_events, replays, visits
from htag.session.binding import Binding
from htag.session.channel import Channel
from htag.session.closing import CLOSING_SECONDS, Closing
from htag.session.event_log import EventLog
from htag.session.full_render import FullRender
from htag.session.hook_tasks import HookTasks
from htag.session.inbox import EventKey, Inbox, Replies
from htag.session.journal import Journal
from htag.session.refresher import Refresher
from htag.session.room import Holder, Room
from htag.session.status import SessionState, transition
from htag.session.tab import Tab, Tabs
from htag.session.visits import Visits
from htag.tree.access import handler, may_be_disabled
from htag.tree.renders import Page
from htag.tree.tag import GTag
from htag.wire.codec import Codec
from htag.wire.messages import NO_HTML, Answer, Failure, Message, Text, Update

UNKNOWN_SESSION = 4404  # close code: there is no such session here; asking for the page makes a new one
SESSION_TOO_LARGE = 4413  # close code: the session ended because it grew too large, and its page says so
TOO_LARGE_TEXT = "This page was closed: it held more than one visitor may have here"
WORTH_CHARGING = 0.0005  # seconds of a handler: as many as ten ordinary messages take altogether


class Session(Binding):
    """One visitor's app, as it runs. `handle` turns a message into replies; `delivery` hands replies to the tabs."""

    __slots__ = (
        "__weakref__",
        "_tabs",
        "close_code",
        "codec",
        "heard",
        "id",
        "last_poll_at",
        "opened_at",
        "outgrown",
        "renew",
        "renewing",
        "room",
        "size",
        "state",
        "took",
        "unfinished",
        "weighed",
    )

    def __init__(
        self,
        session_id: str,
        app: App,
        codec: Codec,
        observer: Observer,
        limits: Limits,
        given: Context | None = None,
        reports: Reports | None = None,
        own: Context | None = None,
    ) -> None:
        """Needs no running loop. `codec`: of channels that have no other. `given`: the context before the app was made,
        by default what is set now; `own`: the one that runs, of this session alone. `reports`: of all of them."""
        super().__init__(app, codec, observer, limits, given, reports, own)
        self.id = session_id
        self.codec = codec
        self.state = SessionState.NEW
        self.room = Room(observer, limits.session_waiting_bytes)
        self.outgrown = False  # it grew too large, and is about to end
        self.close_code = UNKNOWN_SESSION
        self.size = 0
        self.heard = 0  # bytes of notable messages since the size was measured
        self.weighed = self.delivery.journal.head  # the number of the latest update at that time
        self.unfinished = 0  # bytes of messages that are being read, wait, or are being handled
        self.opened_at = time.monotonic()
        self.last_poll_at = float("-inf")  # when a tab on plain HTTP spoke last
        self.took = 0.0  # seconds for the last message, as far as they are worth charging
        self.renewing = False  # its browser is to fetch the cookie of a new id
        self.renew: Callable[[Session], None] | None = None  # gives this session a new id; None while there is none
        self._tabs: Tabs | None = None

    @property
    def closed(self) -> bool:
        """Whether the session is over."""
        return self.state is SessionState.CLOSED

    @property
    def channels(self) -> list[Channel]:
        """The channels of the tabs that are connected."""
        return self.delivery.channels

    @property
    def journal(self) -> Journal:
        """The updates that were sent."""
        return self.delivery.journal

    @property
    def revision(self) -> int:
        """The number of the latest update: a page that shows it needs no full render on connecting."""
        return self.delivery.journal.head

    # -- a page ------------------------------------------------------------------------------------------------------

    def start(self, request: Any = None) -> None:
        """The app was just made: its tree mounts, and the app is told of `request`, which asks for its page. Raises
        what its hooks raise."""
        self.context.run(visits.first, self.live, request)

    def reload(self, request: Any = None) -> None:
        """`request`, which runs, asks for the page again: the tree unmounts and mounts, and keeps its state."""
        self.context.renew()
        self.context.own.run(Visits(self.app, self.live, self.delivery, self.failures).again, request)

    def resume(self, *, unmounts: bool) -> None:
        """The app has come from its snapshot: its tree mounts, and before that unmounts, where it was not done."""
        again = Visits(self.app, self.live, self.delivery, self.failures)
        self.context.inside(lambda: again.resume(unmounts=unmounts))

    def visit(self, request: Any) -> None:
        """`request`, which runs, asks for the page of an app that all visitors share, whose tree stays as it is. What
        its hook left to be run begins at once: of those who ask, not all will connect."""
        waiting = self.live.hooks.drain_pending()
        with self.context.entered():
            Visits(self.app, self.live, self.delivery, self.failures).another(request)
        self.start_hooks()
        self.live.hooks.put_back(waiting)

    def page(self, nonce: str = "", *, inline: bool = False) -> Page:
        """Render the whole tree, as `LiveTree.render_page` does; open tabs see the same within REFRESH_SECONDS."""
        self.note_change()
        self._throttle.bind_loop()
        try:
            return self.context.inside(self._page, nonce, inline)
        finally:
            self.context.settle()

    def _page(self, nonce: str, inline: bool) -> Page:
        live, delivery = self.live, self.delivery
        if delivery.channels:
            self.push()
        elif live.changes.dirty or live.has_generated_tags():
            delivery.journal.skip()  # an absent tab misses these changes
        page = live.render_page(nonce, inline=inline)
        if (delivery.channels or delivery.journal.tail is not None) and live.has_generated_tags():
            if self._refresher is None:
                self._refresher = Refresher(live, delivery, self.failures, self.context)
            self._refresher.outdate()
        return page

    # -- channels ----------------------------------------------------------------------------------------------------

    def attach(
        self, channel: Channel, revision: int | None = None, log: EventLog | None = None, people: int = 1
    ) -> None:
        """A tab connects, which shows `revision`. `log`: of its events, if it speaks wire version 2. `people`: how many
        this worker serves. A session that is closed by now ends the channel."""
        if self.closed:
            channel.end()
            return
        self._join(channel)
        if log is None:
            joining.join(self, channel, revision)
        else:
            joining.resume(self, channel, log, revision, people)

    def attach_once(self, channel: Channel) -> None:
        """A channel that shows one answer only, and needs no first message."""
        self._join(channel)
        self.start_hooks()

    def _join(self, channel: Channel) -> None:
        self._throttle.bind_loop()
        self.delivery.join(channel)
        if self.state is SessionState.NEW or self.state is SessionState.DISCONNECTED:
            is_first, self.state = self.state is SessionState.NEW, transition(self.state, SessionState.CONNECTED)
            if is_first:
                self.note_change()  # from now on it is to be saved, on any transport

    def detach(self, channel: Channel, log: EventLog | None = None) -> None:
        """A tab's channel is gone."""
        joining.leave(self.delivery, channel, log)
        if not self.delivery.channels and self.state is SessionState.CONNECTED:
            self.state = transition(self.state, SessionState.DISCONNECTED)

    def make_room(self, holder: Holder, size: int) -> None:
        """`size` bytes have left to `holder`, or wait no more: tabs that fell behind may go on."""
        self.room.give_back(holder, size)
        self.delivery.wake()

    def full_render(self, channel: Channel, reconnects: bool = True) -> Answer:
        """Render the whole body for a tab that missed something; or say why it can't be shown."""
        if not self.has_app:
            return Update({})  # it has gone: so will the channel
        self.note_change()
        full = FullRender(self.app.id, self.live, self.delivery, self.failures)
        try:
            return self.context.inside(full.render, channel, reconnects)
        except Exception as error:
            return self.failures.of_tag("render", self.app, error)

    def tab(self, name: str) -> Tab:
        """The tab that calls itself `name`; one that has no name is like no other."""
        return self.tabs.named(name) if name else Tab("", Inbox(self))

    @property
    def tabs(self) -> Tabs:
        """The tabs that have a name. A session that is over remembers none, whatever was still on its way to it."""
        tabs = Tabs(self) if self._tabs is None else self._tabs
        self._tabs = None if self.closed else tabs
        return tabs

    # -- messages ----------------------------------------------------------------------------------------------------

    @overload
    def handle(self, message: Message, key: EventKey | None = None) -> Replies: ...
    @overload
    def handle(self, message: Message, key: EventKey, brief: bool) -> Replies | Text: ...
    def handle(self, message: Message, key: EventKey | None = None, brief: bool = False) -> Replies | Text:
        """Do what `message` asks. What takes time comes as an iterator of replies, to be run in order by its caller. An
        update is the last of a list. `key`: of an event that is numbered. `brief`: one tab is there, of wire version 2;
        if all that it is to be told is a text, as nearly always, that comes alone, and the caller notes the change."""
        self.took = 0.0
        callback: Any = message.id
        if message.action is not None and self.hears(message):
            return []
        if type(callback) is not str:
            return [self.changes()]
        data, callback_id = message.data, None if brief else message.callback_id  # a number answers, too
        started, live = perf_counter(), self.live
        target = live.index.find(callback)
        if target is None:
            return late_events.handle(self, message, key, started)
        try:
            if (may_be_disabled(target) and form_fields.is_disabled(target)) or (
                type(data) is dict
                and ("value" in data or "checked" in data)  # few events are those of a field
                and not form_fields.synchronise(target, message.event, data, live)
            ):
                self.observer.event_handled("no_target", perf_counter() - started)
                return [self.changes(callback_id)]
            callback = handler(target, message.event)
            if callback is None or isinstance(callback, str):  # the latter runs in the browser
                self.observer.event_handled("no_handler", perf_counter() - started)
                return [self.changes(callback_id)]
            outcome = callback(Event(target, message.id, message.event, data, key))
            later = outcome is not None and execution.is_deferred(callback, outcome)
        except (Exception, asyncio.CancelledError) as error:  # the latter of something that the handler asked
            return self.handler_failed(callback, error, callback_id or message.callback_id, started)
        seconds = perf_counter() - started
        if seconds > WORTH_CHARGING:
            self.took += seconds
            if seconds > self.limits.blocked_seconds:
                self.failures.blocked(callback, seconds)
        if later:
            self.begin_handler()
            return self._run(callback, outcome, callback_id or message.callback_id, started)
        self.observer.event_handled("ok", seconds)
        if brief:
            if outcome is None and not live.hooks.pending and (text := live.take_single_text()) is not None:
                return text
            callback_id = message.callback_id
        answer = self.changes(callback_id, outcome)
        if live.hooks.pending:
            self.start_hooks()
        return [answer]

    async def _run(
        self, callback: Callable[..., Any], outcome: Any, callback_id: str | None, started: float
    ) -> AsyncIterator[Answer]:
        try:
            async with contextlib.aclosing(execution.steps(outcome)) as steps:
                async for step in steps:
                    if step is None:
                        yield self.changes()
                        await asyncio.sleep(0)  # a generator of many steps must not hold up other sessions
                        continue
                    self.observer.event_handled("ok", perf_counter() - started)
                    yield self.changes(callback_id, step.value)
                    self.start_hooks()
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and execution.is_being_cancelled():
                raise  # the session closes; otherwise it is something that the handler awaited
            for reply in self.handler_failed(callback, error, callback_id, started):
                yield reply
        finally:
            self.under_way -= 1
            self.note_change()

    def handler_failed(
        self, callback: Callable[..., Any], error: BaseException, callback_id: str | None, started: float
    ) -> list[Answer]:
        """`callback`, which handled an event, raised `error`: what is to be said."""
        seconds = perf_counter() - started
        self.took += seconds
        self.observer.event_handled("error", seconds)
        failure, changes = self.failures.of_handler(callback, error, callback_id), self.changes()
        self.start_hooks()
        return [failure, changes]

    def changes(self, callback_id: str | None = None, result: Any = None) -> Update:
        """What changed, as an answer to `callback_id`, if any. With no tab to show them, they are left for later."""
        if self.clean:
            self.note_change()
        delivery = self.delivery
        updates = {} if delivery.html else NO_HTML
        if callback_id is None:
            update = Update(updates, (), ())
        else:  # no tag is JSON; that there is one is all that a browser can be told
            update = Update(updates, (), (), callback_id, result if not isinstance(result, GTag) else True)
        if delivery.channels and not self.live.drain_single_text(update, delivery):
            started = perf_counter()
            for tag, error in replays.drain(self.live, update, delivery, callback_id, self.replays):
                delivery.deliver(self.failures.of_tag("render", tag, error))
            self.took += perf_counter() - started
        return update

    # -- pushes, and hooks that take time ----------------------------------------------------------------------------

    def request_push(self, seconds: float) -> None:
        """Push what changed, `seconds` after the last push at the earliest. From any thread."""
        if self.state is SessionState.CONNECTED:  # without tabs: the next one to connect gets everything
            self._throttle.request(seconds)

    def push(self) -> None:
        """Send what changed to all tabs, now. A task that outlives the app in memory has nothing to send."""
        if self.has_app:
            self.delivery.deliver(self.changes())
            self.start_hooks()

    def renew_id(self) -> None:
        """Ask for a new id of this session. RuntimeError where all visitors share it."""
        if self.renew is not None:
            self.renew(self)

    def start_hooks(self) -> None:
        """Run what async and generator hooks returned, each as a task; every step of theirs is pushed."""
        if pending := self.live.hooks.drain_pending():
            most = self.limits.session_tasks
            HookTasks(self.tasks, most, self.push, self.failures, self.delivery, self.observer).start(pending)

    # -- the end -----------------------------------------------------------------------------------------------------

    def outgrow(self) -> None:
        """Tell the tabs that the session is about to end because it has grown too large."""
        self.outgrown, self.close_code = True, SESSION_TOO_LARGE
        text = "a session of %s grew to %d bytes and ends"
        self.failures.log(logging.WARNING, text, type(self.app).__name__, self.size)
        self.delivery.deliver(Failure(f"{TOO_LARGE_TEXT} ({self.limits.session_bytes >> 20} MiB)."))

    def close(self) -> None:
        """The session is over: hooks run, tasks end, the tree comes apart."""
        self.end()

    def end(self, *, destroys: bool = True, unmounts: bool = True, disposes: bool = True) -> None:
        """Close; or leave, where the app goes on elsewhere: without `on_destroy`; without `on_unmount`, if it has run;
        and a tree that something else holds (not `disposes`) stays as it is."""
        if self.closed:
            return
        self.state = transition(self.state, SessionState.CLOSED)
        if not self.has_app:
            self._throttle.cancel()
            self.delivery.end()
            self._forget()
        else:
            dispose = self._dispose if disposes else self._forget
            self.context.inside(self._close, self._closing(dispose, destroys=destroys, unmounts=unmounts))

    def _close(self, closing: Closing) -> None:
        self._throttle.cancel()
        if self._refresher is not None:
            self._refresher.cancel()
        closing.run()

    def _dispose(self) -> None:
        """Let go of everything, so that its memory is free now, and not when the garbage collector looks for cycles."""
        self.live.dispose()
        self._forget()

    def _forget(self) -> None:
        self.journal.release()
        self._tabs = None  # they know the session

    async def finished(self) -> None:
        """Wait for what `close` left to do, CLOSING_SECONDS at most."""
        await self.tasks.wait(CLOSING_SECONDS)
