"""Sessions leave memory: those that all tabs have left, into the store; those that are idle, where their tabs stay."""

import asyncio
import logging
import time
import weakref
from collections.abc import Iterable
from contextvars import Context
from typing import NamedTuple

from htag.app import App
from htag.errors import StoreError
from htag.limits import Limits
from htag.observer import Observer
from htag.process.collector import collector
from htag.session.host import Host
from htag.session.mover import Left, Mover
from htag.session.restorer import Restorer
from htag.session.saver import Saver
from htag.session.session import Session
from htag.session.snapshots import Snapshots
from htag.session.store_access import StoreAccess
from htag.stores.base import Record

TOGETHER = 50  # sessions that are parked in one write
LOOKED_AT = 500  # sessions at a time, whether they are idle
SLICE_SECONDS = 0.005  # of putting sessions to sleep in one go
LAST = 0.95  # of its time in the store, after which it is ended: later there would be nothing to run `on_destroy` of
MOST_PARKED = 100_000  # that are remembered, 32 MB: of those before them the store alone knows, and ends them unheard
DESTROYED_TOGETHER = 20  # sessions at a time whose time is over, and whose app has an `on_destroy` …
FORGOTTEN_TOGETHER = 5000  # … or not: then it is one less to be remembered

logger = logging.getLogger("htag")


class Parked(NamedTuple):
    """What is known of a session that was parked here."""

    until: float  # monotonic clock: then its time is over
    generation: int
    app: "weakref.ref[App] | None"  # where something in this process holds the app: it is taken back, never made twice
    destroys: bool


