"""Metrics of sessions that outlive their worker: saved, restored, taken over, parked, woken, moved, and what repeats.

All in plain numbers: after a worker's end its sessions come back by the thousand, and saves are as many as events.
"""

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from htag.observer import Observer
from htag_stack.tallies import Counts, Distribution, Distributions, Tally

# Bytes, compressed. A page of 65 tags takes about 1 000, one of 3 000 tags 25 000; HTAG_SNAPSHOT_BYTES bounds it.
SNAPSHOT_BYTES = (300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
# Seconds from the store's answer, or before it, until the app is there. A visitor waits so long in addition.
RESTORE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 3, 10)


class Seconds(Collector):
    """Collects one counter of seconds, in plain numbers."""

    def __init__(self, name: str, purpose: str) -> None:
        self.total = 0.0
        self._described = (name, purpose)

    def collect(self) -> list[Metric]:
        return [CounterMetricFamily(*self._described, self.total)]


class SurvivalMetrics(Observer):
    """Counts what htag announces of sessions that outlive their worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._into = registry
        self._count_saves()
        self._count_restores()
        self._count_moves()
        self._count_repetitions()

    # ---- the metrics, each with its purpose

    def _count_saves(self) -> None:
        self._snapshots = self._tally(
            "htag_snapshots",
            "Snapshots of sessions by what became of them: whether a worker may be lost.",
            "outcome",
            "saved refused failed pinned too_large",
        )
        sizes = Distributions("htag_snapshot_bytes", "Size of a snapshot as it is stored.", SNAPSHOT_BYTES)
        self._snapshot_bytes = sizes[()]
        self._snapshot_seconds = Seconds(
            "htag_snapshot_seconds",
            "Time of the event loop that snapshots took: their share of a worker, by rate().",
        )
        for each in (sizes, self._snapshot_seconds):
            self._into.register(each)

    def _count_restores(self) -> None:
        self._restores = self._tally(
            "htag_restores",
            "Sessions made from snapshots: carried ones began anew with their States, failed and forged ones lost all.",
            "outcome",
            "same moved edited carried failed forged foreign",
        )
        self._restore_seconds = self._seconds("htag_restore_seconds", "Time to make a session from its snapshot.")
        self._takeovers = self._tally(
            "htag_takeovers",
            "Sessions that came from another worker: silent ones are crashes, or workers that are cut off.",
            "way",
            "released handed_over unknown silent",
        )

    def _count_moves(self) -> None:
        self._parked = self._tally(
            "htag_sessions_parked",
            "Sessions whose tree left memory: many for pressure say that memory is short.",
            "reason",
            "disconnected idle pressure",
        )
        self._wake_seconds = self._seconds(
            "htag_session_wake_seconds", "Time to bring a parked session's tree back: what its next event waits."
        )
        self._moved = self._tally(
            "htag_sessions_moved",
            "Sessions that this worker let go: pinned ones were lost with it.",
            "outcome",
            "drained handed_over pinned",
        )
        self._superseded = self._tally(
            "htag_sessions_superseded",
            "Sessions that another worker has taken: with tabs connected here, two workers believed that they had it.",
            "connected",
            "true false",
        )

    def _count_repetitions(self) -> None:
        self._duplicates = self._tally(
            "htag_duplicate_events",
            "Events that came again and were not run again: lost and interrupted ones have no result.",
            "outcome",
            "answered running lost interrupted",
        )
        self._skipped = self._tally(
            "htag_skipped_events", "Events that a tab gave up after three lost connections: each may kill a worker."
        )
        self._lost = self._tally("htag_lost_events", "Events that no snapshot has any more: the store has lost them.")
        self._reconnects = self._tally(
            "htag_reconnects",
            "Tabs that came back: full ones had missed more than was kept.",
            "outcome",
            "current tail full gap",
        )

    def _tally(self, name: str, purpose: str, label: str = "", values: str = "") -> Counts:
        """A counter; its label's `values` are shown as 0 before they are counted."""
        known = [(value,) for value in values.split()] if label else [()]
        tally = Tally(name, purpose, [label] if label else [], known)
        self._into.register(tally)
        return tally.counts

    def _seconds(self, name: str, purpose: str) -> Distribution:
        distributions = Distributions(name, purpose, RESTORE_SECONDS)
        self._into.register(distributions)
        return distributions[()]

    # ---- what htag tells

    def snapshot_made(self, outcome: str, size: int, seconds: float) -> None:
        self._snapshots[outcome,] += 1
        self._snapshot_seconds.total += seconds
        if size:
            self._snapshot_bytes.observe(size)

    def session_restored(self, outcome: str, seconds: float) -> None:
        self._restores[outcome,] += 1
        self._restore_seconds.observe(seconds)

    def session_taken_over(self, way: str) -> None:
        self._takeovers[way,] += 1

    def session_parked(self, reason: str) -> None:
        self._parked[reason,] += 1

    def session_woken(self, seconds: float) -> None:
        self._wake_seconds.observe(seconds)

    def session_moved(self, outcome: str) -> None:
        self._moved[outcome,] += 1

    def session_superseded(self, connected: bool) -> None:
        self._superseded[("false", "true")[connected],] += 1

    def event_repeated(self, outcome: str) -> None:
        self._duplicates[outcome,] += 1

    def event_skipped(self) -> None:
        self._skipped[()] += 1

    def events_lost(self, count: int) -> None:
        self._lost[()] += count

    def client_resumed(self, outcome: str) -> None:
        self._reconnects[outcome,] += 1
