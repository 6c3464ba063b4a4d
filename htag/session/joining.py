"""How a tab's channel joins its session: what it is told first, so that it shows what the session shows."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from htag.observer import Observer
from htag.session.channel import Channel
from htag.session.context import SessionContext
from htag.session.delivery import Delivery
from htag.session.event_log import EventLog
from htag.session.failures import Failures
from htag.session.stored import Stored, lives_here_only
from htag.wire.codec import Encoded
from htag.wire.messages import UNSET, Reply, Update, Welcome

CATCH_UP_SECONDS = 5.0  # for a tab to send its events again; beyond, it is shown what there is


class Joined(Protocol):
    """The session, as it is joined."""

    asleep: bool
    stored: Stored | None
    delivery: Delivery
    context: SessionContext
    observer: Observer

    @property
    def failures(self) -> Failures:
        """What goes wrong in it is said by these."""
        ...

    @property
    def revision(self) -> int:
        """The number of the latest update."""
        ...

    def changes(self) -> Update:
        """What changed since the last update."""
        ...

    def full_render(self, channel: Channel, reconnects: bool = True) -> Reply:
        """The whole body for a tab that missed something."""
        ...

    def start_hooks(self) -> None:
        """Run what hooks returned."""
        ...


def join(session: Joined, channel: Channel, revision: int | None) -> None:
    """A tab of wire version 1 has connected, and shows `revision` or nothing that it could say. It gets the whole body,
    or what changed since."""
    if revision is not None and revision == session.revision:
        session.delivery.deliver(session.changes())  # news to all tabs, this one included
        channel.put(Update({}))
    else:
        channel.put(session.full_render(channel, reconnects=revision is not None))
    session.delivery.hand_over_kept(channel)
    session.start_hooks()


def resume(session: Joined, channel: Channel, log: EventLog, revision: int | None, people: int) -> None:
    """A tab of wire version 2 has connected. It is told which of its events were taken, and gets what it has missed
    since `revision`. Where that is not known any more, it first sends again what a snapshot lacks. `people`: how
    many this worker serves."""
    delivery = session.delivery
    delivery.journal.retain()
    channel.put(Welcome(log.accepted, saved_to(session, log), people))
    missed = None if revision is None else delivery.journal.since(revision, log.name)
    if missed is not None:
        session.observer.client_resumed("tail" if missed else "current")
        for update in missed:
            channel.put(update)
        log.channels.append(channel)
        if not session.asleep:
            delivery.deliver(session.changes())
        put_answers(session, channel, log, log.done)
    elif log.accepted < log.next - 1:
        CatchUp(session, channel, log).begin()
    else:
        log.channels.append(channel)
        show_all(session, channel, log, log.done)
    welcome(session, channel, log)
    if not session.asleep:
        session.start_hooks()


def welcome(session: Joined, channel: Channel, log: EventLog) -> None:
    """A tab that has done nothing yet is a page that was just loaded: it gets the JavaScript of the hooks that ran for
    it."""
    if session.delivery.visit_scripts and log.next == 1 and not log.accepted:
        channel.put(Update({}, session.delivery.take_visit_scripts()))


def needs_app(session: Joined, log: EventLog | None, revision: int | None) -> bool:
    """Whether the app of a session that is asleep has to be awake for a tab to join: not for one that missed nothing,
    or what the journal has."""
    return log is None or revision is None or session.delivery.journal.since(revision, log.name) is None


def saved_to(session: Joined, log: EventLog) -> int:
    """The latest event that the tab need not keep."""
    return log.handled if lives_here_only(session.stored) else log.saved


def resume_once(session: Joined, channel: Channel, log: EventLog, revision: int | None) -> bool:
    """A tab of wire version 2 has sent a POST, whose answer is `channel`, and shows `revision`. False: it has missed
    more than is known, and is to get a full render at the end."""
    journal = session.delivery.journal
    journal.retain()
    log.channels.append(channel)
    missed = None if revision is None else journal.since(revision, log.name)
    for update in missed or ():
        channel.put(update)
    put_answers(session, channel, log, log.done)
    welcome(session, channel, log)
    return missed is not None


def show_all(session: Joined, channel: Channel, log: EventLog, done: int, scripts: Sequence[str] = ()) -> None:
    """Render the whole body for `channel`, which has joined, and say the answers after event `done`. `scripts`:
    JavaScript that the tab has missed."""
    session.observer.client_resumed("full")
    reply = session.full_render(channel)
    if scripts and type(reply) is Update:
        reply.js = [*scripts, *reply.js]
    channel.put(reply)
    put_answers(session, channel, log, done)


def put_answers(session: Joined, channel: Channel, log: EventLog, done: int) -> None:
    """Say again what the tab was answered after event `done`, while it could not hear."""
    for answer in log.answers(done):
        if answer.done == log.interrupted:
            session.observer.event_repeated("interrupted")
        channel.put(answer)


def leave(delivery: Delivery, channel: Channel, log: EventLog | None) -> None:
    """A tab's channel is gone."""
    present = [each for each in delivery.channels if each is channel or behind(each) is channel]
    for each in present:
        delivery.channels.remove(each)
        if log is not None:
            log.leave(each)
    delivery.note_channels()


