import math
import re
import time
import timeit
from collections.abc import Callable, Mapping
from inspect import signature

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest as prometheus_text
from prometheus_client.openmetrics.exposition import generate_latest as open_metrics
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from htag.errors import StoreError
from htag.observer import Observer
from htag.stores.memory import MemoryStore
from htag_stack.metrics import EVENT_SECONDS, UPDATE_BYTES, Metrics
from htag_stack.tallies import Distributions, Tally
from htag_stack.vitals import Vitals
from tests.support.pools import PoolWithSessions
from tests.support.source import ROOT


class Scraped:
    def __init__(self, metrics: Metrics) -> None:
        client = TestClient(Starlette(routes=[Route("/metrics", metrics.endpoint)]))
        self.response = client.get("/metrics")
        self.families = {family.name: family for family in text_string_to_metric_families(self.response.text)}

    def __call__(self, name: str, **labels: str) -> float | None:
        for family in self.families.values():
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return sample.value
        return None


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def vitals() -> Vitals:
    return Vitals(MemoryStore())


@pytest.fixture
def watching(metrics: Metrics, vitals: Vitals) -> Metrics:
    metrics.watch(PoolWithSessions(), vitals, {"version": "1.2", "htag_app": "htag_stack.demo:Demo"})
    return metrics


@pytest.mark.parametrize(
    ("call", "arguments", "name", "labels"),
    [
        ("session_opened", (), "htag_sessions_opened_total", {}),
        ("session_closed", ("expired", 3.0), "htag_sessions_closed_total", {"reason": "expired"}),
        ("session_refused", ("memory",), "htag_refused_total", {"reason": "memory"}),
        ("event_handled", ("ok", 0.001), "htag_events_total", {"outcome": "ok"}),
        ("event_handled", ("ok", 0.001), "htag_event_duration_seconds_count", {}),
        ("event_handled", ("ok", 0.001), "htag_event_duration_seconds_bucket", {"le": "0.001"}),
        ("update_sent", ("sse", 120), "htag_update_bytes_count", {"transport": "sse"}),
        ("update_sent", ("sse", 120), "htag_update_bytes_bucket", {"transport": "sse", "le": "300.0"}),
        ("message_refused", ("csrf",), "htag_messages_refused_total", {"reason": "csrf"}),
        ("component_failed", ("render",), "htag_component_failures_total", {"kind": "render"}),
        ("handler_blocked", ("Home.click", 0.2), "htag_blocked_handlers_total", {}),
        ("client_fell_behind", ("websocket",), "htag_clients_behind_total", {"transport": "websocket"}),
        ("browser_error", (), "htag_browser_errors_total", {}),
        *(
            ("browser_measured", arguments, name, labels)
            for arguments, name, labels in (
                (([0.04], [], "sse", 0), "htag_client_roundtrip_seconds_count", {"transport": "sse"}),
                (([0.04], [], "sse", 0), "htag_client_roundtrip_seconds_bucket", {"transport": "sse", "le": "0.05"}),
                (([], [3.0], "http", 0), "htag_client_away_seconds_count", {}),
                (([], [3.0], "http", 0), "htag_client_away_seconds_bucket", {"le": "5.0"}),
                (([], [], "websocket", 1), "htag_client_errors_total", {}),
                (([], [], "websocket", 0), "htag_client_reports_total", {"transport": "websocket"}),
            )
        ),
        ("snapshot_made", ("saved", 900, 1.0), "htag_snapshots_total", {"outcome": "saved"}),
        ("snapshot_made", ("refused", 900, 1.0), "htag_snapshots_total", {"outcome": "refused"}),
        ("snapshot_made", ("failed", 900, 1.0), "htag_snapshots_total", {"outcome": "failed"}),
        ("snapshot_made", ("pinned", 0, 1.0), "htag_snapshots_total", {"outcome": "pinned"}),
        ("snapshot_made", ("too_large", 900, 1.0), "htag_snapshots_total", {"outcome": "too_large"}),
        ("snapshot_made", ("saved", 900, 1.0), "htag_snapshot_bytes_count", {}),
        ("snapshot_made", ("saved", 900, 1.0), "htag_snapshot_bytes_bucket", {"le": "1000.0"}),
        ("snapshot_made", ("saved", 900, 1.0), "htag_snapshot_seconds_total", {}),
        *(
            ("session_restored", (outcome, 0.002), "htag_restores_total", {"outcome": outcome})
            for outcome in ("same", "moved", "edited", "carried", "failed", "forged", "foreign")
        ),
        ("session_restored", ("same", 0.002), "htag_restore_seconds_bucket", {"le": "0.0025"}),
        *(
            ("session_taken_over", (way,), "htag_takeovers_total", {"way": way})
            for way in ("released", "handed_over", "unknown", "silent")
        ),
        *(
            ("session_parked", (reason,), "htag_sessions_parked_total", {"reason": reason})
            for reason in ("disconnected", "idle", "pressure")
        ),
        ("session_woken", (0.002,), "htag_session_wake_seconds_count", {}),
        *(
            ("session_moved", (outcome,), "htag_sessions_moved_total", {"outcome": outcome})
            for outcome in ("drained", "handed_over", "pinned")
        ),
        ("session_superseded", (True,), "htag_sessions_superseded_total", {"connected": "true"}),
        ("session_superseded", (False,), "htag_sessions_superseded_total", {"connected": "false"}),
        *(
            ("event_repeated", (outcome,), "htag_duplicate_events_total", {"outcome": outcome})
            for outcome in ("answered", "running", "lost", "interrupted")
        ),
        ("event_skipped", (), "htag_skipped_events_total", {}),
        ("events_lost", (1,), "htag_lost_events_total", {}),
        *(
            ("client_resumed", (outcome,), "htag_reconnects_total", {"outcome": outcome})
            for outcome in ("current", "tail", "full", "gap")
        ),
    ],
)
def test_what_htag_announces_is_counted_and_zero_before(
    metrics: Metrics, call: str, arguments: tuple[object, ...], name: str, labels: Mapping[str, str]
) -> None:
    assert Scraped(metrics)(name, **labels) == 0
    getattr(metrics, call)(*arguments)
    assert Scraped(metrics)(name, **labels) == 1


