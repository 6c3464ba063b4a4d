"""Finds a session that this worker does not have: in the store, and at the worker that holds it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import NamedTuple

from htag.app import App
from htag.errors import HtagError, StoreError
from htag.log.rate_limited import RateLimitedLogger
from htag.observer import Observer
from htag.session.restorer import Restorer
from htag.session.session import Session
from htag.session.snapshots import Snapshots
from htag.session.store_access import StoreAccess
from htag.session.whereabouts import HeldElsewhere, SessionUnreachable
from htag.snapshot.errors import Forged
from htag.stores.base import Record, Save

HANDOVER_SECONDS = 0.7  # for the holder to flush and let go: a person waits meanwhile
INSIST_SECONDS = 3.0  # between two take-overs of one session by force: two tabs must not pull it to and fro
PATIENCE_SECONDS = 30.0  # of the store's silence, during which known visitors wait; then they begin anew
FAILED_SECONDS = 60.0  # before a session that could not be loaded is tried again
REMEMBERED = 1000  # ids, for these

logger = logging.getLogger("htag")
often = RateLimitedLogger(logger)

Living = Callable[[str, Record], App | None]
Ask = Callable[[str, str, bool], Awaitable[str]]  # owner, session id, insist → released, kept, unknown, or raises


class Way(NamedTuple):
    """How this worker came to a session."""

    name: str  # as `Observer.session_taken_over` has it
    clean: bool  # its last holder saved it and let go


class TakeOver:
    """Looks sessions up, one lookup at a time for each."""

    def __init__(
        self, store: StoreAccess, snapshots: Snapshots, restorer: Restorer, observer: Observer, living: Living
    ) -> None:
        """`living`: returns the app of a session, where it still lives in this process."""
        self._store = store
        self._snapshots = snapshots
        self._restorer = restorer
        self._observer = observer
        self._living = living
        self.ask: Ask | None = None
        """Asks the worker that holds a session to let go; None: there is no other worker to be asked."""
        self._lookups: dict[str, asyncio.Task[Session | None]] = {}
        self._insisted: dict[str, float] = {}
        self._failed: dict[str, float] = {}  # until when no load is tried again (monotonic clock)

    async def find(self, session_id: str, *, insist: bool) -> Session | None:
        """Take the session over, if there is one. Raises `HeldElsewhere` or `SessionUnreachable`."""
        if self._failed and self._failed.get(session_id, 0.0) > time.monotonic():
            return None
        while (lookup := self._lookups.get(session_id)) is not None:
            try:
                return await asyncio.shield(lookup)
            except HeldElsewhere:
                if not insist:
                    raise
        return await asyncio.shield(self._begin(session_id, insist))

    def _begin(self, session_id: str, insist: bool) -> "asyncio.Task[Session | None]":
        """Look it up in a task: the request that asked may end, and others may ask for the same."""
        lookup = asyncio.get_running_loop().create_task(self._look_up(session_id, insist))
        self._lookups[session_id] = lookup

        def done(task: "asyncio.Task[Session | None]") -> None:
            del self._lookups[session_id]
            if not task.cancelled():
                task.exception()  # those who asked have it; with none left, it is not lost either: the next one asks

        lookup.add_done_callback(done, context=Context())
        return lookup

    async def _look_up(self, session_id: str, insist: bool) -> Session | None:
        try:
            record = await self._store.peek(session_id)
            if record is None or not self._is_genuine(session_id, record):
                if record is not None:
                    await self._set_aside(session_id, record)
                return None
            if not self._snapshots.is_ours(self._snapshots.open(record.data, session_id).header):
                self._observer.session_restored("foreign", 0.0)
                return None
            way = await self._come_by(session_id, record, insist)
            return await self._claim(session_id, way, self._living(session_id, record))
        except StoreError as error:
            if self._store.down_seconds > PATIENCE_SECONDS:
                often.warning("a known visitor begins anew, because the store does not answer: %s", error)
                return None
            raise SessionUnreachable(str(error)) from error

    def _is_genuine(self, session_id: str, record: Record) -> bool:
        try:
            self._snapshots.open(record.data, session_id)
        except Forged as forged:
            often.warning("a snapshot in the store is not ours, and is set aside: %s", forged)
            self._observer.session_restored("forged", 0.0)
            return False
        return True

    async def _set_aside(self, session_id: str, record: Record) -> None:
        """Drop what cannot be loaded: it is met once."""
        await self._store.drop(session_id, record.generation)

    async def _give_back(self, session_id: str, claimed: Record) -> None:
        """Release what cannot be loaded here and now: another version of the app may. This worker tries no more."""
        self._failed[session_id] = time.monotonic() + FAILED_SECONDS
        if len(self._failed) > REMEMBERED:
            del self._failed[next(iter(self._failed))]
        await self._store.save([Save(session_id, claimed.generation, "", claimed.data)])

    async def _come_by(self, session_id: str, record: Record, insist: bool) -> Way:
        """Have the session's holder let go, if there is one. Raises `HeldElsewhere`."""
        owner = record.owner
        if not owner:
            return Way("released", clean=True)
        if self.ask is None or place_of(owner) == place_of(self._snapshots.owner):
            return Way("unknown", clean=False)  # this worker, or the one that was here before it
        if insist:
            insist = self._may_insist(session_id)
        try:
            async with asyncio.timeout(HANDOVER_SECONDS):
                answer = await self.ask(owner, session_id, insist)
        except (TimeoutError, OSError, HtagError) as error:
            why = f"{type(error).__name__} {error}"
            often.warning("a worker does not let go of a session, which is taken from it: %s", why)
            return Way("silent", clean=False)
        if answer == "kept":
            raise HeldElsewhere(owner)
        return Way("handed_over" if answer == "released" else "unknown", clean=answer == "released")

    def _may_insist(self, session_id: str) -> bool:
        now = time.monotonic()
        if now - self._insisted.get(session_id, -INSIST_SECONDS) < INSIST_SECONDS:
            return False
        self._insisted.pop(session_id, None)
        self._insisted[session_id] = now
        if len(self._insisted) > REMEMBERED:
            del self._insisted[next(iter(self._insisted))]
        return True

    async def _claim(self, session_id: str, way: Way, app: App | None) -> Session | None:
        claimed = await self._store.claim(session_id, self._snapshots.owner)
        if claimed is None:
            return None  # dropped in the meantime
        if not self._is_genuine(session_id, claimed):
            await self._set_aside(session_id, claimed)
            return None
        clean = way.clean and not claimed.owner
        session = self._restorer.restore(session_id, claimed, clean=clean, app=app if clean else None)
        if session is None:
            await self._give_back(session_id, claimed)
            return None
        self._observer.session_taken_over(way.name)
        return session


def place_of(owner: str) -> str:
    """The address in an owner's name, which is `ip:port/boot`."""
    return owner.partition("/")[0]
