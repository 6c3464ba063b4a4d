"""One running app and the tabs that show it. No socket, no store, no Starlette: messages in, replies out."""

import asyncio
import contextlib
import logging
import random
import time
import traceback
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextvars import Context, copy_context
from time import perf_counter
from typing import Any

from htag.app import App
from htag.errors import TooManyTasks
from htag.events import Event
from htag.limits import Limits
from htag.log.reports import Reports
from htag.observer import Observer
from htag.session import browser_report, execution, form_fields
from htag.session.channel import Channel
from htag.session.context import SessionContext
from htag.session.execution import Result
from htag.session.inbox import Inbox
from htag.session.room import Holder, Room
from htag.session.tab import Tab, Tabs
from htag.session.throttle import Throttle
from htag.tree.elements import elements
from htag.tree.flags import HAS_HOOKS
from htag.tree.live import Page
from htag.tree.tag import GTag
from htag.wire.codec import Codec, Encoded
from htag.wire.messages import UNSET, Failure, Message, Reply, Update, size_of

Request = Callable[[], Any]  # yields the Starlette Request or WebSocket that a message came with

REFRESH_SECONDS = 1.0  # between two updates that tabs get because pages of the same session are made

UNKNOWN_SESSION = 4404  # close code: there is no such session here; asking for the page makes a new one
SESSION_TOO_LARGE = 4413  # close code: the session ended because it grew too large, and its page says so

TOO_LARGE_TEXT = "This page was closed: it held more than one visitor may have here"

KEPT_ANSWERS = 100  # for a browser that is between two transports; more are not waited for by any page
KEPT_BYTES = 1 << 20  # of these answers: mostly they have a hundred

WORTH_CHARGING = 0.0005  # seconds of a handler: as many as ten ordinary messages take altogether

LAST_WORDS = 2.0  # seconds for async `on_destroy` and `on_unmount` at shutdown: below any supervisor's patience


