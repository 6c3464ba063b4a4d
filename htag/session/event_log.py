"""The events of one tab by number: which were taken and handled, and what they were answered.

A tab of wire version 2 numbers its events 1, 2, 3, … and keeps each until a snapshot has it. It may send one again, on
any connection and to any worker: here stands what makes that harmless.
"""

import time
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from htag.session.channel import Channel
from htag.snapshot.envelope import TabRecord
from htag.wire.messages import Answer, Failure, Hello, Saved, Update

MOST_ANSWERS = 500  # that are kept in memory: as many events as a browser keeps
ANSWERS_BYTES = 1 << 18  # of results among them that take more than a few bytes
RECORDED_ANSWERS = 100  # the latest, which are kept in a snapshot too
RECORDED_BYTES = 1000  # of a result there
ABSENT_SECONDS = 60.0  # a tab that is away for longer gets a full render: the journal is not kept for its sake

INTERRUPTED = "This action was interrupted when its server ended. It may have run in part, and is not run again."

SMALL = frozenset((type(None), bool, int, float))


class Kept(msgspec.Struct, gc=False):
    """What an event was answered."""

    callback_id: Any  # a text, or None, or UNSET
    result: Any  # one of SMALL, a short text, or JSON as `msgspec.Raw`
    revision: int  # a tab that shows this has had the answer
    size: int
    traceback: str | None = None  # of an error
    lost: bool | UnsetType = UNSET  # True: the result was not kept