def behind(channel: Channel) -> Channel | None:
    """The channel that catches up, if `channel` stands in for it."""
    return channel.channel if isinstance(channel, CatchUp) else None


class CatchUp:
    """Stands in for the channel of a tab that sends its events again. They are handled and rendered as they were, so
    that ids stay in step; the tab gets the answers, and everything else in one full render at the end."""

    __slots__ = ("_done", "_joins", "_last", "_missed_scripts", "_session", "_timer", "channel", "log", "transport")

    version = 2

    def __init__(self, session: Joined, channel: Channel, log: EventLog) -> None:
        self.channel = channel
        self.log = log
        self.transport = channel.transport
        self._session = session
        self._last = log.next - 1
        self._done = log.done  # what the tab has been answered, by this one too
        self._missed_scripts: list[str] = []
        self._joins = False  # before long
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Take the channel's place."""
        self._session.delivery.replace(self.channel, self)
        self.log.channels.append(self)
        put_answers(self._session, self.channel, self.log, self.log.done)
        self._done = max(self.log.done, self.log.handled)
        self._timer = self._later(CATCH_UP_SECONDS)

    def put(self, reply: Reply, encoded: Encoded | None = None) -> None:
        """Let an answer through, without what changed; note the JavaScript of events that were not answered before."""
        if type(reply) is Update:
            if reply.done is UNSET:
                return
            if reply.done > self.log.done:
                self._missed_scripts += reply.js
            self._done = max(self._done, reply.done)
            reply = Update({}, [], [], reply.callback_id, reply.result, done=reply.done, lost=reply.lost)
        self.channel.put(reply)
        if self.log.accepted >= self._last and not self._joins:
            self._joins = True  # not now: other tabs are yet to be told of this very update
            self._later(0.0)

    def wake(self) -> None:
        """Send what is queued."""
        self.channel.wake()

    def end(self) -> None:
        """Close."""
        self.channel.end()

    def _later(self, seconds: float) -> asyncio.TimerHandle:
        context = self._session.context.copied()
        return asyncio.get_running_loop().call_later(seconds, self._join, context=context)

    def _join(self) -> None:
        """The tab has caught up, or takes too long: it is shown everything, and from now on what changes."""
        assert self._timer is not None
        self._timer.cancel()
        delivery, channels = self._session.delivery, self.log.channels
        if self not in delivery.channels:
            return  # it has left, or has joined already
        delivery.replace(self, self.channel)
        channels[channels.index(self)] = self.channel
        show_all(self._session, self.channel, self.log, self._done, self._missed_scripts)
        self.channel.wake()