def test_a_value_that_nobody_foresaw_is_counted_too(metrics: Metrics) -> None:
    metrics.session_closed("logout", 1.0)
    assert Scraped(metrics)("htag_sessions_closed_total", reason="logout") == 1


def test_nothing_that_can_be_announced_is_forgotten() -> None:
    announced = {name for name in vars(Observer) if not name.startswith("_")}
    read_from_the_pool_instead = {"client_connected", "client_disconnected"}
    heard = {name for name in announced if getattr(Metrics, name) is not getattr(Observer, name)}
    assert announced - read_from_the_pool_instead == heard


def announced() -> set[tuple[str, str]]:
    """(method, value) of each label value that a call of an observer names in the source."""
    calls = [
        call
        for package in ("htag", "app/htag_stack")
        for path in (ROOT / package).rglob("*.py")
        for call in re.findall(r"observer\.(\w+)\(([^()]*)", path.read_text())
    ]
    return {(method, value) for method, arguments in calls for value in re.findall(r'"(\w+)"', arguments)}


def test_every_value_that_is_announced_was_shown_as_zero_before(metrics: Metrics) -> None:
    found = announced()
    assert len(found) > 30  # else they are announced in a way that is not seen here
    before = set(prometheus_text(metrics.registry).decode().splitlines())
    unforeseen = []
    for method, value in found:
        getattr(metrics, method)(value, *[1] * (len(signature(getattr(Observer, method)).parameters) - 2))
        after = set(prometheus_text(metrics.registry).decode().splitlines())
        counted = [line.rpartition(" ")[0] for line in after - before if f'"{value}"' in line]
        unforeseen += [name for name in counted if not any(line.startswith(f"{name} 0.0") for line in before)]
    assert unforeseen == []


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("htag_sessions", {"state": "new"}, 1),
        ("htag_sessions", {"state": "disconnected"}, 0),
        ("htag_connections", {"transport": "websocket"}, 2),
        ("htag_session_memory_bytes", {}, 160_000),
        ("htag_session_size_bytes_bucket", {"le": "10000.0"}, 1),
        ("htag_session_size_bytes_bucket", {"le": "100000.0"}, 2),
        ("htag_session_size_bytes_bucket", {"le": "+Inf"}, 3),
        ("htag_session_snapshots", {"state": "dirty"}, 1),
        ("htag_session_snapshots", {"state": "pinned"}, 0),
        ("htag_oldest_unsaved_seconds", {}, 0.25),
        ("htag_event_loop_lag_seconds", {}, 0),
        ("htag_store_up", {}, 1),
    ],
)
def test_states_are_read_at_the_scrape(watching: Metrics, name: str, labels: Mapping[str, str], value: float) -> None:
    assert Scraped(watching)(name, **labels) == value


