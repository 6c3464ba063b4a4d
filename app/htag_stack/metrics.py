"""Prometheus metrics of one worker: the only module that knows of prometheus_client.

Counters and histograms are fed by what htag announces (`Metrics` is its `Observer`) and by the HTTP middleware;
everything that is a state (sessions, connections, memory, lag) is read at scrape time, so nothing is kept in step
by hand. No label ever carries a session, a user or a raw path.

What is told of every event and every request is added up in plain numbers (`Tally`, `Distribution`), because the
library's own counters take a lock for each: 2 µs an event, of 19 that it costs altogether.
"""

import itertools
import platform
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from htag.observer import Observer
from htag.websocket_protocol import FairWebSocketProtocol
from htag_stack.vitals import Vitals

# Seconds. Most handlers take well under a millisecond; 0.1 is where a person feels a delay and htag announces a
# blocked loop; beyond ten seconds it does not matter how much longer.
EVENT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10)
# Seconds until an answer begins. A page takes 1 to 10 ms; 0.3 and 1 are the usual objectives; a visitor waits
# no longer than 10.
HTTP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1, 3, 10)
# Bytes. One changed number is about 100, a row 1 000, a whole page of 1 000 rows 150 000; the outbox holds four
# million.
UPDATE_BYTES = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 4_000_000)
# Bytes. A small page is about 50 000 of objects; a session above 10 million holds a data set.
SESSION_BYTES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 100_000_000)

# A second series for each counter and histogram, which says when it began: no dashboard or alert reads it. The library
# offers only this switch, for the whole process.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the package is typed in part

# any other method counts as "other"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TRANSPORTS = ("websocket", "sse", "http")


class RegistryState(Protocol):
    """What is read of a session registry (`htag.session.registry`) at a scrape."""

    def counts(self) -> dict[str, int]: ...
    def connections(self) -> dict[str, int]: ...
    def memory(self) -> int: ...
    def memory_by_session(self) -> list[int]: ...


class _Counts(dict[str, Counter]):
    """Holds the counters of one metric, by the value of its only label. Those named beforehand start at zero."""

    def __init__(self, metric: Counter, values: Iterable[str]) -> None:
        super().__init__()
        self._metric = metric
        for value in values:
            self[value] = metric.labels(value)

    def __missing__(self, value: str) -> Counter:
        self[value] = counter = self._metric.labels(value)
        return counter


class Tally(Collector):
    """Collects one counter by the values of its labels, in plain numbers: it is only incremented on the event loop."""

    def __init__(self, name: str, purpose: str, labels: Sequence[str], known: Iterable[tuple[str, ...]] = ()) -> None:
        """`known`: values that are shown as 0 before they are counted."""
        self.counts: defaultdict[tuple[str, ...], int] = defaultdict(int, dict.fromkeys(known, 0))
        self._described = (name, purpose, labels)

    def collect(self) -> Iterator[Metric]:
        name, purpose, labels = self._described
        family = CounterMetricFamily(name, purpose, labels=labels)
        for values, count in self.counts.items():
            family.add_metric(values, count)
        yield family


class Distribution:
    """Counts the observations between the bounds of a histogram, and adds them up."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total: float = 0

    def observe(self, value: float) -> None:
        """Count one observation, in the histogram's unit."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def cumulated(self) -> list[tuple[str, float]]:
        """The histogram's buckets as Prometheus has them: (upper bound, observations up to it)."""
        names = [floatToGoString(bound) for bound in (*self._bounds, float("inf"))]  # type: ignore[no-untyped-call]
        return list(zip(names, itertools.accumulate(self.counts), strict=True))


class Distributions(Collector):
    """Collects one histogram by the values of its labels, in plain numbers too."""

    def __init__(
        self,
        name: str,
        purpose: str,
        bounds: Sequence[float],
        labels: Sequence[str] = (),
        known: Iterable[tuple[str, ...]] = ((),),
    ) -> None:
        """`known`: values that are shown before anything is observed."""
        self._bounds = bounds
        self._described = (name, purpose, labels)
        self._parts = {values: Distribution(bounds) for values in known}

    def __getitem__(self, values: tuple[str, ...]) -> Distribution:
        if (part := self._parts.get(values)) is None:
            part = self._parts[values] = Distribution(self._bounds)
        return part

    def collect(self) -> Iterator[Metric]:
        name, purpose, labels = self._described
        family = HistogramMetricFamily(name, purpose, labels=labels)
        for values, part in self._parts.items():
            family.add_metric(values, part.cumulated(), part.total)
        yield family


