"""Whether many sessions make a worker stop: how long it computes while one click waits, beside visitors who come and go.

The load runs on the same cores as the server, so the time that a click takes tells little; the server's own CPU time
until the answer is what its work holds the click up with.
"""

import asyncio
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
WARM_UP_SECONDS = 4.0  # until as many sessions end as begin

TYPICAL_BAR, WORST_BAR, GROWTH_BAR = 15, 60, 1.5  # ms, ms, times
NOTHING = 1.0  # ms: what is less is not compared, it is the noise of a measurement


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


def stall_lines(candidate: Candidate, sessions: tuple[int, int], seconds: float) -> list[Line]:
    """With few and with many sessions connected, on one server."""
    few, many = sessions
    with Server(candidate, "--grace", str(GRACE_SECONDS)) as server:
        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        with runner:
            crowd = Crowd(server)
            before = runner.run(crowd.stalls(few, seconds))
            after = runner.run(crowd.stalls(many, seconds))
    p99, worst = after.p99 * 1e3, after.worst * 1e3
    p99_before, worst_before = before.p99 * 1e3, before.worst * 1e3
    return [
        Line(f"ms of a click in 100, {few:,} sessions", p99_before),
        Line(f"ms of a click in 100, {many:,}", p99, None, None, p99, "ms", TYPICAL_BAR, le),
        Line("… of that", p99 / max(p99_before, NOTHING), None, None, p99 / max(p99_before, NOTHING), "x", GROWTH_BAR, le),
        Line(f"ms of the worst of {before.clicks:,}, {few:,} sessions", worst_before),
        Line(f"ms of the worst of {after.clicks:,}, {many:,}", worst, None, None, worst, "ms", WORST_BAR, le),
        Line("… of that", worst / max(worst_before, NOTHING), None, None, worst / max(worst_before, NOTHING), "x", GROWTH_BAR, le),
    ]  # fmt: skip


class Crowd:
    """The visitors of one server: those who stay, those who come and go, and one who clicks all the time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._staying: list[Visitor] = []

    async def stalls(self, staying: int, seconds: float) -> Stalls:
        """What is measured within `seconds` while so many stay."""
        await self._fill(staying)
        coming = asyncio.create_task(self._come_and_go())
        clicker = await self._visitor()
        await self._click(clicker, WARM_UP_SECONDS)
        waits = await self._click(clicker, seconds)
        coming.cancel()
        await asyncio.wait([coming])
        if not coming.cancelled() and (error := coming.exception()):
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

    async def _visit(self) -> None:
        visitor = await self._visitor()
        for _ in range(CLICKS):
            await visitor.click()
        visitor.close()
