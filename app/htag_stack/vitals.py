"""The vital signs of a worker, measured in the background: event-loop lag, memory, and whether the store answers.

No request waits for a measurement: health, metrics and the admission of visitors read the last one.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable

from htag.errors import StoreError
from htag.process.collector import collector
from htag.stores.base import Store
from htag_stack.memory import Memory

LAG_EVERY = 0.25  # seconds; a stall shorter than this can be missed, and no visitor notices it
# measurements, 15 seconds: as long as a usual scrape interval, so that no stall falls between two scrapes
LAG_KEPT = 60
MEASURE_EVERY = 1.0  # seconds
PING_EVERY = 2.0  # seconds
PING_SECONDS = 1.0  # a store that takes longer is as good as down
PING_ATTEMPTS = 3
FULL_SECONDS = 30.0  # of refusing newcomers for memory, after which load balancers are told (/health/ready)

logger = logging.getLogger("htag_stack")


class Vitals:
    """Holds the last measurements of this worker. `watch` keeps them up to date."""

    def __init__(self, store: Store, memory: Memory | None = None) -> None:
        """`memory`: with the limits that apply; none by default."""
        self._store = store
        self._lags: deque[float] = deque([0.0], maxlen=LAG_KEPT)
        self._started = time.monotonic()
        self.memory = memory or Memory()
        self._full_since: float | None = None
        self.store_error: StoreError | None = None

    @property
    def uptime(self) -> float:
        """Seconds since this worker's start."""
        return time.monotonic() - self._started

    @property
    def loop_lag(self) -> float:
        """The longest, in seconds, that the event loop was late within the last 15 seconds."""
        return max(self._lags)

    def pressure(self) -> str | None:
        """Reserve memory for one newcomer more and return None, or return the reason why there is no room."""
        return None if self.memory.admits() else "memory"

    @property
    def stays_full(self) -> bool:
        """Whether memory has been short for a while, and looking for garbage did not help."""
        return self._full_since is not None and time.monotonic() - self._full_since > FULL_SECONDS

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
            self.measure_memory()
            measure()
            await asyncio.sleep(MEASURE_EVERY)

    def measure_memory(self) -> None:
        """Measure the memory; if it is full, look for what can be given back, and measure once more.

        Where only the container is full, what this worker can give back is room for the other workers.
        """
        self.memory.measure()
        if self.memory.is_full:
            collector.relieve(self._full_since or time.monotonic())
            self.memory.measure()
        elif self.memory.is_tight:
            collector.give_back()
        if not self.memory.is_full:
            self._full_since = None
        elif self._full_since is None:
            self._full_since = time.monotonic()

    async def _watch_store(self) -> None:
        while True:
            self._keep(await self._ping())
            await asyncio.sleep(PING_EVERY)

    async def _ping(self) -> StoreError | None:
        """Ask the store, and return what is wrong with it.

        While the loop is late, the answer waits unread and every timeout strikes, here and in the store's own client:
        that is no verdict, so the store is asked once more.
        """
        for _ in range(PING_ATTEMPTS):
            error, late = await self._ping_once()
            if error is None or late < PING_SECONDS / 4:
                return error
        return self.store_error  # what was known before: of a loop that is always late there is nothing to learn

    async def _ping_once(self) -> tuple[StoreError | None, float]:
        """Ask the store once: what is wrong with it, and by how many seconds the loop was late meanwhile."""
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

    def _keep(self, error: StoreError | None) -> None:
        """Keep what a ping found, and log it once when it changes."""
        if error is not None and self.store_error is None:
            logger.warning("the session store is down, sessions live in memory only: %s", error)
        elif error is None and self.store_error is not None:
            logger.info("the session store is back")
        self.store_error = error
