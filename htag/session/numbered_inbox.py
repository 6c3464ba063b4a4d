"""The inbox of a tab that numbers its events (wire version 2): each event is handled once, however often it comes."""

import asyncio
import logging
from typing import Any, Protocol, overload

from msgspec import UnsetType

from htag.observer import Observer
from htag.session import execution
from htag.session.channel import Channel
from htag.session.event_log import EventLog
from htag.session.failures import Failures
from htag.session.inbox import EventKey, Handler, Inbox, Replies, one_by_one
from htag.session.journal import Journal
from htag.session.replays import Replays
from htag.session.stored import Stored, lives_here_only
from htag.tree.access import handler
from htag.tree.live import LiveTree
from htag.wire.codec import Codec
from htag.wire.messages import NO_HTML, UNSET, Answer, Failure, Message, Operations, Pong, Saved, Text, Update

UNSAVED = 50  # events of a session that lives in this process only, after which its tab is told to drop them
SKIPPED = "This action broke the connection three times, and was not done."


class NumberingHandler(Handler, Protocol):
    """The session, as its numbered inboxes know it."""

    key: str  # its own name, for life
    codec: Codec
    observer: Observer
    live: LiveTree
    stored: Stored | None
    replays: Replays | None

    @property
    def failures(self) -> Failures:
        """What goes wrong in it is said by these."""
        ...

    @overload
    def handle(self, message: Message, key: EventKey | None = None) -> Replies: ...
    @overload
    def handle(self, message: Message, key: EventKey, brief: bool) -> Replies | Text: ...

    @property
    def clean(self) -> bool:
        """Whether nothing has changed since it was saved."""
        ...

    def note_change(self) -> None:
        """The session is to be saved."""
        ...

    @property
    def closed(self) -> bool:
        """Whether the session is over."""
        ...

    @property
    def journal(self) -> Journal:
        """The updates that were sent."""
        ...

    @property
    def tabs(self) -> "KnownTabs":
        """The tabs that have a name."""
        ...


class KnownTabs(Protocol):
    """The tabs of a session, as the inbox of one knows them."""

    def acknowledge(self, log: EventLog, revision: int) -> None:
        """The tab of `log` shows `revision`."""
        ...

    def forget(self, log: EventLog) -> None:
        """The tab of `log` is gone for good."""
        ...


