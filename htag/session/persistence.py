"""Sessions outlive their worker: composes what saves them, finds them elsewhere, parks them, and lets them go."""

import asyncio
import logging
import secrets
import time
from contextvars import Context

from htag.app import App
from htag.errors import StoreError
from htag.limits import Limits
from htag.observer import Observer
from htag.session.drain import Drain
from htag.session.host import Host
from htag.session.mover import Mover
from htag.session.parker import Parker, is_idle
from htag.session.restless_session import RestlessSession
from htag.session.restorer import Maker, Restorer
from htag.session.saver import MOST_SECONDS, Saver
from htag.session.session import Session
from htag.session.snapshots import Snapshots
from htag.session.status import SessionState
from htag.session.store_access import StoreAccess
from htag.session.stored import Stored, first_generation
from htag.session.takeover import Ask, TakeOver
from htag.stores.base import Store
from htag.stores.memory import MemoryStore

CLOSING_SECONDS = 2.0  # to move sessions out where nothing has drained the worker before
PULSE_SECONDS = 2.0  # between two looks whether the store is what it was
TOUCHED_TOGETHER = 500
TOUCHES = 8  # within a session's time to live in the store, of one that lives and has nothing to save

RENEWED_SECONDS = 2.0  # for the store to have a session under its new id, before its browser is told of that
LEAST_BYTES = 16 << 10  # that a session frees which has not been measured yet

LOST = "the store has lost data, or is an older copy of itself: %d sessions are saved again"

logger = logging.getLogger("htag")


