"""Tests wait here, for what sets no event: a condition is asked again and again until it is true, or time is up.

`HTAG_TEST_PATIENCE=3` in the environment lets every wait take three times as long, on a slow or busy machine.
"""

import asyncio
import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_FACTOR = float(os.environ.get("HTAG_TEST_PATIENCE", "1"))  # read once: some tests run without the HTAG_… variables


def patience(seconds: float) -> float:
    """Return `seconds` as this machine needs them."""
    return seconds * _FACTOR


PATIENCE = patience(20)  # seconds for one answer of a process, its start included
STACK_SECONDS = patience(60)  # a stack of containers settles within them, as Prometheus sees it too
LOOP_SECONDS = patience(25)  # nine attempts of a page to connect take 6 to 14, as chance has it
PAUSE = 0.02  # seconds between two questions to a process
LOOP_PAUSE = 0.001  # seconds between two questions in the event loop
TURNS = 50  # of the event loop, in which what has begun in it is done: a message takes about ten
LONGEST_PAUSE = 0.2  # seconds after a question that is dear to ask


def eventually(condition: Callable[[], T], what: str | Callable[[], str], seconds: float = STACK_SECONDS) -> T:
    """Block until `condition()` is true. Returns that value; fails the test after `seconds`.

    `what`: the name of what is waited for, or a function that returns what to say then, such as a container's log.
    """
    deadline = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        if value := condition():
            return value
        now = time.monotonic()
        assert now < deadline, f"waited {seconds:g} s in vain for {what if isinstance(what, str) else what()}"
        time.sleep(_pause(PAUSE, now - asked))


async def until(condition: Callable[[], T], seconds: float = LOOP_SECONDS) -> T:
    """Let the event loop run until `condition()` is true. Returns that value; raises TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while True:
            asked = time.monotonic()
            if value := condition():
                return value
            await asyncio.sleep(_pause(LOOP_PAUSE, time.monotonic() - asked))


async def passed(seconds: float) -> None:
    """Let `seconds` pass in the event loop, and then have done what was due by their end.

    A process that got no processor meanwhile wakes up with all of it still to do, and one turn of the loop is too few.
    """
    await asyncio.sleep(seconds)
    for _ in range(TURNS):
        await asyncio.sleep(0)


def _pause(least: float, took: float) -> float:
    """Return how long to pause after a question that `took` so many seconds: four times that, within bounds."""
    return min(max(least, 4 * took), LONGEST_PAUSE)
