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
from htag.stores.time_limit import TimeLimit
from htag_stack.memory import Memory

LAG_EVERY = 0.25  # seconds; a stall shorter than this can be missed, and no visitor notices it
# measurements, 15 seconds: as long as a usual scrape interval, so that no stall falls between two scrapes
LAG_KEPT = 60
MEASURE_EVERY = 1.0  # seconds
PING_EVERY = 2.0  # seconds
PING_SECONDS = 1.0  # a store that takes longer is as good as down
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
        self._store_checked = False

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
            if self.store_error is None and not self._store_checked:
                await self._check_store()
            await asyncio.sleep(PING_EVERY)

    async def _ping(self) -> StoreError | None:
        """Ask the store, and return what is wrong with it. A busy loop, which reads no answer, is no verdict on it."""
        try:
            async with TimeLimit(PING_SECONDS):
                await self._store.ping()
        except TimeoutError:
            return StoreError(f"the store did not answer within {PING_SECONDS:g} s")
        except StoreError as error:
            return error
        return None

    async def _check_store(self) -> None:
        """Say how the store is set up to lose sessions: at start, and when it is back, since it may be another one."""
        try:
            complaints = await self._store.check()
        except StoreError as error:
            self._keep(error)  # and ask again once it answers
            return
        self._store_checked = True
        for complaint in complaints:
            logger.warning("the session store is not safe: %s", complaint)

    def _keep(self, error: StoreError | None) -> None:
        """Keep what a ping found, and log it once when it changes."""
        if error is not None and self.store_error is None:
            logger.warning("the session store is down, sessions live in memory only: %s", error)
        elif error is None and self.store_error is not None:
            logger.info("the session store is back")
        self.store_error = error
        self._store_checked = self._store_checked and error is None
