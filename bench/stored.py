"""What saving costs: events per CPU second of the deployed program with each store, beside the one in memory.

The servers run side by side and take turns, so a slow moment falls on all. Paced: each session is clicked once a
second, so nearly each click is a save of its own. Saturated: some click as fast as they are answered, and saves are
stretched to the share of the event loop that they may take.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import uvloop

from bench.environments import Candidate
from bench.numbered_visitors import NumberedVisitor
from bench.server import Server
from bench.table import Line
from bench.valkey import NoValkey, valkey
from bench.visitors import open_page

SHARE = 0.8  # of the events per CPU second with the store in memory
PACED_SESSIONS = 200
CLICKING = 20
TURN_SECONDS = 0.5
PACED_SECONDS = 4.0  # four clicks of each session
ROUNDS = 5


@contextmanager
def store_urls() -> Iterator[dict[str, str]]:
    """The stores that are here, by name; each empty."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls = {"memory": "memory://", "sqlite": f"sqlite:///{folder}/sessions.db"}
        try:
            urls["valkey"] = stack.enter_context(valkey())
        except NoValkey as error:
            print(f"without Valkey: {error}", file=sys.stderr)
        yield urls


def stored_lines(urls: dict[str, str], rounds: int = ROUNDS) -> list[Line]:
    """Two numbers of each store. A store that is not here is left out, and said so by `store_urls`."""
    with ExitStack() as servers, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        trials = {
            name: StoreTrial(servers.enter_context(Server(Candidate(name, sys.executable, "deployed"), "--store", url)))
            for name, url in urls.items()
        }
        for trial in trials.values():
            runner.run(trial.arrive())
        for _ in range(rounds):
            runner.run(paced(list(trials.values())))
            for _ in range(round(2 / TURN_SECONDS)):
                for trial in trials.values():
                    runner.run(trial.saturate())
            for trial in trials.values():
                trial.end_round()
    lines = []
    for kind in ("paced", "saturated"):
        for name, trial in trials.items():
            shares = zip(trial.readings[kind], trials["memory"].readings[kind], strict=True)
            share = median(each / memory for each, memory in shares)
            what, number = f"{kind}, {name}", median(trial.readings[kind])
            bar = (share, "of memory's", SHARE) if name != "memory" else (None, "", 0.0)
            lines.append(Line(what, number, None, None, *bar))
    return lines


class StoreTrial:
    """One server with its store, its visitors, and the events per CPU second of each round."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._visitors: list[NumberedVisitor] = []
        self._events, self._cpu = 0, 0.0
        self.readings: dict[str, list[float]] = {"paced": [], "saturated": []}

    async def arrive(self) -> None:
        """All visitors open the page, connect and click once."""
        for number in range(PACED_SESSIONS):
            cookie = (await open_page(self._server.port)).cookie
            self._visitors.append(await NumberedVisitor.arrive(self._server.port, cookie, f"tab{number:09}"))
            await self._visitors[-1].click()

    async def pace(self) -> None:
        """Each visitor clicks once a second, evenly spread."""
        loop = asyncio.get_running_loop()
        cpu, due, clicks = self._server.cpu_seconds(), loop.time(), 0
        until = due + PACED_SECONDS
        while due < until:
            await asyncio.sleep(due - loop.time())
            await self._visitors[clicks % len(self._visitors)].click()
            clicks += 1
            due += 1 / len(self._visitors)
        await asyncio.sleep(0.5)  # what was clicked last is saved
        self.readings["paced"].append(clicks / (self._server.cpu_seconds() - cpu))

    async def saturate(self) -> None:
        """One turn of those who click all the time; with what is saved behind it before the next turn."""
        cpu = self._server.cpu_seconds()
        clicking = self._visitors[:CLICKING]
        self._events += sum(await asyncio.gather(*(visitor.click_for(TURN_SECONDS) for visitor in clicking)))
        await asyncio.sleep(0.3)
        self._cpu += self._server.cpu_seconds() - cpu

    def end_round(self) -> None:
        """Note the events per CPU second of the turns since the last round."""
        self.readings["saturated"].append(self._events / self._cpu)
        self._events, self._cpu = 0, 0.0


async def paced(trials: list[StoreTrial]) -> None:
    """All servers at the same time: each has much of the time nothing to do."""
    await asyncio.gather(*(trial.pace() for trial in trials))