def test_a_store_that_is_down_shows(watching: Metrics, vitals: Vitals) -> None:
    vitals.store_error = StoreError("down")
    assert Scraped(watching)("htag_store_up") == 0


def test_what_is_running_is_told(watching: Metrics) -> None:
    (sample,) = Scraped(watching).families["htag_build_info"].samples
    assert sample.labels.keys() == {"version", "python", "htag_app"}
    assert sample.labels["version"] == "1.2"


def test_requests_are_counted_by_route_method_and_status(metrics: Metrics) -> None:
    metrics.http_answered("page", "GET", 200, 0.004)
    scraped = Scraped(metrics)
    assert scraped("http_requests_total", route="page", method="GET", status="200") == 1
    assert scraped("http_request_duration_seconds_bucket", route="page", le="0.005") == 1


def test_invented_methods_are_one_label(metrics: Metrics) -> None:
    for method in ("AAAA", "BBBB", "get"):
        metrics.http_answered("unmatched", method, 405, 0.001)
    assert Scraped(metrics)("http_requests_total", route="unmatched", method="other", status="405") == 3


def test_what_cannot_be_stored_has_no_size(metrics: Metrics) -> None:
    metrics.snapshot_made("pinned", 0, 0.25)
    scraped = Scraped(metrics)
    assert scraped("htag_snapshot_bytes_count") == 0
    assert scraped("htag_snapshot_seconds_total") == 0.25


def test_events_are_lost_in_numbers(metrics: Metrics) -> None:
    metrics.events_lost(7)
    assert Scraped(metrics)("htag_lost_events_total") == 7


@pytest.mark.parametrize("hostile", [math.nan, math.inf, -math.inf, -1.0, -1e308])
def test_a_time_that_is_none_is_left_out_of_what_a_browser_says(metrics: Metrics, hostile: float) -> None:
    metrics.browser_measured([hostile, 0.25], [hostile, 2.0], "sse", 0)
    scraped = Scraped(metrics)
    assert scraped("htag_client_roundtrip_seconds_sum", transport="sse") == 0.25
    assert scraped("htag_client_roundtrip_seconds_count", transport="sse") == 1
    assert scraped("htag_client_away_seconds_sum") == 2
    assert scraped("htag_client_away_seconds_count") == 1


def test_what_one_report_of_a_browser_adds_is_bounded(metrics: Metrics) -> None:
    metrics.browser_measured([1e300] * 5000, [10**400] * 5000, "sse", 10**30)
    metrics.browser_measured([], [], "sse", -(10**30))
    scraped = Scraped(metrics)
    assert scraped("htag_client_roundtrip_seconds_sum", transport="sse") == 100 * 86_400
    assert scraped("htag_client_away_seconds_sum") == 100 * 86_400
    assert scraped("htag_client_errors_total") == 1000


