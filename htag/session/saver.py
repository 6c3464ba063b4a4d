"""Saves sessions behind the events: those that have changed, together, a moment after the first of them did."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context
from itertools import islice
from typing import NamedTuple

from htag.errors import NotAllSaved, StoreError
from htag.limits import Limits
from htag.log.redaction import in_full, in_short, without_messages
from htag.observer import Observer
from htag.session.budget import Budget
from htag.session.session import Session
from htag.session.snapshots import Snapshots, Taken, confirm_tabs
from htag.session.status import SessionState
from htag.session.store_access import StoreAccess
from htag.session.stored import Stored
from htag.snapshot.errors import Pinned
from htag.stores.base import Save

logger = logging.getLogger("htag")

TICK_SECONDS = 0.3  # from the first change to the save of all: what a person does in a moment is one save
FIRST_SECONDS = 0.05  # to the first save of a session: until then it ends with its worker, and its page loads again
MOST_SECONDS = 5.0  # between two attempts while the store is down; and for a handler, then it is marked as started
SLICE_SECONDS = 0.005  # of taking snapshots in one go: all other sessions wait meanwhile
TOGETHER_BYTES = 256 << 10  # in one call of the store: the first of them do not wait for many, which take memory
DROPPED_TOGETHER = 50  # sessions that are over, in one round
SMALL_BYTES = 64 << 10  # compressed on the event loop: handing it to a thread takes longer

PINNED = (
    "%s cannot be saved: it lives in this process only, and ends with it. %s. Make such things in on_mount and let "
    "them go in on_unmount, or leave them out by __getstate__ (docs/what-survives.md)"
)


class Ready(NamedTuple):
    """A snapshot for the store, and the seconds of the event loop that it took."""

    taken: Taken
    data: bytes
    seconds: float


class Saver:
    """Keeps what is to be saved until the store has acknowledged it. One round at a time, for the order of writes."""

    def __init__(
        self,
        store: StoreAccess,
        snapshots: Snapshots,
        limits: Limits,
        observer: Observer,
        refused: Callable[[Session], Awaitable[None]],
    ) -> None:
        """`refused`: is called with a session whose save the store has refused."""
        self._store = store
        self._snapshots = snapshots
        self._limits = limits
        self._observer = observer
        self._refused = refused
        self._budget = Budget(limits.save_share)
        self.dirty: dict[Session, None] = {}
        """Have changed since their snapshot was taken, the one that waits for longest first."""
        self._drops: dict[str, int] = {}
        self._writing = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._round: asyncio.Task[None] | None = None
        self._asides: set[asyncio.Task[None]] = set()
        self._pause = TICK_SECONDS
        self._failing = False

    # -- told ----------------------------------------------------------------------------------------------------------

    def note(self, session: object) -> None:
        """`session` has changed. It is saved soon, unless no tab has ever connected to it."""
        assert isinstance(session, Session)
        if session in self.dirty:
            return
        if session.state is not SessionState.NEW and not session.closed:
            self.dirty[session] = None
            if session.stored is not None and not session.stored.unsaved_since:
                session.stored.unsaved_since = time.monotonic()
            self._arm(self._pause)

    def hasten(self) -> None:
        """A session that the store does not have yet is dirty: a round begins soon."""
        if self._pause == TICK_SECONDS and self._timer is not None:
            if self._timer.when() - asyncio.get_running_loop().time() <= FIRST_SECONDS:
                return
            self._timer.cancel()
            self._timer = None
            self._arm(FIRST_SECONDS)

    def drop(self, session_id: str, generation: int) -> None:
        """The session is over: the store is to forget it."""
        self._drops[session_id] = max(generation, self._drops.get(session_id, 0))
        self._arm(self._pause)

    def forget(self, session: Session) -> None:
        """`session` is over, or has gone: there is nothing to save any more."""
        self.dirty.pop(session, None)

    async def stop(self) -> None:
        """Make the drops that wait, and save no more. What is dirty stays so."""
        if self._round is not None:
            await asyncio.gather(self._round, return_exceptions=True)
        async with self._writing:
            while self._drops and await self._make_drops():
                pass
        for task in [*self._asides]:
            await asyncio.gather(task, return_exceptions=True)
        self.dirty.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- in rounds -----------------------------------------------------------------------------------------------------

    def _arm(self, seconds: float) -> None:
        if self._timer is None and self._round is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self._begin, context=Context())

    def _begin(self) -> None:
        self._timer = None
        self._round = asyncio.get_running_loop().create_task(self._save_due(), context=Context())
        self._round.add_done_callback(self._end, context=Context())

    def _end(self, task: asyncio.Task[None]) -> None:
        self._round = None
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a round of saving failed", exc_info=error)
        if self.dirty or self._drops:
            self._arm(self._pause)

    async def _save_due(self) -> None:
        async with self._writing:
            await self._save_dirty()
            await self._make_drops()

    async def _save_dirty(self) -> None:
        await self._save([session for session in self.dirty if _is_new(session)], lambda: True)
        await self._save([*self.dirty], lambda: self._budget.allows(time.monotonic()))

    async def _save(self, sessions: list[Session], may_go_on: Callable[[], bool]) -> None:
        ready: list[Ready] = []
        size = 0
        pause = time.perf_counter() + SLICE_SECONDS
        for session in sessions:
            if not may_go_on():
                break
            if session in self.dirty and self._is_due(session) and (one := await self._prepare(session)):
                ready.append(one)
                size += len(one.data)
            if size > TOGETHER_BYTES:
                await self._write(ready)
                ready, size = [], 0
            if time.perf_counter() > pause:
                await asyncio.sleep(0)
                pause = time.perf_counter() + SLICE_SECONDS
        await self._write(ready)

    def _is_due(self, session: Session) -> bool:
        """Whether it is time for `session`: no handler is in the middle of something, or for too long already."""
        now = time.monotonic()
        stored = session.stored
        if session.closed or stored is None:
            self.forget(session)
            return False
        if stored.moving is not None or stored.not_before > now:
            return False
        return not session.under_way or now - session.busy_since > MOST_SECONDS

    # -- at once -------------------------------------------------------------------------------------------------------

    async def save_now(self, sessions: Sequence[Session], owner: str) -> dict[Session, str]:
        """Save `sessions` in one call of the store, for `owner`. Returns the outcome of each, as `snapshot_made` has
        it. Waits for its turn, so that no earlier save of theirs comes later."""
        async with self._writing:
            ready = [one for session in sessions if (one := await self._prepare(session))]
            outcomes = dict.fromkeys(sessions, "pinned")
            outcomes.update(await self._write(ready, owner))
            return outcomes

    async def write(self, ready: Iterable[Ready], owner: str) -> dict[Session, str]:
        """Save what was prepared by `prepare`."""
        async with self._writing:
            return await self._write([*ready], owner)

    async def prepare(self, session: Session) -> Ready | None:
        """Take the snapshot of `session`. None: that cannot be."""
        return await self._prepare(session)

    # -- both ----------------------------------------------------------------------------------------------------------

    async def _prepare(self, session: Session) -> Ready | None:
        started = time.perf_counter()
        taken = self._take(session)
        if taken is None:
            self._charge(session, started)
            return None
        if len(taken.payload) <= SMALL_BYTES:
            data = self._snapshots.seal(taken)
            seconds = self._charge(session, started)
        else:
            seconds = self._charge(session, started)
            data = await asyncio.to_thread(self._snapshots.seal, taken)
        if len(data) > self._limits.snapshot_bytes:
            self._observer.snapshot_made("too_large", len(data), seconds)
            bound = self._limits.snapshot_bytes
            self._pin(session, f"{type(session.app).__name__}: its snapshot has {len(data)} bytes, more than {bound}")
            return None
        if session.stored is not None:
            session.stored.pinned = ""
        return Ready(taken, data, seconds)

    def _take(self, session: Session) -> Taken | None:
        self.dirty.pop(session, None)
        started = time.perf_counter()
        try:
            return self._snapshots.take(session)
        except Pinned as pinned:
            reason = str(pinned)
        except Exception as error:
            # of the author's `__getstate__`, or because a thread changes the tree meanwhile
            logger.debug("a snapshot failed", exc_info=without_messages(error))
            said = in_full(error) if session.app.debug else in_short(error)  # the former may quote what was typed
            reason = f"{type(session.app).__name__}: {said}"
        self._pin(session, reason)
        self._observer.snapshot_made("pinned", 0, time.perf_counter() - started)
        return None

    def _charge(self, session: Session, started: float) -> float:
        seconds = time.perf_counter() - started
        paid = self._budget.spend(seconds, time.monotonic())
        if session.stored is not None:
            session.stored.not_before = paid
        return seconds

    def _pin(self, session: Session, reason: str) -> None:
        """Note why `session` cannot be saved: it is tried again after its next change."""
        session.clean = True
        if session.stored is not None:
            session.stored.unsaved_since = 0.0  # it waits for nothing
        if session.stored is not None and session.stored.pinned != reason:
            session.stored.pinned = reason
            session.failures.log(logging.WARNING, PINNED, type(session.app).__name__, reason)

    async def _write(self, ready: list[Ready], owner: str | None = None) -> dict[Session, str]:
        """Save what is `ready`. Returns the outcome of each."""
        owner = self._snapshots.owner if owner is None else owner
        current = [one for one in ready if one.taken.session.stored is not None and not one.taken.session.closed]
        if not current:
            return {}
        generations = [_generation(one) for one in current]
        saves = [
            Save(one.taken.session_id, generation, owner, one.data)
            for one, generation in zip(current, generations, strict=True)
        ]
        outcomes: dict[Session, str] = {}
        accepted: Sequence[bool | None]
        try:
            accepted = await self._store.save(saves)
            self._pause, self._failing = TICK_SECONDS, False
        except NotAllSaved as error:
            accepted = error.saved
            outcomes = self._without_room(
                [one for one, kept in zip(current, accepted, strict=True) if kept is None], error
            )
        except StoreError as error:
            self._pause = min(self._pause * 2, MOST_SECONDS)
            return self._failed(current, error)
        for one, kept, generation in zip(current, accepted, generations, strict=True):
            if kept is not None:
                outcomes[one.taken.session] = self._acknowledged(one, kept, generation)
        return outcomes

    def _failed(self, ready: list[Ready], error: StoreError) -> dict[Session, str]:
        """The store did not take what is `ready`: it stays dirty, and is tried again."""
        self._observer.snapshot_made("failed", 0, 0.0)
        if not self._failing:
            self._failing = True
            logger.warning("sessions are not saved for now, and live in this process only: %s", error)
        for one in ready:
            one.taken.session.note_change()
        return {one.taken.session: "failed" for one in ready}

    def _without_room(self, ready: list[Ready], error: StoreError) -> dict[Session, str]:
        """The store has no room for these sessions, which wait for longer; the others do not."""
        self._pause = TICK_SECONDS
        for one in ready:
            if one.taken.session.stored is not None:
                one.taken.session.stored.not_before = time.monotonic() + MOST_SECONDS
        return self._failed(ready, error)

    def _acknowledged(self, one: Ready, kept: bool, generation: int) -> str:
        session, stored = one.taken.session, one.taken.session.stored
        outcome = "saved" if kept else "refused"
        self._observer.snapshot_made(outcome, len(one.data), one.seconds)
        if session.closed or stored is None or stored.generation != generation:
            return outcome
        if not kept:
            self.aside(self._refused(session))
            return outcome
        stored.in_store, stored.reclaimed, stored.quiet_since = True, False, time.monotonic()
        stored.unsaved_since = 0.0 if session.clean else stored.quiet_since
        if session.id == one.taken.session_id:
            self._drop_former(stored, generation)
        confirm_tabs(session, one.taken.header.tabs)
        return outcome

    def _drop_former(self, stored: Stored, generation: int) -> None:
        """The store has a session under its present id: it is to forget it under those before, unless its browser may
        still say one of them."""
        if time.monotonic() >= stored.former_until:
            for former in stored.former:
                self.drop(former, generation)
            stored.former = ()

    def aside(self, work: Awaitable[object]) -> asyncio.Task[None]:
        """Do `work` in a task, which `stop` waits for."""

        async def run() -> None:
            await work

        task = asyncio.get_running_loop().create_task(run(), context=Context())
        self._asides.add(task)
        task.add_done_callback(self._aside_done, context=Context())
        return task

    def _aside_done(self, task: asyncio.Task[None]) -> None:
        self._asides.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("work on a session failed", exc_info=error)

    async def _make_drops(self) -> bool:
        """Make some of the drops, together: a slow store is not asked for one after the other while saves wait. False:
        it does not answer."""
        some = [*islice(self._drops.items(), DROPPED_TOGETHER)]
        outcomes = await asyncio.gather(*(self._store.drop(*each) for each in some), return_exceptions=True)
        for (session_id, generation), outcome in zip(some, outcomes, strict=True):
            if isinstance(outcome, StoreError):
                self._pause = min(self._pause * 2, MOST_SECONDS)
                return False
            if isinstance(outcome, BaseException):
                raise outcome
            if self._drops.get(session_id) == generation:
                del self._drops[session_id]
        return True


def _is_new(session: Session) -> bool:
    """Whether `session` ends with its worker, and no save of it was tried yet. The first one waits for no share of the
    time, which others use up while a crowd comes to a slow machine; where it fails, the next ones do."""
    stored = session.stored
    return stored is not None and not (stored.in_store or stored.not_before)


def _generation(one: Ready) -> int:
    assert one.taken.session.stored is not None
    return one.taken.session.stored.generation