class Session:
    """One person's app. `handle` turns a message into replies, `deliver` hands replies to the tabs."""

    __slots__ = (
        "__weakref__",
        "_answers",
        "_outdated",
        "_refresher",
        "_reports",
        "_tabs",
        "_tasks",
        "_throttle",
        "_worker_reports",
        "app",
        "channels",
        "close_code",
        "closed",
        "codec",
        "context",
        "generation",
        "heard",
        "id",
        "limits",
        "observer",
        "opened_at",
        "outgrown",
        "revision",
        "room",
        "seen",
        "size",
        "spoke_http_at",
        "took",
        "unfinished",
        "weighed",
    )

    def __init__(
        self,
        identity: str,
        app: App,
        codec: Codec,
        observer: Observer,
        limits: Limits,
        given: Context | None = None,
        reports: Reports | None = None,
    ) -> None:
        """`given`: the context before the app was made; without it, what is set now is the host's. `reports`: the log
        lines of all sessions of this worker; by default it is alone."""
        self.id = identity
        self.app = app
        self.context = SessionContext(app, copy_context() if given is None else given)
        self.codec = codec
        self.observer = observer
        self.limits = limits
        self.generation = 0
        self.channels: list[Channel] = []
        # raised by each update; a page that shows the latest needs no full render on connecting. It begins anywhere, so
        # that no page of an earlier session under the same cookie is taken for one of this
        self.revision = random.getrandbits(32)
        self.seen = False  # whether any tab has ever connected
        self.closed = False
        self.outgrown = False  # it grew too large, and is about to end
        self.close_code = UNKNOWN_SESSION
        self.size = 0
        self.heard = 0  # bytes of notable messages since the size was measured
        self.weighed = self.revision  # the revision at that time
        self.room = Room(observer, limits.session_waiting_bytes)
        self.unfinished = 0  # bytes of messages that are being read, wait, or are being handled
        self.opened_at = time.monotonic()
        self.spoke_http_at = float("-inf")
        self.took = 0.0  # seconds for the last message, as far as they are worth charging
        self._worker_reports = reports or Reports(observer)
        self._reports: Reports | None = None
        self._answers: deque[Reply] | None = None
        self._tabs: Tabs | None = None
        self._tasks: set[asyncio.Task[None]] | None = None
        self._throttle = Throttle(self._push, self.context.copied)
        self._refresher: Throttle | None = None
        self._outdated: Sequence[Channel] = ()  # tabs that show tags which the latest page has made anew
        app._push = self._ask_for_push
        app._context = self.context

    # -- a page ------------------------------------------------------------------------------------------------------

    def start(self, request: Any = None) -> None:
        """The app was just made: its tree mounts, and the app is told of `request`, which asks for its page."""
        self.context.own.run(self._start, request)

    def _start(self, request: Any) -> None:
        if self.app._flags & HAS_HOOKS:
            self.app._live.mount(self.app)
        if request is not None:
            self.app._live.visit(request)

    def reload(self, request: Any = None) -> None:
        """`request`, which runs, asks for the page again: the tree unmounts and mounts, and keeps its state."""
        self.context.renew()
        self.context.own.run(self._mount_again, request)

    def _mount_again(self, request: Any) -> None:
        live = self.app._live
        live.forget_started({self.app})  # an `on_visit` that nobody has connected for
        self._attempt(live.leave, self.app)
        self._attempt(live.mount, self.app)
        if request is not None:
            self._attempt(live.visit, request)

    def visit(self, request: Any) -> None:
        """`request`, which runs, asks for the page of an app for everybody, whose tree stays as it is.

        What its hook left to be run begins at once: of those who ask, not all will connect.
        """
        live = self.app._live
        waiting, live.started = live.started, []
        with self.context.entered():
            self._attempt(live.visit, request)
        self.start_hooks()
        live.started = waiting + live.started

    def _attempt(self, hooks: Callable[[Any], None], argument: Any) -> None:
        try:
            hooks(argument)
        except Exception as error:
            self.deliver(self._failed("hook", self.app, error))

    def page(self) -> Page:
        """Render the whole tree for a document. Tabs that are open see the same, within REFRESH_SECONDS."""
        self._throttle.here()
        try:
            return self.context.inside(self._page)
        finally:
            self.context.settle()

    def _page(self) -> Page:
        live = self.app._live
        if self.channels:
            self._push()
        elif live.dirty or live.has_made_tags():
            self.revision += 1  # an absent tab misses these changes
        page = live.take_page()
        if self.channels and live.has_made_tags():
            self.revision += 1
            self._outdate()
        return page

    def _outdate(self) -> None:
        """The page that was just made shows new tags in the place of those that the open tabs show.

        They are brought up to date, but not for each of many pages.
        """
        self._outdated = [*self.channels]
        if self._refresher is None:
            self._refresher = Throttle(self._refresh, self.context.copied)
        self._refresher.here()
        self._refresher.ask(REFRESH_SECONDS)

    def _refresh(self) -> None:
        outdated, self._outdated = self._outdated, ()
        there = [channel for channel in outdated if channel in self.channels]
        if there:
            update = Update({}, [], [])
            errors = self.app._live.take_made(update)
            self._tell(there, *(self._failed("render", tag, error) for tag, error in errors), update)

    # -- channels ----------------------------------------------------------------------------------------------------

    def attach(self, channel: Channel, revision: int | None = None) -> None:
        """A tab connects. Its first message is the whole body, or what changed since `revision` if it shows that."""
        self._throttle.here()
        self.seen = True
        self.channels.append(channel)
        if revision is not None and revision == self.revision:
            self.deliver(self._changes())  # news to all tabs, this one included
            channel.put(Update({}))
        else:
            channel.put(self.full_render(channel, reconnects=revision is not None))
        answers, self._answers = self._answers, None
        for answer in answers or ():
            channel.put(answer)
        self.start_hooks()

    def join(self, channel: Channel) -> None:
        """A channel that shows one answer only, and needs no first message."""
        self._throttle.here()
        self.seen = True
        self.channels.append(channel)
        self.start_hooks()

    def detach(self, channel: Channel) -> None:
        """A tab's channel is gone."""
        if channel in self.channels:
            self.channels.remove(channel)

    def make_room(self, holder: Holder, size: int) -> None:
        """`size` bytes have left to `holder`, or wait no more: tabs that fell behind may go on."""
        self.room.give_back(holder, size)
        for channel in reversed(self.channels):  # a person looks at the latest, and tabs that sleep are older
            channel.wake()

    def full_render(self, channel: Channel, reconnects: bool = True) -> Reply:
        """Render the whole body for a tab that missed something; or say why it can't be shown."""
        try:
            return self.context.inside(self._full_render, channel, reconnects)
        except Exception as error:
            return self._failed("render", self.app, error)

    def _full_render(self, channel: Channel, reconnects: bool) -> Update:
        """The whole body for `channel`. The changes that this render takes with it are news to other tabs as well."""
        live = self.app._live
        others = [each for each in self.channels if each is not channel]
        if others or channel.transport == "http":  # of tabs on plain HTTP none is connected between its messages
            update = Update({}, js=self._changes_beside(channel, others, reconnects))
            update.updates[self.app.id] = live.take_shown()  # with the tags that the others show, so that theirs stay
        else:
            if live.has_changes() or live.has_made_tags():
                self.revision += 1
            update = Update({self.app.id: live.take_body()}, js=live.take_scripts())
        if reconnects:
            update.statics = live.all_statics()  # the update that brought one may be what was lost
        return update

    def _changes_beside(self, channel: Channel, others: list[Channel], reconnects: bool) -> list[str]:
        """Send what waits to `others`: `channel` gets it with the body. Returns the JavaScript, which is for all."""
        live, news = self.app._live, Update({}, [], [])
        failures = [self._failed("render", tag, error) for tag, error in live.take_changes(news)]
        self._tell(others or [channel], *failures)
        if not reconnects and news.statics:  # a connection's first message has none: all get them with the next push
            live.statics, news.statics = [*news.statics], []
            self._ask_for_push(0.0)
        if news.updates or news.js or news.statics:
            self.revision += 1
            self._tell(others, news)
        return news.js

    def _tell(self, channels: list[Channel], *replies: Reply) -> None:
        """Hand `replies` to some of the tabs."""
        for reply in replies:
            encoded: Encoded = {}
            for channel in channels:
                channel.put(reply, encoded)
                channel.wake()

    # -- messages ----------------------------------------------------------------------------------------------------

    def handle(self, message: Message) -> "list[Reply] | AsyncIterator[Reply]":
        """Do what `message` asks. What takes time comes as an iterator of replies, to be run in order by its caller."""
        self.took = 0.0
        callback: Any = message.id
        if message.action == "log_error":
            self.observer.browser_error()
            # in quotes: it may contain lines
            shown = f"{message.error!r:.2000}" if self.app.debug else browser_report.summary(message.error)
            self._report(logging.ERROR, "a browser reports: %s", shown)
            return []
        if type(callback) is not str:
            return [self._changes()]
        data, callback_id = message.data, message.callback_id
        started = perf_counter()
        live = self.app._live
        target = live.find(callback)
        try:
            if (
                target is None
                # most apps have no `fieldset` at all, and need not look at what is around
                or (("disabled" in target._attributes or "fieldset" in elements) and form_fields.is_disabled(target))
                or (
                    type(data) is dict
                    and ("value" in data or "checked" in data)  # few events are those of a field
                    and not form_fields.synchronise(target, message.event, data, live)
                )
            ):
                self.observer.event_handled("no_target", perf_counter() - started)
                return [self._changes(callback_id)]
            callback = target._handler(message.event)
            if callback is None or isinstance(callback, str):  # the latter runs in the browser
                self.observer.event_handled("no_handler", perf_counter() - started)
                return [self._changes(callback_id)]
            outcome = callback(Event(target, message.id, message.event, data))
            later = outcome is not None and execution.takes_time(callback, outcome)
        except (Exception, asyncio.CancelledError) as error:  # the latter of something that the handler asked
            return self._handler_failed(callback, error, callback_id, started)
        seconds = perf_counter() - started
        if seconds > WORTH_CHARGING:
            self._took(callback, seconds)
        if later:
            return self._run(callback, outcome, callback_id, started)
        self.observer.event_handled("ok", seconds)
        answer = self._changes(callback_id, outcome)
        if live.started:
            self.start_hooks()
        return [answer]

    async def _run(
        self, callback: Callable[..., Any], outcome: Any, callback_id: str | None, started: float
    ) -> AsyncIterator[Reply]:
        try:
            async with contextlib.aclosing(execution.steps(outcome)) as steps:
                async for step in steps:
                    if step is None:
                        yield self._changes()
                        await asyncio.sleep(0)  # a generator of many steps must not hold up other sessions
                        continue
                    self.observer.event_handled("ok", perf_counter() - started)
                    yield self._changes(callback_id, step.value)
                    self.start_hooks()
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and is_being_cancelled():
                raise  # the session closes; otherwise it is something that the handler awaited
            for reply in self._handler_failed(callback, error, callback_id, started):
                yield reply

    def _handler_failed(
        self, callback: Callable[..., Any], error: BaseException, callback_id: str | None, started: float
    ) -> list[Reply]:
        seconds = perf_counter() - started
        self.took += seconds
        self.observer.event_handled("error", seconds)
        failure = self._failure("handler", execution.name_of(callback), error)
        failure.callback_id = callback_id
        changes = self._changes()
        self.start_hooks()
        return [failure, changes]

    def _changes(self, callback_id: str | None = None, result: Any = None) -> Update:
        """What changed, as an answer to `callback_id` if one is waited for. With no tab to show it, changes stay where
        they are and cost nothing."""
        if callback_id is None:
            update = Update({}, [], [])
        else:  # no tag is JSON; that there is one is all that a browser can be told
            update = Update({}, [], [], callback_id, result if not isinstance(result, GTag) else True)
        if self.channels and not self.app._live.take_one_text(update):
            started = perf_counter()
            for tag, error in self.app._live.take_changes(update):
                self.deliver(self._failed("render", tag, error))
            self.took += perf_counter() - started
        return update

    def tab(self, name: str) -> Tab:
        """The tab that calls itself `name`; one that has no name is like no other."""
        return self.tabs.named(name) if name else Tab("", Inbox(self))

    @property
    def tabs(self) -> Tabs:
        """The tabs that have a name."""
        if self._tabs is None:
            self._tabs = Tabs(self)
        return self._tabs

    # -- replies -----------------------------------------------------------------------------------------------------

    def deliver(self, reply: Reply, origin: Channel | None = None) -> None:
        """Hand `reply` to the tabs: changes to all of them, a result or an error to `origin` where that is known."""
        channels = self.channels
        if type(reply) is Update:
            if reply.updates or reply.js or reply.statics:
                self.revision += 1
            elif reply.callback_id is UNSET:
                return
        if len(channels) == 1 and channels[0] is origin:
            origin.put(reply)  # one tab, which sends what is put: nearly always
        elif channels:
            self._broadcast(reply, origin if origin in channels else None)
        else:
            self._keep(reply)

    def _broadcast(self, reply: Reply, origin: Channel | None) -> None:
        if origin is not None:
            origin.put(reply)
            if not isinstance(reply, Update) or not (reply.updates or reply.js or reply.statics):
                return
            reply = Update(reply.updates, reply.js, reply.statics)
        self._tell([channel for channel in self.channels if channel is not origin], reply)

    def _keep(self, reply: Reply) -> None:
        """A browser changing its transport gets its answer when it is back."""
        if reply.callback_id:
            if self._answers is None:
                self._answers = deque(maxlen=KEPT_ANSWERS)
            self._answers.append(self.codec.freeze(reply))
            while sum(map(size_of, self._answers)) > KEPT_BYTES:
                self._answers.popleft()

    def _failed(self, kind: str, tag: GTag, error: Exception) -> Failure:
        return self._failure(kind, getattr(error, "_htag_host", type(tag).__qualname__), error)

    def _failure(self, kind: str, name: str, error: BaseException) -> Failure:
        """Log, count, and say in words for the person: the traceback only where the app is in debug mode."""
        self.observer.component_failed(kind)
        self._report(logging.ERROR, "%s of %s failed: %s", kind, name, type(error).__name__, error=error)
        if not self.app.debug:
            return Failure("Internal Server Error")
        return Failure("".join(traceback.format_exception(error)))

    def _took(self, callback: Callable[..., Any], seconds: float) -> None:
        self.took += seconds
        if seconds > self.limits.blocked_seconds:
            self._blocked(callback, seconds)

    def _blocked(self, callback: Callable[..., Any], seconds: float) -> None:
        name = execution.name_of(callback)
        self.observer.handler_blocked(name, seconds)
        text = "%s held up all sessions of this worker for %.3f s: make it async, or use a thread"
        self._report(logging.WARNING, text, name, seconds)

    def _report(self, level: int, text: str, *values: object, error: BaseException | None = None) -> None:
        """Log a line about this session, unless there are too many; with messages only where the app is in debug mode:
        they quote what people type."""
        if self._reports is None:
            self._reports = self._worker_reports.of_session()
        self._reports.log(level, text, *values, error=error, messages=self.app.debug)

    # -- pushes ------------------------------------------------------------------------------------------------------

    def _ask_for_push(self, seconds: float) -> None:
        if self.channels:  # else: whoever connects gets everything
            self._throttle.ask(seconds)

    def _push(self) -> None:
        self.deliver(self._changes())
        self.start_hooks()

    # -- hooks that take time ----------------------------------------------------------------------------------------

    def start_hooks(self) -> None:
        """Run what async and generator hooks returned, each as a task; every step of theirs is pushed."""
        live = self.app._live
        if not live.started:
            return
        started, live.started = live.started, []
        for tag, outcome in started:
            if self.tasks < self.limits.session_tasks:
                self.spawn(self._run_hook(tag, outcome))
            else:
                self._refuse_hook(tag, outcome)

    def _refuse_hook(self, tag: GTag, outcome: Any) -> None:
        """Do not run what a hook returned: so many run that something must have gone wrong."""
        if hasattr(outcome, "close"):
            outcome.close()
        self.observer.session_limited("tasks")
        self.deliver(self._failed("hook", tag, TooManyTasks(f"{self.tasks} run")))

    async def _run_hook(self, tag: GTag, outcome: Any) -> None:
        try:
            async for step in execution.steps(outcome):
                self._push()
                if isinstance(step, Result):
                    return
                await asyncio.sleep(0)
        except Exception as error:
            self.deliver(self._failed("hook", tag, error))

    def spawn(self, work: Coroutine[Any, Any, None], context: Context | None = None) -> asyncio.Task[None]:
        """Run `work` as a task of this session: referenced while it runs, cancelled when the session closes.

        In `context`, which is of a request of this visitor, or in the session's own.
        """
        if self._tasks is None:
            self._tasks = set()
        if context is None:
            context = self.context.copied()
        task = self._throttle.here().create_task(work, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._ended, context=context)
        return task

    @property
    def tasks(self) -> int:
        """How many run."""
        return len(self._tasks or ())

    def _ended(self, task: asyncio.Task[None]) -> None:
        assert self._tasks is not None
        self._tasks.discard(task)
        self.report_failed(task)

    def report_failed(self, task: asyncio.Task[None]) -> None:
        """Log what ended `task`, if it did not end by itself."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._report(logging.ERROR, "a task of a session failed: %s", type(error).__name__, error=error)

    def outgrow(self) -> None:
        """Tell the tabs that the session is about to end because it has grown too large."""
        self.outgrown, self.close_code = True, SESSION_TOO_LARGE
        self._report(logging.WARNING, "a session of %s grew to %d bytes and ends", type(self.app).__name__, self.size)
        self.deliver(Failure(f"{TOO_LARGE_TEXT} ({self.limits.session_bytes >> 20} MiB)."))

    # -- the end -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """The session is over: hooks run, tasks end, the tree comes apart."""
        if self.closed:
            return
        self.closed = True
        self.context.inside(self._close)

    def _close(self) -> None:
        self.app._push = None
        self._outdated = ()
        for throttle in (self._throttle, self._refresher):
            if throttle is not None:
                throttle.cancel()
        self.app._live.forget_started()
        self._quietly(lambda: self.app._live.leave(self.app))
        ending = self._quietly(self.app.on_destroy)
        running = list(self._tasks or ())
        for task in running:
            task.cancel()
        for channel in self.channels:
            channel.end()
        last = [outcome for _, outcome in self.app._live.started]
        if asyncio.iscoroutine(ending):
            last.append(ending)
        self.app._live.started.clear()
        if last or running:
            self.spawn(self._finish(running, last))
        else:
            self._come_apart()

    def _come_apart(self) -> None:
        """Let go of everything, so that its memory is free now, and not when the garbage collector looks for cycles."""
        self.app._heard_from = nothing_heard
        self.app._context = None
        self.app._live.empty()
        if self._tabs is not None:
            self._tabs.clear()

    async def _finish(self, running: list[asyncio.Task[None]], outcomes: list[Any]) -> None:
        if running:
            await asyncio.wait(running, timeout=LAST_WORDS)  # their `finally` blocks still find the tree
        await asyncio.gather(*map(self._say_last, outcomes))
        self._come_apart()

    async def _say_last(self, outcome: Any) -> None:
        try:
            async with asyncio.timeout(LAST_WORDS):
                async for _ in execution.steps(outcome):
                    pass
        except Exception as error:
            self._failed("hook", self.app, error)

    async def finished(self) -> None:
        """Wait for what `close` left to do, LAST_WORDS seconds at most."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=LAST_WORDS)

    def _quietly(self, hook: Callable[[], Any]) -> Any:
        try:
            return hook()
        except Exception as error:
            self._failed("hook", self.app, error)


def nothing_heard() -> None:
    """The request of an app that is over."""


def is_being_cancelled() -> bool:
    """Whether somebody cancels the task that runs, rather than one that it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
