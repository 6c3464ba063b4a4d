"""Metrics of what pages measure of themselves: a person's wait, time without a connection, errors, transports.

Everything here is a browser's word, and a browser may say anything: no value of it becomes a label, and none that is
not a number of seconds within reason is added up, since one infinity or NaN would spoil a sum for ever.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from prometheus_client import CollectorRegistry

from htag_stack.tallies import Distribution, Distributions, Tally

# Seconds from a click until it shows. 0.1 feels immediate, 1 interrupts a thought, after 10 a person has gone elsewhere
# (a page whose connection broke meanwhile tells such times as well).
ROUNDTRIP_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 60)
# Seconds without a connection. Below 0.5 the page shows no notice; a roll takes one or two, a restart of nginx five;
# from minutes on it is a laptop that slept.
AWAY_SECONDS = (0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 36_000)
TRANSPORTS = ("websocket", "sse", "http")

# What one report may add, whatever it says.
MOST_VALUES = 100  # of each kind: as many as a page keeps until it reports
LONGEST = 86_400.0  # seconds; a longer time counts as this one
MOST_ERRORS = 1000


class ClientMetrics:
    """Adds up the reports of all pages of a worker, in plain numbers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        transports = [(transport,) for transport in TRANSPORTS]
        self._roundtrips = Distributions(
            "htag_client_roundtrip_seconds",
            "Time from an event in the page until its update shows: what a person waits for, network included.",
            ROUNDTRIP_SECONDS,
            ["transport"],
            transports,
        )
        aways = Distributions(
            "htag_client_away_seconds", "Time that a page was without a connection, each time.", AWAY_SECONDS
        )
        errors = Tally(
            "htag_client_errors", "JavaScript errors of pages, also those that they did not report.", [], [()]
        )
        reports = Tally(
            "htag_client_reports",
            "Reports of pages by their transport: few by WebSocket say that a proxy does not let them through.",
            ["transport"],
            transports,
        )
        for each in (self._roundtrips, aways, errors, reports):
            registry.register(each)
        self._aways = aways[()]
        self._errors = errors.counts
        self._reports = reports.counts

    def add(self, roundtrips: Sequence[float], aways: Sequence[float], transport: str, errors: int) -> None:
        """Add one report up. Times in seconds."""
        label = (transport if transport in TRANSPORTS else "other",)
        self._reports[label] += 1
        self._errors[()] += max(0, min(errors, MOST_ERRORS))
        _observe(self._roundtrips[label], roundtrips)
        _observe(self._aways, aways)


def _observe(distribution: Distribution, seconds: Iterable[float]) -> None:
    for value in _within_reason(seconds):
        distribution.observe(value)


def _within_reason(seconds: Iterable[float]) -> Iterator[float]:
    """Those that are times at all, no more and no longer than one report may add."""
    return (min(value, LONGEST) for value in islice(seconds, MOST_VALUES) if 0 <= value < math.inf)
