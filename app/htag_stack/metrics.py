"""Prometheus metrics of one worker: what htag announces (`Metrics` is its `Observer`), and what the HTTP middleware
sees.

Everything that is a state (worker_state.py) is read at scrape time, so nothing is kept in step by hand. No label ever
carries a session, a user or a raw path. What is told of every event and every request is added up in plain numbers
(tallies.py). No other module but those that these metrics are made of imports prometheus_client.
"""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from htag_stack.client_metrics import ClientMetrics
from htag_stack.survival_metrics import SurvivalMetrics
from htag_stack.tallies import Distributions, Tally
from htag_stack.vitals import Vitals
from htag_stack.worker_state import RegistryState, WorkerStateCollector

# Seconds. Most handlers take well under a millisecond; 0.1 is where a person feels a delay and htag announces a
# blocked loop; beyond ten seconds it does not matter how much longer.
EVENT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10)
# Seconds until an answer begins. A page takes 1 to 10 ms; 0.3 and 1 are the usual objectives; a visitor waits
# no longer than 10.
HTTP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1, 3, 10)
# Bytes. One changed number is about 100, a row 1 000, a whole page of 1 000 rows 150 000; the outbox holds four
# million.
UPDATE_BYTES = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 4_000_000)

# A second series for each counter and histogram, which says when it began: no dashboard or alert reads it. The library
# offers only this switch, for the whole process.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the package is typed in part

# any other method counts as "other"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TRANSPORTS = ("websocket", "sse", "http")


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


class Metrics(SurvivalMetrics):
    """Counts what htag announces and what the HTTP middleware sees: one a worker, with its own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        super().__init__(self.registry)
        ProcessCollector(registry=self.registry)  # CPU, memory and file descriptors of this worker
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)  # a busy garbage collector explains slow events
        self._count_sessions()
        self._count_events()
        self._count_troubles()
        self._count_requests()
        self._clients = ClientMetrics(self.registry)

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
            ("tabs", "waiting", "messages", "tasks", "size", "reports", "measures"),
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

    def browser_measured(
        self, roundtrips: Sequence[float], aways: Sequence[float], transport: str, errors: int
    ) -> None:
        self._clients.add(roundtrips, aways, transport, errors)

    def report_left_out(self) -> None:
        self._reports_left_out.inc()