class Parker:
    """Parks sessions, and ends those that were not asked for again in time."""

    def __init__(
        self,
        store: StoreAccess,
        saver: Saver,
        snapshots: Snapshots,
        restorer: Restorer,
        mover: Mover,
        limits: Limits,
        observer: Observer,
        host: Host,
    ) -> None:
        self._store = store
        self._saver = saver
        self._snapshots = snapshots
        self._restorer = restorer
        self._mover = mover
        self._limits = limits
        self._observer = observer
        self._host = host
        self.parked: dict[str, Parked] = {}
        """By id, the one that was parked first at the beginning. Another worker may have taken one since."""
        self._leaving: dict[Session, str] = {}
        self._work: asyncio.Task[None] | None = None
        self._round: list[Session] = []

    # -- without tabs --------------------------------------------------------------------------------------------------

    def park(self, session: Session, reason: str) -> None:
        """Have `session`, which has no tab, leave for the store before long. `Host.stays` is called if it cannot."""
        self._leaving[session] = reason
        if self._work is None:
            self._work = asyncio.get_running_loop().create_task(self._park_all(), context=Context())
            self._work.add_done_callback(self._done, context=Context())

    def forget(self, session_id: str) -> None:
        """The session is here again, or another one has its id."""
        self.parked.pop(session_id, None)

    def living(self, session_id: str, record: Record) -> App | None:
        """Return the app of a parked session that still lives in this process, if it is what `record` holds."""
        parked = self.parked.get(session_id)
        if parked is None or parked.app is None or parked.generation != record.generation:
            return None
        return parked.app()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work = None
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("sessions could not be parked", exc_info=error)

    async def _park_all(self) -> None:
        while self._leaving:
            batch = dict([*self._leaving.items()][:TOGETHER])
            for session in batch:
                del self._leaving[session]
            there = [session for session in batch if not session.channels and not session.closed]
            gone = {left.session: left for left in await self._mover.move(there)}
            for session in there:
                if session in gone:
                    self._note(gone[session], batch[session])
                elif not session.closed:
                    self._host.stays(session)
        collector.tidy()

    def _note(self, left: Left, reason: str) -> None:
        self.remember(left)
        self._observer.session_parked(reason)

    def remember(self, left: Left) -> None:
        """Note a session that has left for the store, and that ends there if it is not asked for again."""
        assert left.session.stored is not None
        app = None if left.held is None else weakref.ref(left.held)
        until = time.monotonic() + self._limits.stored_seconds * LAST
        self.parked[left.session.id] = Parked(until, left.session.stored.generation, app, left.destroys)
        if len(self.parked) > MOST_PARKED:
            del self.parked[next(iter(self.parked))]

    # -- with tabs -----------------------------------------------------------------------------------------------------

    async def look_round(self) -> None:
        """Put to sleep those of the next LOOKED_AT sessions in which nothing has happened for long enough."""
        if not self._limits.idle_seconds:
            return
        if not self._round:
            self._round = [*self._host.sessions.values()]
        looked_at, self._round = self._round[-LOOKED_AT:], self._round[:-LOOKED_AT]
        before = time.monotonic() - self._limits.idle_seconds
        if await self.put_to_sleep([session for session in looked_at if is_idle(session, before)], "idle"):
            collector.give_back()

    async def put_to_sleep(self, sessions: Iterable[Session], reason: str) -> int:
        """Put `sessions` to sleep, which `is_idle`. Returns the bytes that they took, estimated."""
        freed = 0
        pause = time.perf_counter() + SLICE_SECONDS
        for session in sessions:
            freed += await self._put_to_sleep(session, reason)
            if time.perf_counter() > pause:
                await asyncio.sleep(0)
                pause = time.perf_counter() + SLICE_SECONDS
        return freed

    async def _put_to_sleep(self, session: Session, reason: str) -> int:
        stored = session.stored
        if stored is None or not is_idle(session, time.monotonic()):
            return 0
        ready = await self._saver.prepare(session)
        if ready is None or not is_idle(session, time.monotonic()):
            return 0  # or something has happened while it was compressed
        stored.quiet_since = time.monotonic()  # then it is looked at again
        # weakly: a module's State, or its WeakSet of rooms' guests, would not reach the tabs that are there
        app = self._mover.release_app(session, ready.data, weakly=True)
        if app is not None:
            session.wake_up(app)
            return 0
        freed, session.size = max(0, session.size - len(ready.data)), len(ready.data)
        session.note_change()  # what a thread has changed without a word is saved as well
        self._observer.session_parked(reason)
        return freed

    # -- for good ------------------------------------------------------------------------------------------------------

    async def end_overdue(self) -> None:
        """End some of those sessions whose time is over."""
        now, destroyed = time.monotonic(), 0
        for _ in range(FORGOTTEN_TOGETHER):
            session_id, parked = next(iter(self.parked.items()), ("", None))
            if parked is None or parked.until > now or destroyed == DESTROYED_TOGETHER:
                return
            del self.parked[session_id]
            if parked.destroys:
                destroyed += 1
                try:
                    await self._destroy(session_id, parked)
                except StoreError:
                    later = now + self._limits.stored_seconds / 24
                    self.parked[session_id] = Parked(later, parked.generation, parked.app, parked.destroys)
                    return

    async def end_all(self) -> None:
        """End all parked sessions whose app has an `on_destroy`: the store ends with this process."""
        for session_id, parked in [*self.parked.items()]:
            if parked.destroys:
                await self._destroy(session_id, parked)
        self.parked.clear()

    async def _destroy(self, session_id: str, parked: Parked) -> None:
        """Run the app's `on_destroy`, unless another worker has had the session since."""
        record = await self._store.peek(session_id)
        if record is None or record.owner or record.generation != parked.generation:
            return
        claimed = await self._store.claim(session_id, self._snapshots.owner)
        if claimed is None or claimed.owner or self._host.get(session_id) is not None:
            return
        app = None if parked.app is None else parked.app()
        session = self._restorer.restore(session_id, claimed, clean=True, app=app, mounts=False)
        if session is not None:
            self._host.end(session, "expired", unmounts=False)


def is_idle(session: Session, before: float) -> bool:
    """Whether nothing has happened in `session` since `before` (monotonic clock), nothing runs, and all is saved."""
    stored = session.stored
    if stored is None or session.asleep or session.closed or not session.clean or stored.pinned:
        return False
    if not stored.in_store or stored.moving is not None or stored.quiet_since > before or session.busy:
        return False
    return not session.unfinished and not session.live.hooks.pending and not session.renewing