class EventLog:
    """Counts the events of one tab, and keeps their answers while the tab may ask for them."""

    __slots__ = (
        "_answers",
        "_forgotten",
        "_running",
        "_size",
        "accepted",
        "channels",
        "done",
        "handled",
        "interrupted",
        "key",
        "left_at",
        "name",
        "next",
        "saved",
        "shown",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.key = ""
        """That of the session: `Event.idempotency_key` begins with it."""
        self.accepted = 0
        """The latest event that was taken, if only to wait for its turn."""
        self.handled = 0
        """The latest that is done."""
        self.saved = 0
        """The latest that is in a snapshot which the store has acknowledged."""
        self.interrupted = 0
        """The one that had started when the worker before this one ended; 0: none."""
        self.next = 1
        """The number of the tab's next new event, as of its latest connection."""
        self.done = 0
        """The tab has the answers up to this one, as of its latest connection."""
        self.shown: int | None = None
        """The revision that the tab has acknowledged; None: it has not said."""
        self.channels: list[Channel] = []
        """Its open channels. The last one is that which gets answers."""
        self.left_at = 0.0
        self._answers: dict[int, Kept] = {}  # by number; of one that just says that it is done, as most do, nothing
        self._forgotten = 0  # the answers up to this one may be kept no more
        self._running: dict[int, Failure] | None = None  # by number: what is answered if the handler ends early
        self._size = 0

    # -- the tab comes and goes --------------------------------------------------------------------------------------

    def greet(self, hello: Hello) -> int:
        """The tab connects, and says which events it keeps. Returns how many it knows of that are lost: no snapshot has
        them any more. It goes on after those."""
        self.next, self.done = hello.next, hello.done
        for number in [each for each in self._answers if each <= hello.done]:
            self._forget(number)
        lost = hello.oldest - 1 - self.accepted
        if lost > 0:
            self.go_on_after(hello.oldest - 1)
        return max(lost, 0)

    def go_on_after(self, number: int) -> None:
        """All events up to this one count as handled; what they were answered is not known."""
        self.accepted = self.handled = self._forgotten = number

    @property
    def channel(self) -> Channel | None:
        """The channel that gets answers; None: the tab is not there."""
        return self.channels[-1] if self.channels else None

    def leave(self, channel: Channel) -> None:
        """A channel of the tab is gone."""
        if channel in self.channels:
            self.channels.remove(channel)
            self.left_at = time.monotonic()

    @property
    def may_resume(self) -> bool:
        """Whether the tab is there, or may come back before long and ask for what it missed."""
        return bool(self.channels) or time.monotonic() - self.left_at < ABSENT_SECONDS

    # -- events ------------------------------------------------------------------------------------------------------

    def take(self, number: int) -> bool:
        """The tab sends its event `number`. True: it is the next one, and to be run; False: it was taken before. Raises
        `EventGap` where others are missing before it."""
        if number > self.accepted + 1:
            raise EventGap(self.accepted)
        if number <= self.accepted:
            return False
        self.accepted = number
        return True

    def begin(self, number: int, callback_id: str | None) -> None:
        """The handler of this event takes time."""
        if self._running is None:
            self._running = {}
        self._running[number] = Failure(INTERRUPTED, callback_id, done=number)

    def interrupt(self, number: int, revision: int) -> None:
        """The handler of this event was cancelled, if it has not ended: that is the answer."""
        if self._running and number in self._running:
            self.finish(number, self._running[number], revision)

    def finish(self, number: int, reply: Answer, revision: int) -> None:
        """The event is done, and `reply`, whose result is frozen, is the answer. `revision`: a tab that shows that has
        had it. Of one that is handled at once and has no result `handled` may be set instead: most are so."""
        if number > self.handled:
            self.handled = number
        if self._running:
            self._running.pop(number, None)
        if isinstance(reply, Update):
            result = reply.result
            size = 0 if type(result) in SMALL else _size(result)
            self._answers[number] = Kept(reply.callback_id, result, revision, size, lost=reply.lost)
        else:
            size = len(reply.traceback)
            self._answers[number] = Kept(reply.callback_id, None, revision, size, reply.traceback)
        self._size += size
        if len(self._answers) > MOST_ANSWERS or self._size > ANSWERS_BYTES:
            self._forget_oldest()

    def is_running(self, number: int) -> bool:
        """Whether the event was taken and is not done."""
        return number > self.handled or bool(self._running and number in self._running)

    def answer(self, number: int) -> Answer | None:
        """Return the answer to an event once more; without a result, and `lost`, where it was not kept. None: it is not
        done."""
        if self.is_running(number):
            return None
        kept = self._answers.get(number)
        if kept is None:
            lost = True if number <= max(self._forgotten, self.handled - MOST_ANSWERS) else UNSET
            return Update({}, [], [], None, None, done=number, lost=lost)
        if kept.traceback is not None:
            return Failure(kept.traceback, kept.callback_id, done=number)
        return Update({}, [], [], kept.callback_id, kept.result, done=number, lost=kept.lost)

    def answers(self, after: int) -> Iterator[Answer]:
        """All answers after event number `after`, in order."""
        for number in range(max(after, self.handled - MOST_ANSWERS) + 1, self.handled + 1):
            if (answer := self.answer(number)) is not None:
                yield answer

    def acknowledge(self, revision: int) -> None:
        """The tab shows `revision`: it has had the answers that came with it, or before."""
        self.shown = revision
        for number in [*self._answers]:
            if self._answers[number].revision > revision:
                return
            self._forget(number)

    def _forget_oldest(self) -> None:
        """Keep fewer answers; of those that take too much, that they were not kept."""
        while len(self._answers) > MOST_ANSWERS:
            self._forget(next(iter(self._answers)))
        for number, kept in self._answers.items():
            if self._size <= ANSWERS_BYTES:
                return
            self._size -= kept.size
            self._answers[number] = _without_result(kept)

    def _forget(self, number: int) -> None:
        self._size -= self._answers.pop(number).size
        self._forgotten = max(self._forgotten, number)

    # -- snapshots ---------------------------------------------------------------------------------------------------

    def record(self) -> TabRecord:
        """What a snapshot that is taken now keeps of this tab. It has a part of what a handler does that is running:
        that event is never run again. Where there is time, a snapshot waits until the handler is done."""
        started = max(self._running or (), default=0)
        latest = sorted(self._answers)[-RECORDED_ANSWERS:]
        known_from = latest[0] if len(latest) < len(self._answers) else self._forgotten + 1
        return TabRecord(self.name, self.handled, started, list(self._recorded(latest)), known_from)

    def _recorded(self, latest: list[int]) -> Iterator[tuple[int, bytes]]:
        for number, failure in sorted((self._running or {}).items()):
            yield number, msgspec.json.encode(failure)
        for number in latest:
            kept, answer = self._answers[number], self.answer(number)
            if kept.size > RECORDED_BYTES:
                answer = Update({}, [], [], kept.callback_id, None, done=number, lost=True)
            if answer is not None:
                yield number, msgspec.json.encode(answer)

    @classmethod
    def restored(cls, record: TabRecord, revision: int = 0) -> "EventLog":
        """The log of a tab as it was when that snapshot was taken, which the store has. `revision`: a tab that shows
        that has had all answers."""
        log = cls(record.name)
        log.go_on_after(max(record.handled, record.started))
        log.saved = record.handled
        if record.known_from:
            log._forgotten = record.known_from - 1
        for number, frame in record.results:
            log.finish(number, _decoder.decode(frame), revision)
        log.interrupted = record.started
        return log

    def confirm(self, saved: int) -> None:
        """The store has acknowledged a snapshot with all events up to `saved`: the tab is told to drop them."""
        if saved > self.saved:
            self.saved = saved
            if (channel := self.channel) is not None:
                channel.put(Saved(saved))
                channel.wake()


class EventGap(Exception):
    """A tab left out events. `last`: the latest that was taken."""

    def __init__(self, last: int) -> None:
        super().__init__(f"after event {last}")
        self.last = last


_decoder = msgspec.json.Decoder(Update | Failure)


def _without_result(kept: Kept) -> Kept:
    """What is left of `kept` where it takes too much."""
    return Kept(kept.callback_id, None, kept.revision, 0, lost=True)


def _size(result: Any) -> int:
    """The bytes of a result that is a text, or frozen; those of others are not worth counting."""
    if isinstance(result, msgspec.Raw):
        return memoryview(result).nbytes
    return len(result) if type(result) is str else 0
