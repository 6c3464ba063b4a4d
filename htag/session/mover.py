"""Lets sessions go in order: what runs in them ends, they are saved and released in one write, their tabs are told."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import NamedTuple

from htag.app import App
from htag.errors import StoreError
from htag.log.rate_limited import RateLimitedLogger
from htag.observer import Observer
from htag.session.host import Host
from htag.session.restorer import Restorer
from htag.session.saver import Ready, Saver
from htag.session.session import Session
from htag.session.snapshots import Snapshots
from htag.session.status import SessionState
from htag.session.store_access import StoreAccess
from htag.snapshot import api
from htag.tree.live import live_tree

SETTLING_SECONDS = 0.3  # for handlers, tasks that are cancelled and async `on_unmount`: another worker waits meanwhile
LOOKED_AT_SECONDS = 0.02  # between two looks whether a handler is done
PATIENCE_SECONDS = 60.0  # for a handler, where nothing waits but the next event of its session
SLICE_SECONDS = 0.005  # of taking snapshots in one go: all other sessions wait meanwhile

often = RateLimitedLogger(logging.getLogger("htag"))


class Left(NamedTuple):
    """A session that has gone from this worker, and its app, where something else in this process holds that."""

    session: Session
    held: App | None
    destroys: bool  # the app's author wrote an `on_destroy`


class Mover:
    """Moves sessions into the store, where any worker finds them."""

    def __init__(
        self,
        store: StoreAccess,
        saver: Saver,
        snapshots: Snapshots,
        restorer: Restorer,
        observer: Observer,
        host: Host,
    ) -> None:
        self._store = store
        self._saver = saver
        self._snapshots = snapshots
        self._restorer = restorer
        self._observer = observer
        self._host = host

    def can_move(self, session: Session) -> bool:
        """Whether `session` is one that may leave: a tab was there, nothing pins it, and it is not leaving already."""
        stored = session.stored
        if stored is None or stored.moving is not None or session.closed or session.outgrown:
            return False
        return session.state is not SessionState.NEW

    # -- together ------------------------------------------------------------------------------------------------------

    async def move(self, sessions: Sequence[Session], seconds: float = SETTLING_SECONDS) -> list[Left]:
        """Let `sessions` go. Returns those that have gone; the others stay, and go on. `seconds`: for what runs."""
        moving = [session for session in sessions if self.can_move(session)]
        for session in moving:
            _close_gate(session)
        left: list[Left] = []
        try:
            settled = await asyncio.gather(*(self._has_settled(session, seconds) for session in moving))
            ready = await self._prepare([session for session, has in zip(moving, settled, strict=True) if has])
            outcomes = await self._saver.write(ready, "")
            await self._leave_all([one for one in ready if outcomes.get(one.taken.session) == "saved"], left)
        finally:
            for session in moving:
                self._open_gate(session)
        return left

    async def _has_settled(self, session: Session, seconds: float) -> bool:
        """End what runs in `session`. False: that failed, so it stays; the others go."""
        try:
            await self._settle(session, seconds)
        except Exception as error:  # noqa: BLE001  # of the author's code; it is reported
            self._restorer.report("a session cannot be moved: %s", error)
            return False
        return True

    async def _settle(self, session: Session, seconds: float) -> None:
        """End what runs in `session`."""
        await self.at_rest(session, seconds)
        if not session.has_app:
            assert session.stored is not None
            if not session.stored.hooked:
                return  # it is in its snapshot as it is
            self._restorer.wake(session)
            session.asleep = True
        await session.unmount(seconds)

    async def at_rest(self, session: Session, seconds: float) -> None:
        """Wait until no handler of `session` runs, for `seconds` at most."""
        until = time.monotonic() + seconds
        # no event for it, which each slow handler would have to set
        while session.under_way and time.monotonic() < until:  # noqa: ASYNC110 — a handler's end sets no event
            await asyncio.sleep(LOOKED_AT_SECONDS)

    async def _prepare(self, sessions: list[Session]) -> list[Ready]:
        ready: list[Ready] = []
        pause = time.perf_counter() + SLICE_SECONDS
        for session in sessions:
            if (one := await self._saver.prepare(session)) is not None:
                ready.append(one)
            if time.perf_counter() > pause:
                await asyncio.sleep(0)
                pause = time.perf_counter() + SLICE_SECONDS
        return ready

    async def _leave_all(self, ready: list[Ready], left: list[Left]) -> None:
        """Have those that are saved leave; add each to `left`."""
        pause = time.perf_counter() + SLICE_SECONDS
        for one in ready:
            if not one.taken.session.closed:  # by its person, while it was saved
                left.append(self._leave(one))
            if time.perf_counter() > pause:
                await asyncio.sleep(0)
                pause = time.perf_counter() + SLICE_SECONDS

    def _leave(self, one: Ready) -> Left:
        session = one.taken.session
        destroys = self._snapshots.entity.on_destroy is not App.on_destroy
        held = self.release_app(session, one.data) if session.has_app else None
        self._host.let_go(session)
        return Left(session, held, destroys)

    def release_app(self, session: Session, data: bytes, *, weakly: bool = False) -> App | None:
        """Have the app of `session` leave memory; `data` is its snapshot. Returns it where something else holds it, be
        it `weakly`."""
        app = session.put_to_sleep(data)
        if api.is_held(app, weakly=weakly):
            return app
        live_tree(app).dispose()
        return None

    def _open_gate(self, session: Session) -> None:
        """Those who wait for `session` go on: it has gone, or it stays."""
        assert session.stored is not None
        moving, session.stored.moving = session.stored.moving, None
        if not session.closed and session.has_app:
            session.asleep = False
            session.resume(unmounts=False)
            session.start_hooks()
        if moving is not None and not moving.done():
            moving.set_result(None)

    async def turn_over(self, session: Session) -> None:
        """Move `session` into its snapshot and back here, as if its worker had been replaced."""
        if not self.can_move(session) or session.asleep:
            return
        _close_gate(session)
        try:
            await self._settle(session, PATIENCE_SECONDS)
            ready = await self._saver.prepare(session)
            if ready is not None:
                self.release_app(session, ready.data)
                self._restorer.wake(session)
                session.note_change()
        finally:
            self._open_gate(session)

    # -- asked by another worker ---------------------------------------------------------------------------------------

    async def hand_over(self, session_id: str, *, insist: bool) -> str:
        """Let the session go, because another worker asks for it. Returns released, kept or unknown.

        One that tabs are connected to is kept, unless `insist`, or unless this worker drains."""
        session = self._host.get(session_id)
        if session is None or session.stored is None:
            return "unknown"
        if session.id != session_id:
            return "kept"  # under an id of a moment ago: what the store has there is about to be dropped, not taken
        if session.stored.moving is not None:
            await asyncio.shield(session.stored.moving)
            return "released" if session.closed else "kept"
        if session.channels and not insist and not self._host.draining:
            return "kept"
        if not await self.move([session]):
            return "unknown" if session.closed else "kept"
        self._observer.session_moved("handed_over")
        return "released"

    # -- refused by the store ------------------------------------------------------------------------------------------

    async def refused(self, session: Session) -> None:
        """The store has refused a save of `session`: another worker has it, or this one by a claim that it has not
        heard of; then it is claimed and saved once more. Refused again, it is given up."""
        stored = session.stored
        if session.closed or stored is None:
            return
        if not stored.reclaimed:
            try:
                if await self._reclaim(session):
                    return
            except StoreError:
                session.note_change()  # and then the same again
                return
        if not session.closed:
            self._concede(session)

    async def _reclaim(self, session: Session) -> bool:
        stored = session.stored
        assert stored is not None
        record = await self._store.peek(session.id)
        if record is None or record.owner != self._snapshots.owner:
            return False
        claimed = await self._store.claim(session.id, self._snapshots.owner)
        if claimed is None or session.closed:
            return False
        stored.generation, stored.reclaimed = claimed.generation, True
        await self._saver.save_now([session], self._snapshots.owner)  # refused again: `refused` is called again
        return True

    def _concede(self, session: Session) -> None:
        """Give up our copy of a session that another worker has."""
        connected = bool(session.channels)
        often.warning("a session was taken over by another worker, this one's copy is given up")
        self._observer.session_superseded(connected)
        self._host.let_go(session)


def _close_gate(session: Session) -> None:
    """From now on messages wait: `SessionRegistry.wake` is what they wait for."""
    assert session.stored is not None
    session.asleep = True
    session.stored.moving = asyncio.get_running_loop().create_future()
