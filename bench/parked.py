"""Sessions opened and left, so that they are parked; and they come back, all of them, again and again.

When thousands of trees go, little of their memory goes back to the system: Python's allocator gives back a mebibyte
only when the last object in it has gone, and objects that stay lie everywhere. It is free for the next sessions. So two
things are told: what the kernel charges, which stays level from time to time, and what is needed: the charge at the
start, and by how much more objects take since.
"""

import asyncio
import sys
import time
from dataclasses import dataclass
from operator import le
from typing import Protocol

import uvloop

from bench.environments import Candidate
from bench.health import health, heap_in_use
from bench.numbered_visitors import NumberedVisitor
from bench.server import Server
from bench.table import Line
from bench.visitors import open_page

MIB = 1 << 20
GRACE_SECONDS = 1.0
PARKED_SECONDS = 120.0  # then they will not be
AT_ONCE = 10
GROWTH = 1.15  # of the memory before; and of that after the first time, at the end
WARM_UP = 100


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of the server: what the kernel counts as its own, and what its objects take of it."""

    private: int
    in_use: int


def parked_lines(url: str, sessions: int, cycles: int) -> list[Line]:
    """Memory before, after each parking, and at the end. Raises where a session has not come back as it was."""
    candidate = Candidate("deployed", sys.executable, "deployed")
    options = ["--grace", str(GRACE_SECONDS), "--store", url]
    with Server(candidate, *options) as server, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        crowd = Crowd(server)
        full, memory = runner.run(crowd.come_and_go(sessions, cycles))
    start, *after = memory
    needed = [start.private + each.in_use - start.in_use for each in after]
    last = after[-1].private / after[0].private
    return [
        Line("MiB before", start.private / MIB),
        Line(f"MiB with {sessions:,} sessions", full.private / MIB),
        Line("MiB without what is free in it", (start.private + full.in_use - start.in_use) / MIB),
        *(Line(f"MiB when they are parked, time {n}", each.private / MIB) for n, each in enumerate(after, 1)),
        Line("… the last time against the first", last, None, None, last, "x", GROWTH, le),
        compared("… without what is free, first time", needed[0], start),
        compared("… without what is free, last time", needed[-1], start),
    ]


def compared(what: str, needed: int, start: Memory) -> Line:
    """The memory that is `needed`, against that before."""
    return Line(what, needed / MIB, None, None, needed / start.private, "x before", GROWTH, le)


class Measured(Protocol):
    """A server whose memory is looked at."""

    port: int

    def memory(self) -> int:
        """Bytes of private memory."""
        ...


class Crowd:
    """All visitors of one server."""

    def __init__(self, server: Measured) -> None:
        self._server = server
        self._visitors: list[NumberedVisitor] = []

    async def come_and_go(self, sessions: int, cycles: int) -> tuple[Memory, list[Memory]]:
        """The memory with all of them there, and that without: before, and after each time."""
        await self.arrive(WARM_UP)
        await self.leave()
        memory = [await self._memory()]
        await self.arrive(sessions)
        full = await self._memory()
        await self.leave()
        memory.append(await self._memory())
        for clicks in range(2, cycles + 1):
            await self.come_back(clicks)
            await self.leave()
            memory.append(await self._memory())
        return full, memory

    async def arrive(self, sessions: int) -> None:
        """So many visitors open a page, and click once."""

        async def arrive(number: int) -> NumberedVisitor:
            cookie = (await open_page(self._server.port)).cookie
            visitor = await NumberedVisitor.arrive(self._server.port, cookie, f"tab{number:09}")
            await visitor.click()
            return visitor

        self._visitors = []
        for start in range(0, sessions, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, sessions))
            self._visitors += await asyncio.gather(*map(arrive, numbers))

    async def come_back(self, clicks: int) -> None:
        """All tabs connect again, and click once: the counter has gone on."""

        async def come_back(visitor: NumberedVisitor) -> NumberedVisitor:
            back = await visitor.come_back(self._server.port)
            answer = await back.click()
            if b'"%d"' % clicks not in answer:
                raise AssertionError(f"click {clicks} was answered by {answer!r}")
            return back

        visitors, self._visitors = self._visitors, []
        for start in range(0, len(visitors), AT_ONCE):
            self._visitors += await asyncio.gather(*map(come_back, visitors[start : start + AT_ONCE]))

    async def leave(self) -> None:
        """All close their tabs, and are parked."""
        for visitor in self._visitors:
            visitor.close()
        deadline = time.monotonic() + PARKED_SECONDS
        while left := self._here((await asyncio.to_thread(health, self._server.port))["sessions"]):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{left} sessions are not parked after {PARKED_SECONDS:.0f} s")
            await asyncio.sleep(0.5)

    @staticmethod
    def _here(sessions: dict[str, int]) -> int:
        return sum(number for state, number in sessions.items() if state != "parked")

    async def _memory(self) -> Memory:
        await asyncio.sleep(3.0)  # it is measured, and given back, in the background
        return Memory(self._server.memory(), await asyncio.to_thread(heap_in_use, self._server.port))