def test_no_word_of_a_browser_becomes_a_label(metrics: Metrics) -> None:
    for number in range(50):
        metrics.browser_measured([0.1], [0.1], f"transport {number}", 1)
    text = prometheus_text(metrics.registry).decode()
    assert "transport 1" not in text
    assert Scraped(metrics)("htag_client_reports_total", transport="other") == 50


def test_two_workers_in_one_process_do_not_meet(metrics: Metrics) -> None:
    metrics.session_opened()
    assert Scraped(Metrics())("htag_sessions_opened_total") == 0


def test_the_process_itself_is_measured(metrics: Metrics) -> None:
    assert (Scraped(metrics)("process_resident_memory_bytes") or 0) > 1_000_000


def test_every_metric_says_what_it_is_for(watching: Metrics) -> None:
    ours = [family for family in watching.registry.collect() if family.name.startswith(("htag_", "http_"))]
    assert len(ours) >= 18
    assert all(family.documentation.endswith(".") for family in ours)


def test_prometheus_gets_openmetrics_if_it_asks(metrics: Metrics) -> None:
    client = TestClient(Starlette(routes=[Route("/metrics", metrics.endpoint)]))
    response = client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")


def lines_of(registry: CollectorRegistry, form: Callable[[CollectorRegistry], bytes]) -> list[str]:
    return sorted(line for line in form(registry).decode().splitlines() if "htag_" in line or "http_" in line)


@pytest.mark.parametrize("form", [prometheus_text, open_metrics])
def test_plain_numbers_are_shown_exactly_as_the_library_s_own_are(form: Callable[[CollectorRegistry], bytes]) -> None:
    own = CollectorRegistry()
    for collector in (
        counts := Tally("htag_events", "Purpose.", ["outcome"], [("ok",), ("error",)]),
        sizes := Distributions("htag_update_bytes", "Purpose.", UPDATE_BYTES, ["transport"], [("sse",)]),
        seconds := Distributions("htag_event_duration_seconds", "Purpose.", EVENT_SECONDS),
    ):
        own.register(collector)
    library = CollectorRegistry()
    counter = Counter("htag_events", "Purpose.", ["outcome"], registry=library)
    histogram = Histogram("htag_update_bytes", "Purpose.", ["transport"], buckets=UPDATE_BYTES, registry=library)
    timer = Histogram("htag_event_duration_seconds", "Purpose.", buckets=EVENT_SECONDS, registry=library)
    for outcome in ("ok", "error"):
        counter.labels(outcome)
    histogram.labels("sse")
    assert lines_of(own, form) == lines_of(library, form)

    for number in range(60):
        value = number**4 / 7
        counts.counts["ok",] += 1
        sizes["sse",].observe(value)
        sizes["websocket",].observe(value)
        seconds[()].observe(value)
        counter.labels("ok").inc()
        histogram.labels("sse").observe(value)
        histogram.labels("websocket").observe(value)
        timer.observe(value)
    for bound in (*UPDATE_BYTES, *EVENT_SECONDS):  # what lies on a bound
        seconds[()].observe(bound)
        timer.observe(bound)
    assert lines_of(own, form) == lines_of(library, form)


def test_an_event_costs_the_observer_little(metrics: Metrics) -> None:
    """0.5 µs on a fast machine; the library's own counters took four times that, with a lock for each."""
    registry = CollectorRegistry()
    timer = Histogram("a", "Purpose.", buckets=EVENT_SECONDS, registry=registry)
    counter = Counter("b", "Purpose.", registry=registry)

    def ours() -> None:
        metrics.event_handled("ok", 0.001)
        metrics.update_sent("websocket", 130)

    def theirs() -> None:
        counter.inc()
        timer.observe(0.001)
        timer.observe(0.001)

    assert least_time(ours) < least_time(theirs) * 0.7


def least_time(work: Callable[[], None]) -> float:
    """The seconds of a processor that `work` takes a thousand times, at best: what else the machine does adds to it."""
    return min(timeit.repeat(work, time.process_time, repeat=20, number=1000))
