"""Whether many sessions make a worker stop: what it computes while one click waits, beside visitors who come and go.

The load runs on the same cores as the server, so the time that a click takes tells little; the server's own CPU time
until the answer is what its work holds the click up with.
"""

import asyncio
import itertools
import time
from dataclasses import dataclass
from operator import le

import uvloop

from bench.environments import Candidate
from bench.server import Server
from bench.table import Line
from bench.visitors import Visitor, open_page

CLICK_EVERY = 0.02  # seconds
VISITORS_A_SECOND = 40  # who come, click three times and go
CLICKS = 3
GRACE_SECONDS = 2.0  # that a session without a tab is kept: who came and went is soon gone
OPENING = 20  # at a time
IDLE_SECONDS = 2.0  # after which who stays is parked, where there is a store
STIR_EVERY = 0.04  # seconds: then one of those clicks, which wakes its session, has it saved, and later parked again
WARM_UP_SECONDS = 4.0  # until as many sessions end as begin


@dataclass(frozen=True, slots=True)
class Bar:
    """In seconds. `noise`: growth from less is not looked at; one page more or less beside the click makes it."""

    most: float
    noise: float


TYPICAL, WORST = Bar(0.015, 0.001), Bar(0.060, 0.004)
GROWTH = 1.5  # times


@dataclass(frozen=True, slots=True)
class Stalls:
    """The server's CPU seconds while a click waits."""

    p99: float
    worst: float
    clicks: int

    @classmethod
    def of(cls, waits: list[float]) -> "Stalls":
        """All measured waits."""
        ordered = sorted(waits)
        return cls(ordered[len(ordered) * 99 // 100], ordered[-1], len(ordered))


def stall_lines(candidate: Candidate, sessions: tuple[int, int], seconds: float, store: str = "") -> list[Line]:
    """With few and with many sessions connected, on one server. `store`: its URL; then sessions are saved, parked and
    woken all the time."""
    few, many = sessions
    options = ["--store", store, "--idle", str(IDLE_SECONDS)] if store else []
    with Server(candidate, "--grace", str(GRACE_SECONDS), *options) as server:
        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        with runner:
            crowd = Crowd(server, stirs=bool(store))
            before = runner.run(crowd.stalls(few, seconds))
            after = runner.run(crowd.stalls(many, seconds))
    return [
        *_lines(f"click: ms in p99, {few:,} … {many:,} sessions", before.p99, after.p99, TYPICAL),
        *_lines(f"click: ms at worst, {few:,} … {many:,}", before.worst, after.worst, WORST),
    ]


def _lines(what: str, before: float, after: float, bar: Bar) -> list[Line]:
    growth = after / max(before, bar.noise)
    return [
        Line(what, after * 1e3, None, None, after * 1e3, "ms", bar.most * 1e3, le),
        Line("… with few", before * 1e3, None, None, growth, "x that, with many", GROWTH, le),
    ]


class Crowd:
    """The visitors of one server: those who stay, those who come and go, and one who clicks all the time."""

    def __init__(self, server: Server, *, stirs: bool) -> None:
        self._server = server
        self._stirs = stirs
        self._staying: list[Visitor] = []

    async def stalls(self, staying: int, seconds: float) -> Stalls:
        """What is measured within `seconds` while so many stay."""
        await self._fill(staying)
        others = [asyncio.create_task(self._come_and_go())]
        if self._stirs:
            others.append(asyncio.create_task(self._stir()))
        clicker = await self._visitor()
        await self._click(clicker, WARM_UP_SECONDS)
        waits = await self._click(clicker, seconds)
        for other in others:
            other.cancel()
        await asyncio.wait(others)
        for other in others:
            if not other.cancelled() and (error := other.exception()):
                raise error
        return Stalls.of(waits)

    async def _fill(self, staying: int) -> None:
        while (missing := staying - len(self._staying)) > 0:
            self._staying += await asyncio.gather(*(self._visitor() for _ in range(min(missing, OPENING))))

    async def _visitor(self) -> Visitor:
        return await Visitor.connect(self._server.port, (await open_page(self._server.port)).cookie)

    async def _click(self, clicker: Visitor, seconds: float) -> list[float]:
        """The server's CPU seconds for each click, one every CLICK_EVERY seconds."""
        waits, now = [], time.monotonic()
        until = now + seconds
        while (due := now + CLICK_EVERY) < until:
            await asyncio.sleep(due - time.monotonic())
            now = max(due, time.monotonic() - CLICK_EVERY)
            cpu = self._server.cpu_seconds()
            await clicker.click()
            waits.append(self._server.cpu_seconds() - cpu)
        return waits

    async def _come_and_go(self) -> None:
        """Until cancelled."""
        due = time.monotonic()
        async with asyncio.TaskGroup() as visits:
            while True:
                visits.create_task(self._visit())
                due += 1 / VISITORS_A_SECOND
                await asyncio.sleep(due - time.monotonic())

    async def _stir(self) -> None:
        """Those who stay click in turn, until cancelled."""
        due = time.monotonic()
        for visitor in itertools.cycle(self._staying):
            due += STIR_EVERY
            await asyncio.sleep(due - time.monotonic())
            await visitor.click()

    async def _visit(self) -> None:
        visitor = await self._visitor()
        for _ in range(CLICKS):
            await visitor.click()
        visitor.close()
