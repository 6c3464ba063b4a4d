"""What an idle connected session takes while it is asleep, with its socket; and how long its first click wakes it.

People come in waves, each of which falls asleep before the next. What the first wave had and needs no more stays with
the process, and the next one uses it: the growth from wave to wave is what one more idle person takes.
"""

import asyncio
import sys
import time
from operator import le
from statistics import median

import uvloop

from bench.environments import Candidate
from bench.health import health, quantile
from bench.numbered_visitors import NumberedVisitor
from bench.readings import ROWS
from bench.server import Server
from bench.table import Line
from bench.visitors import open_page

KIB = 1024
IDLE_SECONDS = 1.0
ASLEEP_SECONDS = 120.0  # then they will not fall asleep
BARS = {65: (34.0, 3.0), 3000: (60.0, 20.0)}  # KiB of a session, ms to wake it
WAVES = 5  # after the first
WAKE_EVERY = 0.05  # seconds: what was woken is saved and parked again meanwhile, as it is in life


def asleep_lines(url: str, tags: int, wave: int) -> list[Line]:
    """Memory and waking, in waves of so many sessions of the deployed program, with the store at `url`."""
    candidate = Candidate("deployed", sys.executable, "deployed")
    options = ["--rows", str(ROWS[tags]), "--idle", str(IDLE_SECONDS), "--store", url]
    with Server(candidate, *options) as server, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        awake, asleep, clicks = runner.run(_measure(server, wave))
        waking = quantile(server.port, "htag_session_wake_seconds", 0.99) * 1e3
    kib, milliseconds = BARS[tags]
    clicks.sort()
    middle, p99 = median(clicks), clicks[len(clicks) * 99 // 100]
    return [
        Line("KiB awake", awake),
        Line("KiB asleep, with its socket", asleep, None, None, asleep, "KiB", kib, le),
        Line("ms of a click that wakes, median", middle, None, None, middle, "ms", milliseconds, le),
        Line("… p99, with what else went on", p99),
        Line("… of it waking, p99 of htag_session_wake_seconds", waking),
    ]


async def _measure(server: Server, wave: int) -> tuple[float, float, list[float]]:
    """KiB of a session awake and asleep, and the CPU milliseconds of each first click."""
    before = server.memory()
    visitors: list[NumberedVisitor] = []
    memory = []
    for number in range(WAVES + 1):
        visitors += await _arrive(server, f"wave{number}", wave)
        if number == 0:
            awake = (server.memory() - before) / wave / KIB
        await _all_asleep(server, len(visitors))
        memory.append(server.memory())
    clicks = []
    for visitor in visitors[wave:]:
        await asyncio.sleep(WAKE_EVERY)
        cpu = server.cpu_seconds()
        answer = await visitor.click()
        clicks.append((server.cpu_seconds() - cpu) * 1e3)
        if b'"2"' not in answer:
            raise AssertionError(f"the second click was answered by {answer!r}")
    return awake, (memory[-1] - memory[0]) / (WAVES * wave) / KIB, clicks


async def _arrive(server: Server, name: str, sessions: int) -> list[NumberedVisitor]:
    visitors = []
    for number in range(sessions):
        cookie = (await open_page(server.port)).cookie
        visitors.append(await NumberedVisitor.arrive(server.port, cookie, f"{name}{number:09}"))
        await visitors[-1].click()
    return visitors


async def _all_asleep(server: Server, sessions: int) -> None:
    deadline = time.monotonic() + ASLEEP_SECONDS
    while (there := (await asyncio.to_thread(health, server.port))["snapshots"]["asleep"]) < sessions:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{there} of {sessions} sessions are asleep after {ASLEEP_SECONDS:.0f} s")
        await asyncio.sleep(0.5)
    await asyncio.sleep(1.5)  # memory is measured once a second
