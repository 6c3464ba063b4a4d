"""How this worker is, measured in the background by one task: event-loop lag, memory, and whether the store answers.

Nothing here is measured while somebody waits: health, metrics and the admission of visitors read what was found last.
"""

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from htag.errors import StoreError
from htag.store import Store

LAG_EVERY = 0.25  # seconds; anything shorter than this can be missed, which nobody notices
# measurements, 15 seconds: as long as a usual scrape interval, so that no stall falls between two scrapes
LAG_KEPT = 60
MEASURE_EVERY = 1.0  # seconds
PING_EVERY = 2.0  # seconds
PING_SECONDS = 1.0  # a store that takes longer is as good as down
PING_ATTEMPTS = 3
FULL = 0.9  # of the memory limit; the rest is for the sessions that are there already, which go on growing

CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_STATM = Path("/proc/self/statm")
_PAGE = os.sysconf("SC_PAGE_SIZE")

logger = logging.getLogger("htag_stack")


class Vitals:
    """How this worker is. `watch` keeps it up to date."""

    def __init__(self, store: Store, memory_limit: int = 0) -> None:
        """`memory_limit`: bytes this worker may use, 0 for no limit."""
        self._store = store
        self._lags: deque[float] = deque([0.0], maxlen=LAG_KEPT)
        self._started = time.monotonic()
        self.memory_limit = memory_limit
        self.memory_used = resident_bytes()
        self.store_error: StoreError | None = None

    @property
    def uptime(self) -> float:
        """Seconds."""
        return time.monotonic() - self._started

    @property
    def loop_lag(self) -> float:
        """The longest, in seconds, that the event loop was late within the last 15 seconds."""
        return max(self._lags)

    def pressure(self) -> str | None:
        """Why no new visitor can be taken, or None."""
        return "memory" if self.memory_limit and self.memory_used > FULL * self.memory_limit else None

    async def watch(self, measure: Callable[[], None]) -> None:
        """Measure until cancelled; `measure` is called along, about once a second."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_loop())
            tasks.create_task(self._watch_memory(measure))
            tasks.create_task(self._watch_store())

    async def _watch_loop(self) -> None:
        while True:
            due = time.monotonic() + LAG_EVERY
            await asyncio.sleep(LAG_EVERY)
            self._lags.append(max(0.0, time.monotonic() - due))

    async def _watch_memory(self, measure: Callable[[], None]) -> None:
        while True:
            self.memory_used = resident_bytes()
            measure()
            await asyncio.sleep(MEASURE_EVERY)

    async def _watch_store(self) -> None:
        while True:
            self._found(await self._ping())
            await asyncio.sleep(PING_EVERY)

    async def _ping(self) -> StoreError | None:
        """What is wrong with the store. While the loop is late, its answer waits unread and every timeout strikes, here
        and in the store's own client: that is no verdict, so the store is asked once more."""
        for _ in range(PING_ATTEMPTS):
            error, late = await self._ping_once()
            if error is None or late < PING_SECONDS / 4:
                return error
        return self.store_error  # what was known before: of a loop that is always late there is nothing to learn

    async def _ping_once(self) -> tuple[StoreError | None, float]:
        """What is wrong with the store, and by how many seconds the loop was late meanwhile."""
        asked = asyncio.ensure_future(self._store.ping())
        step, late = PING_SECONDS / 20, 0.0
        deadline = time.monotonic() + PING_SECONDS
        try:
            while not asked.done() and (now := time.monotonic()) < deadline:
                await asyncio.wait([asked], timeout=step)
                late = max(late, time.monotonic() - now - step)
            if not asked.done():
                return StoreError(f"the store did not answer within {PING_SECONDS:g} s"), late
            await asked
        except StoreError as error:
            return error, late
        finally:
            asked.cancel()
        return None, late

    def _found(self, error: StoreError | None) -> None:
        """Keep what a ping found, and say so once when it changes."""
        if error is not None and self.store_error is None:
            logger.warning("the session store is down, sessions live in memory only: %s", error)
        elif error is None and self.store_error is not None:
            logger.info("the session store is back")
        self.store_error = error


def resident_bytes() -> int:
    """The memory that this process has in RAM; pages shared with other workers count in each of them."""
    return int(_STATM.read_text().split()[1]) * _PAGE


def memory_share(limit: int, workers: int, cgroup: Path = CGROUP_LIMIT) -> int:
    """One worker's share, in bytes, of `limit` for the container, or of the cgroup's where that is 0. 0: unlimited."""
    total = limit or cgroup_limit(cgroup)
    return max(1, total // workers) if total else 0


def cgroup_limit(path: Path) -> int:
    """The memory limit of this container in bytes, 0 if there is none."""
    try:
        text = path.read_text().strip()
    except OSError:
        return 0  # not in a container, or not on Linux
    return 0 if text == "max" else int(text)