class NumberedInbox(Inbox):
    """Hands numbered events to the session in their order, each once, and notes in `log` what they were answered.

    An answer goes to the channel that the tab has when it is there; if it has none, it waits in the log.
    """

    __slots__ = ("_untold", "log")

    _session: NumberingHandler

    def __init__(self, session: NumberingHandler, log: EventLog) -> None:
        super().__init__(session)
        self._untold: int | UnsetType = UNSET  # what the tab need not keep, and is to be told with the next answer
        self.log = log

    def successor(self) -> "NumberedInbox":
        """An empty inbox of the same tab."""
        return NumberedInbox(self._session, self.log)

    def submit(self, message: Message, origin: Channel | None) -> asyncio.Future[None] | None:
        """Do what `message` asks, unless that was done before. None: it is done. Raises `EventGap` where events are
        missing before it."""
        log = self.log
        number = log.accepted + 1
        if message.n != number or message.action is not None or message.got is not None or message.made is not None:
            return self._submit_otherwise(message, origin)
        log.accepted = number
        if self._waiting is not None:
            message.n = number  # it may have been written as 1.0, or true
            return self._enqueue(message, origin)
        session = self._session
        delivery = session.delivery
        replies = session.handle(message, (log.key, log.name, number), delivery.brief)
        if type(replies) is tuple:  # nearly always
            if session.clean:
                session.note_change()
            if origin is not None and delivery.only is origin:
                log.handled = number
                saved, self._untold = self._untold, UNSET
                origin.put(Operations((replies,), delivery.journal.append_text(replies), number, saved))
                return None
            replies = [Update(NO_HTML, (), (), message.callback_id, None, ops=(replies,))]
        elif type(replies) is not list:
            message.n = number
            log.begin(number, message.callback_id)
            return self._begin(message, replies, origin)  # type: ignore[arg-type]  # it is no tuple
        reply = replies[0]
        if type(reply) is Update and reply.result is None and origin is not None and delivery.only is origin:
            # often, and the only reply; what follows takes some per cent of an event longer
            log.handled = reply.done = number
            if reply.others is not UNSET:
                reply.asker = log.name
            delivery.deliver(reply, origin)
            return None
        self._answer_all(message, number, replies, origin)
        return None

    def _submit_otherwise(self, message: Message, origin: Channel | None) -> asyncio.Future[None] | None:
        if message.made is not None:
            if self._session.replays is not None:
                self._session.replays.promise(message.callback_id, message.made)
            message.made = None
            return self.submit(message, origin)
        number, action = message.n, message.action
        if message.got is not None:
            self._acknowledge(message.got)
            message.got = None
            if number is not None and action is None:
                done = self.submit(message, origin)  # the same event without that
                self._tell_saved()
                return done
            self._tell_saved()
        if action == "ping" and origin is not None:
            origin.put(Pong())
        elif action == "bye":
            self._session.tabs.forget(self.log)
        elif action == "ping" or action == "got":
            pass
        elif number is None or (action is not None and action != "skip"):
            message.n = None  # it is no event, whatever it says its number is
            return super().submit(message, origin)
        elif type(number) is not int or number < 1:
            self._session.observer.message_refused("malformed")
        elif not self.log.take(number):
            self._repeat(number)
        elif self._waiting is not None:
            return self._enqueue(message, origin)
        else:
            self._answer_all(message, number, self._skip(message), origin)
        return None

    def _acknowledge(self, revision: Any) -> None:
        session, log = self._session, self.log
        if type(revision) is int:
            session.tabs.acknowledge(log, revision)
        if log.handled - log.saved >= UNSAVED and lives_here_only(session.stored):
            log.saved = self._untold = log.handled

    def _tell_saved(self) -> None:
        """Say what the tab need not keep, if the answer has not."""
        saved, self._untold = self._untold, UNSET
        if saved is not UNSET and self.log.channel is not None:
            self.log.channel.put(Saved(saved))
            self.log.channel.wake()

    # -- answers -----------------------------------------------------------------------------------------------------

    def _answer_all(self, message: Message, number: int, replies: list[Answer], origin: Channel | None) -> None:
        """The first of `replies` answers `message`, which is event `number`."""
        self._answer(message, number, replies[0], origin)
        for reply in replies[1:]:
            self._send(reply, origin)

    def _answer(self, message: Message, number: int, reply: Answer, origin: Channel | None) -> None:
        """`reply` answers `message`, which is event `number` and done."""
        reply.done = number
        if reply.callback_id is UNSET:  # what the event was for did not run
            reply.callback_id, reply.result = message.callback_id, None
        session = self._session
        kept = reply if type(reply) is Failure or is_small(reply.result) else session.codec.freeze(reply)
        self.log.finish(number, kept, session.journal.head + 1)
        self._send(reply, origin)

    def _send(self, reply: Answer, origin: Channel | None) -> None:
        delivery, channel = self._session.delivery, self.log.channel
        if type(reply) is Update and reply.others is not UNSET:
            reply.asker = self.log.name
        if channel is not None:
            delivery.deliver(reply, channel)
            if channel is not origin:
                channel.wake()
        elif type(reply) is Update:  # the answer stays in the log
            delivery.deliver(reply.news())

    def _repeat(self, number: int) -> None:
        """The tab sends an event again that it sent before: it is answered, and not run."""
        answer = self.log.answer(number)
        if answer is None:
            outcome = "running"
        elif type(answer) is Update and answer.lost is True:
            outcome = "lost"
        else:
            outcome = "answered"
        self._session.observer.event_repeated(outcome)
        self._say_again(answer)

    def _say_again(self, answer: Answer | None) -> None:
        """Send an answer that is in the log, if the tab is there."""
        channel = self.log.channel
        if answer is not None and channel is not None:
            channel.put(answer)
            channel.wake()

    def _skip(self, message: Message) -> list[Answer]:
        """The tab gives this event up. Say in the log which handler it would have called."""
        session = self._session
        session.observer.event_skipped()
        session.note_change()
        target = session.live.index.find(message.id) if type(message.id) is str else None
        callback = None if target is None else handler(target, message.event)
        name = execution.name_of(callback) if callable(callback) else "no handler"
        session.failures.log(logging.WARNING, "an event was given up after three lost connections: %s", name)
        return [Failure(SKIPPED, message.callback_id)]

    # -- events that wait, or take time --------------------------------------------------------------------------------

    def _handle(self, message: Message) -> Replies:
        if message.n is None:
            return super()._handle(message)
        if message.action == "skip":
            return self._skip(message)
        replies = self._session.handle(message, (self.log.key, self.log.name, message.n))
        if not isinstance(replies, list):
            self.log.begin(message.n, message.callback_id)
        return replies

    def _begin(self, message: Message, replies: Replies, origin: Channel | None) -> asyncio.Future[None]:
        done = super()._begin(message, replies, origin)
        done.add_done_callback(lambda _: self._end(message))
        return done

    def _enqueue(self, message: Message, origin: Channel | None) -> asyncio.Future[None]:
        done = super()._enqueue(message, origin)
        done.add_done_callback(lambda _: self._end(message))
        return done

    def _end(self, message: Message) -> None:
        """The turn of `message` is over. If its handler was cancelled, that is the answer; if it did not begin, because
        the session was to move, it does so where the session stays."""
        number, session = message.n, self._session
        if number is None or session.closed or not self.log.is_running(number):
            return
        self.log.interrupt(number, session.journal.head + 1)
        self._say_again(self.log.answer(number))
        moving = None if session.stored is None else session.stored.moving
        if self.log.is_running(number) and moving is not None:
            moving.add_done_callback(lambda _: self._take_up(message))

    def _take_up(self, message: Message) -> None:
        """Do what `message` asks, which was taken before, if the session is still here."""
        if self._session.closed:
            return
        if self._waiting is not None:
            self._enqueue(message, None)
            return
        replies = self._handle(message)
        if not isinstance(replies, list):
            self._begin(message, replies, None)
            return
        self._answer_all(message, message.n, replies, None)

    async def _deliver(self, message: Message, replies: Replies, origin: Channel | None) -> None:
        number: Any = message.n
        if number is None:
            await super()._deliver(message, replies, origin)
            return
        answered = False
        async for reply in one_by_one(replies):
            if not answered and (type(reply) is Failure or reply.callback_id is not UNSET):
                answered = True
                self._answer(message, number, reply, None)
            else:
                self._send(reply, None)
        if not answered:  # its tab waits for no result, only for its being done
            self._answer(message, number, Update({}, [], []), None)


def is_small(result: Any) -> bool:
    """Whether a result can be kept as it is: it does not change, and takes little."""
    return result is None or result is UNSET or type(result) in (bool, int, float, str)