class Persistence:
    """What a worker does so that its sessions can go on elsewhere."""

    def __init__(
        self,
        store: Store,
        entity: type[App],
        key: bytes,
        maker: Maker,
        limits: Limits,
        observer: Observer,
        host: Host,
    ) -> None:
        """`key`: seals snapshots; workers that share it read each other's."""
        self._limits = limits
        self._host = host
        self._observer = observer
        self.boot = secrets.token_hex(4)
        """The name of this very process: another one may have its address some day."""
        self._store = StoreAccess(store)
        self._snapshots = Snapshots(entity, key)
        self._snapshots.owner = f"/{self.boot}"
        self.saver = Saver(self._store, self._snapshots, limits, observer, self._refused)
        self.restorer = Restorer(self._snapshots, maker, observer, host.adopt, self.saver)
        self._mover = Mover(self._store, self.saver, self._snapshots, self.restorer, observer, host)
        self.parker = Parker(
            self._store, self.saver, self._snapshots, self.restorer, self._mover, limits, observer, host
        )
        self._takeover = TakeOver(self._store, self._snapshots, self.restorer, observer, self.parker.living)
        self._outlives = not isinstance(store, MemoryStore)  # else its sessions are over when this process is
        self._drain = Drain(self._mover, observer, host, None if self._outlives else self.parker.remember)
        self._keeper: asyncio.Task[None] | None = None
        self._relief: asyncio.Task[None] | None = None
        self._pulse = 0
        self._touched_at = time.monotonic()
        self._generations: dict[str, int] = {}

    # -- this worker ---------------------------------------------------------------------------------------------------

    @property
    def owner(self) -> str:
        """What this worker is called, as `ip:port/boot`; without the address as long as that is not known."""
        return self._snapshots.owner

    def located(self, address: str) -> None:
        """Other workers reach this one at `address`, as `ip:port`."""
        self._snapshots.owner = f"{address}/{self.boot}"

    def ask_by(self, ask: Ask) -> None:
        """Other workers are asked by `ask` to let go of a session."""
        self._takeover.ask = ask

    # -- sessions come and go ------------------------------------------------------------------------------------------

    def opened(self, session: Session) -> None:
        """Persist `session`, which was opened here."""
        generation = first_generation(self._generations.pop(session.id, 0) + 1)
        session.stored = Stored(self.saver, generation)
        self.adopted(session)

    def adopted(self, session: Session) -> None:
        """Persist `session`, which was restored."""
        if isinstance(session, RestlessSession):
            session.turn = self._turn
        self.parker.forget(session.id)
        self.keep()

    def connected(self, session: Session) -> None:
        """A tab of `session` connects: from the first one on, it is saved."""
        if session.stored is not None and not session.stored.in_store:
            session.note_change()
            self.saver.hasten()

    def renamed(self, session: Session, former: str, seconds: float) -> None:
        """`session` has another id from now on. The store keeps the `former` one for so many seconds: its browser may
        not have heard of the new one when this worker ends."""
        if session.stored is not None:
            session.stored.former = (*session.stored.former, former)
            session.stored.former_until = time.monotonic() + seconds
            session.note_change()

    def former_over(self, session: Session) -> None:
        """The time of a former id of `session` is over: the store drops it."""
        if not session.closed:
            session.note_change()

    async def keep_renewed(self, session: Session) -> None:
        """Wait until the store has `session` under its new id. Not for long: while the store is down, it has nothing of
        what was done lately in any session."""
        await self._mover.at_rest(session, MOST_SECONDS)
        if session.stored is not None and session.stored.former and session.state is not SessionState.NEW:
            saving = self.saver.aside(self.saver.save_now([session], self.owner))
            await asyncio.wait({saving}, timeout=RENEWED_SECONDS)

    def left(self, session: Session) -> None:
        """`session` goes on elsewhere."""
        self.saver.forget(session)

    def ended(self, session: Session, *, drops: bool) -> None:
        """`session` is over. `drops`: for good."""
        self.saver.forget(session)
        stored = session.stored
        if stored is None or not drops:
            return
        self._generations[session.id] = stored.generation
        if len(self._generations) > TOUCHED_TOGETHER:
            del self._generations[next(iter(self._generations))]
        for session_id in (session.id, *stored.former):
            if stored.in_store:
                self.saver.drop(session_id, stored.generation)

    # -- asked ---------------------------------------------------------------------------------------------------------

    async def find(self, session_id: str, *, insist: bool) -> Session | None:
        """Take over the session that this worker does not have. Raises `HeldElsewhere`, `SessionUnreachable`."""
        return await self._takeover.find(session_id, insist=insist)

    async def wake(self, session: Session) -> None:
        """Bring the tree of `session` back into memory, or wait until it has gone: then the session is closed."""
        while session.asleep and not session.closed and session.stored is not None:
            if session.stored.moving is not None:
                await asyncio.shield(session.stored.moving)
            else:
                self._wake(session)

    def _wake(self, session: Session) -> None:
        try:
            self.restorer.wake(session)
        except Exception as error:  # noqa: BLE001  # of the author's code; it is reported
            self.restorer.report("a session cannot be woken, and ends: %s", error)
            self._observer.session_restored("failed", 0.0)
            self._host.end(session, "expired")

    async def handed_over(self, session_id: str, boot: str, *, insist: bool) -> str:
        """Another worker asks for the session. Returns released, kept or unknown."""
        return "unknown" if boot != self.boot else await self._mover.hand_over(session_id, insist=insist)

    async def move_out(self, seconds: float) -> int:
        """Move all sessions into the store within `seconds`. Returns how many stay."""
        return await self._drain.move_out(seconds)

    def can_park(self, session: Session, reason: str) -> bool:
        """Whether it is worth trying to park `session`. `reason`: pinned, where it was tried before."""
        stored = session.stored
        return stored is not None and (reason != "pinned" or (self.store_up and not stored.pinned))

    def restore_app(self, session: Session) -> None:
        """Bring the tree of `session`, which is about to end, back into memory, so that its last hooks run."""
        try:
            self.restorer.wake(session)
        except Exception as error:  # noqa: BLE001  # of the author's code; it is reported
            self.restorer.report("a session ends without its last hooks: %s", error)

    async def close(self) -> None:
        """Move out what can be moved, and save no more. Those that stay without being in the store are to be ended."""
        if self._keeper is not None:
            self._keeper.cancel()
            self._keeper = None
        if self._outlives:
            await self.move_out(CLOSING_SECONDS)
            for session in [*self._host.sessions.values()]:
                if session.stored is not None and session.stored.in_store:
                    self._host.let_go(session)  # an earlier snapshot goes on elsewhere
        else:
            await self.parker.end_all()
        await self.saver.stop()

    @property
    def store_up(self) -> bool:
        """Whether the store answered the last call."""
        return self._store.down_since is None

    def counts(self) -> dict[str, int]:
        """Count the sessions that are saved, dirty (have changed since; also those that are on their way to the store),
        pinned and asleep."""
        persisted = [session.stored for session in self._host.sessions.values() if session.stored is not None]
        free = [stored for stored in persisted if not stored.pinned]
        saved = sum(1 for stored in free if stored.in_store and not stored.unsaved_since)
        dirty = sum(1 for stored in free if stored.unsaved_since)
        asleep = sum(1 for session in self._host.sessions.values() if session.asleep)
        return {"saved": saved, "dirty": dirty, "pinned": len(persisted) - len(free), "asleep": asleep}

    def unsaved_seconds(self) -> float:
        """For how long the session that waits longest for its save has waited; 0 where none waits."""
        persisted = [session.stored for session in self._host.sessions.values() if session.stored is not None]
        since = min((stored.unsaved_since for stored in persisted if stored.unsaved_since), default=0.0)
        return time.monotonic() - since if since else 0.0

    def relieve_soon(self, wanted: int) -> None:
        """Call `relieve` in the background, unless that is going on."""
        if self._relief is None or self._relief.done():
            self._relief = asyncio.get_running_loop().create_task(self._relieve(wanted), context=Context())

    async def _relieve(self, wanted: int) -> None:
        """Have sessions leave memory until about `wanted` bytes are free: those without tabs first, then those in which
        nothing happens, the longest ones first."""
        now = time.monotonic()
        sessions = sorted(self._host.sessions.values(), key=lambda each: each.stored.quiet_since if each.stored else 0)
        for session in sessions:
            if wanted <= 0:
                return
            if not session.channels and self._mover.can_move(session):
                wanted -= max(session.size, LEAST_BYTES)
                self.parker.park(session, "pressure")
        for session in sessions:
            if wanted > 0 and is_idle(session, now):
                wanted -= await self.parker.put_to_sleep([session], "pressure")

    # -- in the background ---------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Look after the store and the sessions, as long as there are any."""
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.get_running_loop().create_task(self._keep(), context=Context())

    async def _keep(self) -> None:
        while self._host.sessions or self.parker.parked:
            await asyncio.sleep(PULSE_SECONDS)
            try:
                await self._beat()
            except StoreError:
                continue  # it is known to be down: `store_up`
            except Exception:
                logger.exception("the sessions' background work failed, and goes on")

    async def _beat(self) -> None:
        await self._feel_pulse()
        await self._touch()
        await self.parker.look_round()
        await self.parker.end_overdue()

    async def _feel_pulse(self) -> None:
        pulse = await self._store.pulse()
        before, self._pulse = self._pulse, pulse
        if pulse > before:
            return
        again = [session for session in self._host.sessions.values() if session.stored and session.stored.in_store]
        logger.warning(LOST, len(again))
        for session in again:
            session.note_change()

    async def _touch(self) -> None:
        """Sessions that have nothing to save stay in the store, as long as they are here."""
        apart = self._limits.stored_seconds / TOUCHES
        now = time.monotonic()
        if now - self._touched_at < apart:
            return
        self._touched_at = now
        quiet = [
            session_id
            for session_id, session in self._host.sessions.items()
            if session.stored is not None and session.stored.in_store and now - session.stored.quiet_since > apart
        ]
        for start in range(0, len(quiet), TOUCHED_TOGETHER):
            await self._store.touch(quiet[start : start + TOUCHED_TOGETHER])

    async def _refused(self, session: Session) -> None:
        await self._mover.refused(session)

    def _turn(self, session: Session) -> None:
        self.saver.aside(self._mover.turn_over(session))
