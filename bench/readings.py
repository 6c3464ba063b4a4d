"""One round: all candidates side by side, the same procedure for each, and the numbers that come out of it.

Visitors ask for the page and leave it at that. Then, of servers of their own, pages and WebSockets are opened by many
visitors, and a few of them click and wait for the answer, over and over.
CPU is the server process's own. The candidates take turns, a moment each: how fast the machine is changes from second
to second, and this way it changes for all of them.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import uvloop

from bench.environments import Candidate
from bench.health import health
from bench.numbered_visitors import NumberedVisitor
from bench.server import Server
from bench.visitors import CLICK_ANSWER, Page, Visitor, open_page

ROWS = {65: 20, 3000: 1000}  # tags of the page → rows of its list: three tags a row, five around them
# Tags of the page → visitors who ask for it. A garbage collector that looks at all that has come since puts its work
# off: for 500 connections in an early version of ours, so that 150 pages of it were cheap and the next ones dear. Of
# 3 000 tags, 1 000 pages of the published htag take two minutes and 3 GiB.
PAGES = {65: 1000, 3000: 150}

# Enough to fill what importing has left free in the heap, and what a store keeps however many sessions there are
# (SQLite 2 MiB: those of 93 pages of 3 000 tags); or the first sessions look smaller, or larger, than all others.
WARM_UP_VISITORS = 100
WARM_UP_SECONDS = 0.5  # the first clicks fill caches and free lists; they are not what a session costs
SETTLE_SECONDS = 0.3  # connection tasks finish and buffers are given back before memory is read
SAVED_SECONDS = 60.0  # for all sessions to be saved: the first saves of 150 pages of 3 000 tags take some
TURN_SECONDS = 0.25  # of clicking; short beside the changes of the machine's speed
AT_ONCE = 10  # visitors who ask for the page: a server that waits between two of them is measured waking up
TURN_PAGES = 50  # fewer, and what is measured is how fast a processor's caches fill after the others' turns


@dataclass(frozen=True, slots=True)
class Effort:
    """How much load a round makes. `pages`: of PAGES, a share; `seconds`: of clicking, for each candidate."""

    pages: float = 1.0
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
    pages = read_pages(candidates, round(effort.pages * PAGES[tags]), tags)
    with trials(candidates, tags) as (runner, all_trials):
        for _ in range(effort.sessions // TURN_PAGES):
            for trial in all_trials.values():
                runner.run(trial.open_pages(TURN_PAGES))
        for trial in all_trials.values():
            runner.run(trial.connect())
        for _ in range(round(effort.seconds / TURN_SECONDS)):
            for trial in all_trials.values():
                runner.run(trial.click(effort.clicking))
        return {name: trial.reading(pages.get(name, 0.0)) for name, trial in all_trials.items()}


def read_pages(candidates: Sequence[Candidate], number: int, tags: int) -> dict[str, float]:
    """Pages per CPU second of those candidates that have pages, over so many visitors."""
    with trials([each for each in candidates if each.serves != "echo"], tags) as (runner, all_trials):
        for _ in range(number // TURN_PAGES):
            for trial in all_trials.values():
                runner.run(trial.open_pages(TURN_PAGES))
        return {name: trial.pages_per_cpu_second() for name, trial in all_trials.items()}


@contextmanager
def trials(candidates: Sequence[Candidate], tags: int) -> Iterator[tuple[asyncio.Runner, dict[str, "Trial"]]]:
    """Servers of all `candidates`, warmed up, by name."""
    with ExitStack() as servers, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        started = {
            candidate.name: Trial(candidate, servers.enter_context(Server(candidate, "--rows", str(ROWS[tags]))))
            for candidate in candidates
        }
        for trial in started.values():
            runner.run(trial.warm_up())
        yield runner, started


class Trial:
    """One candidate in one round: its server, its visitors, and what they have added up to."""

    def __init__(self, candidate: Candidate, server: Server) -> None:
        self._server = server
        self._has_pages = candidate.serves != "echo"
        self._saves = candidate.serves == "deployed"
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
        await self._settle()
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
        await self._settle()
        self._session_bytes = (self._server.memory() - self._memory) / len(self._visitors)

    async def click(self, clicking: int) -> None:
        """One turn of the first so many visitors."""
        visitors = self._visitors[:clicking]
        cpu, received = self._server.cpu_seconds(), sum(visitor.received for visitor in visitors)
        self._events += sum(await asyncio.gather(*(visitor.click_for(TURN_SECONDS) for visitor in visitors)))
        self._cpu += self._server.cpu_seconds() - cpu
        self._event_bytes += sum(visitor.received for visitor in visitors) - received

    async def _settle(self) -> None:
        """Wait until nothing that was begun is under way in the server."""
        deadline = time.monotonic() + SAVED_SECONDS
        while self._saves and (await asyncio.to_thread(health, self._server.port))["snapshots"]["dirty"]:
            if time.monotonic() > deadline:
                raise TimeoutError("the server has not saved its sessions")
            await asyncio.sleep(SETTLE_SECONDS)
        await asyncio.sleep(SETTLE_SECONDS)

    def pages_per_cpu_second(self) -> float:
        """What the pages that were opened add up to."""
        return len(self._cookies) / self._page_cpu

    def reading(self, pages_per_cpu_second: float) -> Reading:
        """What it all adds up to."""
        return Reading(
            events_per_cpu_second=self._events / self._cpu,
            event_bytes=self._event_bytes / self._events,
            session_bytes=self._session_bytes,
            pages_per_cpu_second=pages_per_cpu_second,
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
