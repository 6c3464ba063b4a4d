"""One round: all candidates side by side, the same procedure for each, and the numbers that come out of it.

Pages and WebSockets are opened by many visitors, then a few of them click and wait for the answer, over and over.
CPU is the server process's own. The candidates take turns, a moment each: how fast the machine is changes from second
to second, and this way it changes for all of them.
"""

import asyncio
import json
import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import uvloop

from bench.environments import Candidate
from bench.numbered_visitors import NumberedVisitor
from bench.server import Server
from bench.visitors import CLICK_ANSWER, Page, Visitor, open_page

ROWS = {65: 20, 3000: 1000}  # tags of the page → rows of its list: three tags a row, five around them

WARM_UP_VISITORS = 30  # enough to fill what importing has left free in the heap, or the first sessions look smaller
WARM_UP_SECONDS = 0.5  # the first clicks fill caches and free lists; they are not what a session costs
SETTLE_SECONDS = 0.3  # connection tasks finish and buffers are given back before memory is read
TURN_SECONDS = 0.25  # of clicking; short beside the changes of the machine's speed
AT_ONCE = 10  # visitors who ask for the page: a server that waits between two of them is measured waking up
TURN_PAGES = 50  # fewer, and what is measured is how fast a processor's caches fill after the others' turns


@dataclass(frozen=True, slots=True)
class Effort:
    """How much load a round makes. `seconds`: of clicking, for each candidate."""

    sessions: int = 150
    clicking: int = 20
    seconds: float = 4.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What one round measured of one candidate. Both numbers about pages are 0 for the echo, which has none."""

    events_per_cpu_second: float
    event_bytes: float
    session_bytes: float
    pages_per_cpu_second: float
    page_bytes: int


def read(candidates: Sequence[Candidate], tags: int, effort: Effort) -> dict[str, Reading]:
    """One round with servers of its own; readings by the candidates' names."""
    with ExitStack() as servers, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        trials = {
            candidate.name: Trial(candidate, servers.enter_context(Server(candidate, "--rows", str(ROWS[tags]))))
            for candidate in candidates
        }
        for trial in trials.values():
            runner.run(trial.warm_up())
        for _ in range(effort.sessions // TURN_PAGES):
            for trial in trials.values():
                runner.run(trial.open_pages(TURN_PAGES))
        for trial in trials.values():
            runner.run(trial.connect())
        for _ in range(round(effort.seconds / TURN_SECONDS)):
            for trial in trials.values():
                runner.run(trial.click(effort.clicking))
        return {name: trial.reading() for name, trial in trials.items()}


class Trial:
    """One candidate in one round: its server, its visitors, and what they have added up to."""

    def __init__(self, candidate: Candidate, server: Server) -> None:
        self._server = server
        self._has_pages = candidate.serves != "echo"
        self._wire = candidate.wire
        self._warm: list[Visitor] = []
        self._visitors: list[Visitor] = []
        self._cookies: list[str] = []
        self._memory = 0
        self._page_cpu = 0.0
        self._page_bytes = 0
        self._session_bytes = 0.0
        self._cpu = 0.0
        self._events = 0
        self._event_bytes = 0

    async def warm_up(self) -> None:
        """A few visitors come before the others and stay."""
        self._warm = await self._connect(await self._pages(WARM_UP_VISITORS))
        if self._has_pages:
            await _check_that_clicks_count(self._warm[0], self._wire)
        await asyncio.gather(*(visitor.click_for(WARM_UP_SECONDS) for visitor in self._warm))
        self._memory = self._server.memory()

    async def open_pages(self, visitors: int) -> None:
        """One turn of new visitors, who ask for the page."""
        cpu = self._server.cpu_seconds()
        self._cookies += await self._pages(visitors)
        self._page_cpu += self._server.cpu_seconds() - cpu

    async def connect(self) -> None:
        """All who have a page connect and click once."""
        self._visitors = await self._connect(self._cookies)
        for visitor in self._visitors:
            await visitor.click()
        await asyncio.sleep(SETTLE_SECONDS)
        self._session_bytes = (self._server.memory() - self._memory) / len(self._visitors)

    async def click(self, clicking: int) -> None:
        """One turn of the first so many visitors."""
        visitors = self._visitors[:clicking]
        cpu, received = self._server.cpu_seconds(), sum(visitor.received for visitor in visitors)
        self._events += sum(await asyncio.gather(*(visitor.click_for(TURN_SECONDS) for visitor in visitors)))
        self._cpu += self._server.cpu_seconds() - cpu
        self._event_bytes += sum(visitor.received for visitor in visitors) - received

    def reading(self) -> Reading:
        """What it all adds up to."""
        return Reading(
            events_per_cpu_second=self._events / self._cpu,
            event_bytes=self._event_bytes / self._events,
            session_bytes=self._session_bytes,
            pages_per_cpu_second=len(self._cookies) / self._page_cpu if self._has_pages else 0.0,
            page_bytes=self._page_bytes,
        )

    async def _pages(self, visitors: int) -> list[str]:
        """The cookies of so many new visitors."""
        if not self._has_pages:
            return [""] * visitors
        pages: list[Page] = []
        for first in range(0, visitors, AT_ONCE):
            batch = (open_page(self._server.port) for _ in range(min(AT_ONCE, visitors - first)))
            pages += await asyncio.gather(*batch)
        self._page_bytes = max(page.size for page in pages)
        return [page.cookie for page in pages]

    async def _connect(self, cookies: list[str]) -> list[Visitor]:
        port = self._server.port
        if self._wire == 2:
            names = (secrets.token_hex(8) for _ in cookies)
            return [
                await NumberedVisitor.arrive(port, cookie, name) for cookie, name in zip(cookies, names, strict=True)
            ]
        return [await Visitor.connect(port, cookie, greeted=self._has_pages) for cookie in cookies]


async def _check_that_clicks_count(visitor: Visitor, wire: int) -> None:
    """The answer to each click says which one it answers and has the next number, or nothing measured here means
    anything."""
    for number in range(1, 4):
        answer = json.loads(await visitor.click())
        if wire == 2:
            ((_, text),) = answer["ops"]
            if (answer["done"], text) != (number, str(number)):
                raise AssertionError(f"click {number} was answered by {answer}")
            continue
        shown = "".join(answer["updates"].values())
        if answer["callback_id"] != CLICK_ANSWER or f">{number}<" not in shown:
            raise AssertionError(f"click {number} was answered by {answer}")
