"""Empties a worker that is about to end: its sessions move into the store, spread over the time that there is."""

import asyncio
import time
from collections.abc import Callable

from htag.observer import Observer
from htag.session.host import Host
from htag.session.mover import Left, Mover
from htag.session.session import Session
from htag.session.status import SessionState

EVERY_SECONDS = 0.1  # a batch: so many people come to the other workers at once
SPREAD = 0.7  # of the time, over which sessions move; the rest is for those that are busy, or that a store refused
FEW = 20  # sessions that need no spreading
YOUNG_SECONDS = 10.0  # a page that went out so short a time ago is about to connect
AGAIN_SECONDS = 0.25  # between two attempts to move what stayed


class Drain:
    """Moves all sessions out."""

    def __init__(self, mover: Mover, observer: Observer, host: Host, remember: Callable[[Left], None] | None) -> None:
        """`remember` is called with each session that has left, where none but this process can have it: it ends at the
        end of the process."""
        self._remember = remember
        self._mover = mover
        self._observer = observer
        self._host = host

    async def move_out(self, seconds: float) -> int:
        """Move all sessions that can be moved, within `seconds`. Returns how many stay, because something pins them or
        the store does not answer: they are served as long as the worker lives."""
        started = time.monotonic()
        self._admit_young()
        await self._spread(started, seconds * SPREAD)
        while (rest := self._movable(pinned=False)) and time.monotonic() - started < seconds:
            await self._move(rest, seconds=max(0.0, started + seconds - time.monotonic()) / 2)
            if self._movable(pinned=False):
                await asyncio.sleep(AGAIN_SECONDS)
        staying = [session for session in self._host.sessions.values() if session.stored is not None]
        for session in staying:
            if session.state is not SessionState.NEW:
                self._observer.session_moved("pinned")
        return len(staying)

    async def _spread(self, started: float, seconds: float) -> None:
        sessions = [session for session in self._movable() if not session.under_way]
        batches = 1 if len(sessions) <= FEW else max(1, int(seconds / EVERY_SECONDS))
        size = -(-len(sessions) // batches)
        for number in range(batches):
            await self._move(sessions[number * size : (number + 1) * size])
            due = started + (number + 1) * EVERY_SECONDS
            if number + 1 < batches:
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _move(self, sessions: list[Session], seconds: float = 0.3) -> None:
        for left in await self._mover.move(sessions, seconds):
            self._observer.session_moved("drained")
            if self._remember is not None:
                self._remember(left)

    def _movable(self, *, pinned: bool = True) -> list[Session]:
        """Those that can be moved: without `pinned`, those of which it is not known that they cannot."""
        sessions = [session for session in self._host.sessions.values() if self._mover.can_move(session)]
        return [session for session in sessions if pinned or not (session.stored and session.stored.pinned)]

    def _admit_young(self) -> None:
        """Have pages that went out a moment ago moved as well: otherwise they would find no session."""
        for session in self._host.sessions.values():
            young = time.monotonic() - session.opened_at < YOUNG_SECONDS
            if session.state is SessionState.NEW and session.stored is not None and young:
                session.state = SessionState.DISCONNECTED
