"""The room of a session: a bound on the bytes that wait for its tabs together, and which tab goes when it is full."""

import asyncio
from typing import Protocol

from htag.observer import Observer

# Shares of a session's room. A tab that a person uses has all of it; tabs that only listen, some of which may be asleep
# and not read, have half; and a quarter those that were refused before, which would else take again what gets free.
IN_USE, LISTENING, REFUSED = 1.0, 0.5, 0.25

STALLED = 5.0  # seconds for a large frame to leave while others wait: a tab that takes longer does not read, or sleeps
KEPT_FREE = 60.0  # seconds for which tabs that were refused wait after one that a person uses had to wait for others


class Holder(Protocol):
    """A channel whose large frame is on its way."""

    def give_up(self) -> None:
        """Close the connection: what was sent is not read."""
        ...


class Room:
    """Counts the bytes that wait for the tabs of a session. A single frame always has room, however large."""

    __slots__ = ("_holders", "_kept_free_until", "_observer", "_timer", "limit", "taken")

    def __init__(self, observer: Observer, limit: float) -> None:
        self.limit = limit
        self.taken = 0
        self._observer = observer
        self._holders: dict[Holder, float] | None = None  # since when
        self._timer: asyncio.TimerHandle | None = None
        self._kept_free_until = 0.0

    def has(self, size: int, share: float = 1.0) -> bool:
        """Say whether there is room for `size` bytes more in this share. If not, tabs that do not read are given up
        before long."""
        kept_free = share < LISTENING and asyncio.get_running_loop().time() < self._kept_free_until
        if not kept_free and (not self.taken or self.taken + size <= self.limit * share):
            return True
        if share == IN_USE:
            self._kept_free_until = asyncio.get_running_loop().time() + KEPT_FREE
        self._observer.session_limited("waiting")
        self._watch()
        return False

    def take(self, holder: Holder, size: int) -> None:
        """Count a large frame of `size` bytes, which is on its way to `holder`."""
        self.taken += size
        if self._holders is None:
            self._holders = {}
        self._holders[holder] = asyncio.get_running_loop().time()

    def give_back(self, holder: Holder, size: int) -> None:
        """Count it no more: it has left, or its connection is over."""
        self.taken -= size
        if self._holders is not None:
            self._holders.pop(holder, None)

    def _watch(self) -> None:
        if self._timer is None and self._holders:
            loop = asyncio.get_running_loop()
            due = max(min(self._holders.values()) + STALLED, loop.time())
            self._timer = loop.call_at(due, self._give_up)

    def _give_up(self) -> None:
        self._timer = None
        holders = self._holders or {}
        late = asyncio.get_running_loop().time() - STALLED
        for holder in [holder for holder, since in holders.items() if since <= late]:
            del holders[holder]  # once; what it holds counts until its connection is over
            holder.give_up()
        self._watch()  # those whose frames are younger