class Metrics(Observer):
    """Counts what htag announces and what the HTTP middleware sees: one a worker, with its own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # CPU, memory and file descriptors of this worker
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)  # a busy garbage collector explains slow events
        self._count_sessions()
        self._count_events()
        self._count_troubles()
        self._count_requests()

    def watch(self, sessions: RegistryState, vitals: Vitals, build: Mapping[str, str]) -> None:
        """Read the state of these at each scrape from now on. `build`: labels of `htag_build`."""
        self.registry.register(WorkerStateCollector(sessions, vitals, build))

    async def endpoint(self, request: Request) -> Response:
        """Answer `GET /metrics`; 404 below a path prefix, where the request comes from outside, past nginx's rule."""
        if request.scope["path"] != "/metrics":
            return PlainTextResponse("Not Found", 404)
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self.registry), headers={"content-type": content_type})

    # ---- the metrics, each with its purpose

    def _count_sessions(self) -> None:
        self._opened = self._counter("htag_sessions_opened", "Sessions made: how many visitors come.")
        self._closed = self._counters(
            "htag_sessions_closed",
            "Sessions ended: many abandoned ones are crawlers, many at shutdown are pages that people lost.",
            "reason",
            ("abandoned", "expired", "replaced", "too_large", "shutdown"),
        )
        self._refused = self._counters(
            "htag_refused",
            "New visitors who got the busy page: add capacity, or (rate) many came from one address.",
            "reason",
            ("sessions", "memory", "draining", "rate"),
        )

    def _count_events(self) -> None:
        outcomes = [("ok",), ("error",), ("no_target",), ("no_handler",)]
        events = Tally(
            "htag_events", "Events handled: the use that is made of the app, and its errors.", ["outcome"], outcomes
        )
        seconds = Distributions(
            "htag_event_duration_seconds",
            "Time from an event's arrival to its answer: what a person waits for, without the network.",
            EVENT_SECONDS,
        )
        sizes = Distributions(
            "htag_update_bytes",
            "Size of the updates sent: traffic, and components that render more than what changed.",
            UPDATE_BYTES,
            ["transport"],
            [(transport,) for transport in _TRANSPORTS],
        )
        for each in (events, seconds, sizes):
            self.registry.register(each)
        self._events = events.counts
        self._event_duration = seconds[()]
        self._update_bytes = {transport: sizes[transport,] for transport in _TRANSPORTS}

    def _count_troubles(self) -> None:
        self._messages_refused = self._counters(
            "htag_messages_refused",
            "Requests and messages refused: attacks, stale pages, or limits that are too tight.",
            "reason",
            ("malformed", "too_large", "too_fast", "origin", "csrf", "no_session", "forged"),
        )
        self._failures = self._counters(
            "htag_component_failures",
            "Exceptions in components: bugs of the app.",
            "kind",
            ("handler", "render", "hook", "init"),
        )
        self._blocked = self._counter(
            "htag_blocked_handlers",
            "Handlers, hooks, renders or pages that held the event loop, and with it everybody: the log names them.",
        )
        self._behind = self._counters(
            "htag_clients_behind", "Tabs that read too slowly and got a full render instead.", "transport", _TRANSPORTS
        )
        self._limited = self._counters(
            "htag_session_limits",
            "Sessions at a bound of their own: one visitor asks for too much, or the app gives too much to each.",
            "bound",
            ("tabs", "waiting", "messages", "tasks", "size"),
        )
        self._browser_errors = self._counter("htag_browser_errors", "JavaScript errors that browsers reported.")
        self._reports_left_out = self._counter(
            "htag_reports_left_out", "Log lines about sessions not written, because there were too many."
        )

    def _count_requests(self) -> None:
        requests = Tally(
            "http_requests",
            "HTTP requests and WebSocket handshakes by route name: rate and errors.",
            ["route", "method", "status"],
        )
        self._request_seconds = Distributions(
            "http_request_duration_seconds",
            "Time until an answer begins (a stream ends only when its page is left).",
            HTTP_SECONDS,
            ["route"],
            (),
        )
        for each in (requests, self._request_seconds):
            self.registry.register(each)
        self._requests = requests.counts

    def _counter(self, name: str, purpose: str) -> Counter:
        return Counter(name, purpose, registry=self.registry)

    def _counters(self, name: str, purpose: str, label: str, values: Iterable[str]) -> _Counts:
        return _Counts(Counter(name, purpose, [label], registry=self.registry), values)

    # ---- what the HTTP middleware tells

    def http_answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answer, which began `seconds` after its request."""
        self._requests[route, method if method in _METHODS else "other", str(status)] += 1
        self._request_seconds[route,].observe(seconds)

    # ---- what htag tells

    def session_opened(self) -> None:
        self._opened.inc()

    def session_closed(self, reason: str, age: float) -> None:
        self._closed[reason].inc()

    def session_refused(self, reason: str) -> None:
        self._refused[reason].inc()

    def event_handled(self, outcome: str, seconds: float) -> None:
        self._events[outcome,] += 1
        self._event_duration.observe(seconds)

    def update_sent(self, transport: str, size: int) -> None:
        self._update_bytes[transport].observe(size)

    def message_refused(self, reason: str) -> None:
        self._messages_refused[reason].inc()

    def component_failed(self, kind: str) -> None:
        self._failures[kind].inc()

    def handler_blocked(self, name: str, seconds: float) -> None:
        self._blocked.inc()

    def client_fell_behind(self, transport: str) -> None:
        self._behind[transport].inc()

    def session_limited(self, bound: str) -> None:
        self._limited[bound].inc()

    def browser_error(self) -> None:
        self._browser_errors.inc()

    def report_left_out(self) -> None:
        self._reports_left_out.inc()


class WorkerStateCollector(Collector):
    """Collects what is a state, at the moment of a scrape: sessions, connections, memory, lag, the store, the build."""

    def __init__(self, sessions: RegistryState, vitals: Vitals, build: Mapping[str, str]) -> None:
        self._sessions = sessions
        self._vitals = vitals
        self._build = {"python": platform.python_version(), **build}

    def collect(self) -> Iterator[Metric]:
        yield _gauges("htag_sessions", "Sessions by state: the load.", "state", self._sessions.counts())
        yield _gauges(
            "htag_connections", "Open channels to tabs, by transport.", "transport", self._sessions.connections()
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
