"""What is a state of a worker, as metrics: sessions, connections, memory, lag, the store, the build."""

import itertools
import platform
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from htag.websocket_protocol import FairWebSocketProtocol
from htag_stack.vitals import Vitals

# Bytes. A small page is about 50 000 of objects; a session above 10 million holds a data set.
SESSION_BYTES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 100_000_000)


class RegistryState(Protocol):
    """What is read of a session registry (`htag.session.registry`) at a scrape."""

    def counts(self) -> dict[str, int]: ...
    def connections(self) -> dict[str, int]: ...
    def memory(self) -> int: ...
    def memory_by_session(self) -> list[int]: ...
    def snapshot_counts(self) -> dict[str, int]: ...
    def unsaved_seconds(self) -> float: ...


class WorkerStateCollector(Collector):
    """Collects what is a state, at the moment of a scrape: sessions, connections, memory, lag, the store, the build."""

    def __init__(self, sessions: RegistryState, vitals: Vitals, build: Mapping[str, str]) -> None:
        self._sessions = sessions
        self._vitals = vitals
        self._build = {"python": platform.python_version(), **build}

    def collect(self) -> Iterator[Metric]:
        yield _gauges(
            "htag_sessions",
            "Sessions by state: the load, but for those that are parked in the store.",
            "state",
            self._sessions.counts(),
        )
        yield _gauges(
            "htag_connections", "Open channels to tabs, by transport.", "transport", self._sessions.connections()
        )
        yield _gauges(
            "htag_session_snapshots",
            "Sessions by how the store's copy of them stands: those that are pinned end with this worker.",
            "state",
            self._sessions.snapshot_counts(),
        )
        yield GaugeMetricFamily(
            "htag_oldest_unsaved_seconds",
            "How long the session that waits longest for its save has waited: what a crash would cost.",
            self._sessions.unsaved_seconds(),
        )
        yield GaugeMetricFamily(
            "htag_session_memory_bytes", "Estimated memory of all sessions.", self._sessions.memory()
        )
        yield _sizes(self._sessions.memory_by_session())
        yield GaugeMetricFamily(
            "htag_event_loop_lag_seconds",
            "The longest that the event loop was late of late: what everybody on this worker waits in addition.",
            self._vitals.loop_lag,
        )
        yield GaugeMetricFamily(
            "htag_store_up", "Whether the session store answers.", float(self._vitals.store_error is None)
        )
        yield CounterMetricFamily(
            "htag_websocket_pauses",
            "Times that a WebSocket was read no further for up to a second, because of the many frames that it sends.",
            FairWebSocketProtocol.pauses,
        )
        yield InfoMetricFamily("htag_build", "What is running.", self._build)


def _gauges(name: str, purpose: str, label: str, values: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, purpose, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def _sizes(sizes: Sequence[int]) -> GaugeHistogramMetricFamily:
    """The sessions alive now by size: a histogram whose buckets go down again too, so it is read without rate()."""
    counts = [0] * (len(SESSION_BYTES) + 1)
    for size in sizes:
        counts[bisect_left(SESSION_BYTES, size)] += 1
    bounds = [str(float(bound)) for bound in SESSION_BYTES] + ["+Inf"]
    return GaugeHistogramMetricFamily(
        "htag_session_size_bytes",
        "Estimated memory of each session alive: whether a few are far above the rest.",
        list(zip(bounds, itertools.accumulate(counts), strict=True)),
        sum(sizes),
    )
