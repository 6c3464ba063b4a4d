"""The Grafana dashboard "htag", as code: `python monitoring/grafana/dashboard.py` writes dashboards/htag.json.

The rows follow the order in which a person asks: are users served, what are they doing, would it outlive a worker, what
does it cost, how are the workers.
"""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from string import ascii_uppercase
from typing import NamedTuple

from grafana_foundation_sdk.builders import common, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, Row, ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef, Threshold, ThresholdsMode
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

OUTPUT = Path(__file__).parent / "dashboards" / "htag.json"
SOURCE = DataSourceRef(type_val="prometheus", uid="prometheus")  # as in provisioning/datasources/prometheus.yml
NUMBER_HEIGHT = 4  # rows of Grafana's grid, which has 24 columns
GRAPH_HEIGHT = 8

Panel = timeseries.Panel | stat.Panel | heatmap.Panel


class Query(NamedTuple):
    """A PromQL expression and what its series are called; `{{label}}` stands for a label's value."""

    expression: str
    legend: str


def rate(metric: str, by: str = "") -> str:
    """Per second, over all workers; one series for each value of the label `by`."""
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({metric}[$__rate_interval]))"


def quantile(share: float, histogram: str, by: str = "") -> str:
    """What `share` of the observations of all workers stay below."""
    grouping = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', grouping)})"


def targets(*queries: Query, shape: PromQueryFormat = PromQueryFormat.TIME_SERIES) -> list[Builder[Dataquery]]:
    """The queries of a panel, lettered as Grafana does."""
    return [
        prometheus.Dataquery().expr(query.expression).legend_format(query.legend).format(shape).range().ref_id(letter)
        for letter, query in zip(ascii_uppercase, queries, strict=False)
    ]


def graph(title: str, description: str, unit: str, *queries: Query, width: int = 8, stacked: bool = False) -> Panel:
    """Lines over time, or areas on top of each other where their sum means something."""
    return (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets(targets(*queries))
        .unit(unit)
        .min(0)
        .span(width)
        .height(GRAPH_HEIGHT)
        .line_width(1)
        .fill_opacity(30 if stacked else 8)
        .stacking(common.StackingConfig().mode(StackingMode.NORMAL if stacked else StackingMode.NONE))
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )


def number(title: str, description: str, unit: str, expression: str, *steps: Threshold) -> Panel:
    """One number and its colour."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets(targets(Query(expression, title)))
        .unit(unit)
        .span(3)
        .height(NUMBER_HEIGHT)
        .thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(list(steps)))
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )


def distribution(title: str, description: str, unit: str, histogram: str) -> Panel:
    """How many lie in which bucket. The histogram is a state read at scrape time, not a counter: no rate."""
    return (
        heatmap.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets(targets(Query(f"sum by (le) ({histogram}_bucket)", "{{le}}"), shape=PromQueryFormat.HEATMAP))
        .span(8)
        .height(GRAPH_HEIGHT)
        .y_axis(heatmap.YAxisConfig().unit(unit))
        .color(
            heatmap.HeatmapColorOptions()
            .mode(HeatmapColorMode.SCHEME)
            .scheme("Blues")
            .scale(HeatmapColorScale.EXPONENTIAL)
            .exponent(0.5)
            .steps(64)
        )
    )


def red_from(value: float) -> tuple[Threshold, Threshold]:
    return Threshold(None, "green"), Threshold(value, "red")


def red_below(value: float) -> tuple[Threshold, Threshold]:
    return Threshold(None, "red"), Threshold(value, "green")


def percentiles(histogram: str) -> Sequence[Query]:
    return [Query(quantile(percent / 100, histogram), f"p{percent}") for percent in (50, 95, 99)]


FAILED_EVENTS = 'htag_events_total{outcome="error"}'
HERE = 'sum (htag_sessions{state!="parked"})'
SERVER_ERRORS = 'http_requests_total{status=~"5.."}'

# The red lines are those of the alerts in ../prometheus/rules/alerts.yml.
USERS_ARE_SERVED: list[Panel] = [
    number(
        "Click until it shows, p95",
        "Measured in the browsers, from an event until its update is in the page: what a person waits for.",
        "s",
        quantile(0.95, "htag_client_roundtrip_seconds"),
        *red_from(1),
    ),
    number(
        "Events per second",
        "Clicks, keystrokes, form posts.",
        "short",
        rate("htag_events_total"),
        Threshold(None, "blue"),
    ),
    number(
        "Events that failed",
        "Share of events whose handler raised. The log names the component.",
        "percentunit",
        f"{rate(FAILED_EVENTS)} / {rate('htag_events_total')}",
        *red_from(0.05),
    ),
    number(
        "Event duration, p95",
        "From an event's arrival to its update: what a person waits for, without the network.",
        "s",
        quantile(0.95, "htag_event_duration_seconds"),
        *red_from(0.5),
    ),
    number(
        "Connections that broke",
        "Pages that came back after a time without a connection, told by the browsers. Restarts, networks, laptops.",
        "ops",
        rate("htag_client_away_seconds_count"),
        Threshold(None, "blue"),
    ),
    number(
        "HTTP answers that failed",
        "Share of 5xx answers of the workers.",
        "percentunit",
        f"({rate(SERVER_ERRORS)} or vector(0)) / {rate('http_requests_total')}",
        *red_from(0.01),
    ),
    number(
        "Sessions",
        "In the workers' memory: people who are connected, or left a moment ago. Parked ones are in the store.",
        "short",
        HERE,
        Threshold(None, "blue"),
    ),
    number(
        "Workers up",
        "Share of the slots that Prometheus reaches.",
        "percentunit",
        'avg (up{job="htag"})',
        *red_below(1),
    ),
    graph(
        "Click until it shows",
        "Measured in the browsers. Far above the event duration: the network, or pages with much to change.",
        "s",
        *percentiles("htag_client_roundtrip_seconds"),
    ),
    graph(
        "Time without a connection",
        "How long pages were away when they came back, told by the browsers. Minutes and more: laptops that slept.",
        "s",
        *percentiles("htag_client_away_seconds"),
    ),
    graph(
        "Transports of the pages",
        "Reports of the browsers. Few WebSockets: a proxy on the way does not let them through. Plain HTTP shows only "
        "here.",
        "ops",
        Query(rate("htag_client_reports_total", "transport"), "{{transport}}"),
        stacked=True,
    ),
    graph("Events", "By outcome.", "ops", Query(rate("htag_events_total", "outcome"), "{{outcome}}"), stacked=True),
    graph("Event duration", "From an event's arrival to its update.", "s", *percentiles("htag_event_duration_seconds")),
    graph(
        "What went wrong",
        "Exceptions in components, JavaScript errors that browsers reported (in pages: all, however many), "
        "callbacks that held the event loop.",
        "ops",
        Query(rate("htag_component_failures_total", "kind"), "{{kind}} failed"),
        Query(rate("htag_browser_errors_total"), "JavaScript error"),
        Query(rate("htag_client_errors_total"), "JavaScript errors in pages"),
        Query(rate("htag_blocked_handlers_total"), "blocked the loop"),
        Query(rate("htag_reports_left_out_total"), "not logged, too many"),
    ),
    graph(
        "HTTP requests", "By route.", "reqps", Query(rate("http_requests_total", "route"), "{{route}}"), stacked=True
    ),
    graph(
        "HTTP duration, p95",
        "Until an answer begins, by route.",
        "s",
        Query(quantile(0.95, "http_request_duration_seconds", "route"), "{{route}}"),
    ),
    graph(
        "HTTP answers",
        "By status; 101 is a WebSocket that opened.",
        "reqps",
        Query(rate("http_requests_total", "status"), "{{status}}"),
        stacked=True,
    ),
    graph(
        "Refused visitors",
        "New visitors who got the busy page, by reason: capacity is missing.",
        "ops",
        Query(rate("htag_refused_total", "reason"), "{{reason}}"),
        width=12,
    ),
    graph(
        "Refused messages",
        "By reason: attacks, broken clients, or limits that are too tight; and sessions at a bound of their own.",
        "ops",
        Query(rate("htag_messages_refused_total", "reason"), "{{reason}}"),
        Query(rate("htag_session_limits_total", "bound"), "session's bound: {{bound}}"),
        width=12,
    ),
]

SESSIONS: list[Panel] = [
    graph(
        "Sessions",
        "new: nobody connected yet; disconnected: kept for people who come back; parked: in the store only.",
        "short",
        Query("sum by (state) (htag_sessions)", "{{state}}"),
        stacked=True,
    ),
    graph(
        "Sessions opened and closed",
        "abandoned: crawlers and probes; shutdown: people whose session could not be moved.",
        "ops",
        Query(rate("htag_sessions_opened_total"), "opened"),
        Query(rate("htag_sessions_closed_total", "reason"), "closed: {{reason}}"),
    ),
    graph(
        "Connections",
        "By transport. Few WebSockets: a proxy on the way does not let them through.",
        "short",
        Query("sum by (transport) (htag_connections)", "{{transport}}"),
        stacked=True,
    ),
    graph(
        "Update traffic",
        "Bytes to the browsers, by transport.",
        "Bps",
        Query(rate("htag_update_bytes_sum", "transport"), "{{transport}}"),
        stacked=True,
    ),
    graph(
        "Size of an update",
        "Large ones: components that re-render too much.",
        "bytes",
        *percentiles("htag_update_bytes"),
    ),
    graph(
        "Tabs that fell behind",
        "They read too slowly, so a full render took the place of what was queued.",
        "ops",
        Query(rate("htag_clients_behind_total", "transport"), "{{transport}}"),
    ),
]

RESTORE_P95 = quantile(0.95, "htag_restore_seconds")
WAKE_P95 = quantile(0.95, "htag_session_wake_seconds")

SURVIVAL: list[Panel] = [
    graph(
        "Sessions and their snapshots",
        "saved: the store has all of it; dirty: a save is due; pinned: in one worker's memory only, so a crash loses "
        "it; asleep: connected, and its tree is in the store only.",
        "short",
        Query("sum by (state) (htag_session_snapshots)", "{{state}}"),
    ),
    graph(
        "Oldest unsaved change",
        "How long the session that waits longest for its save has waited. The browsers hold the clicks of that time.",
        "s",
        Query("htag_oldest_unsaved_seconds", "{{instance}}"),
    ),
    graph(
        "Snapshots",
        "By what became of them. refused: another worker has the session; failed: the store.",
        "ops",
        Query(rate("htag_snapshots_total", "outcome"), "{{outcome}}"),
        stacked=True,
    ),
    graph(
        "Snapshots' share of the event loop",
        "Saves stretch so that it stays at HTAG_SAVE_SHARE; what is moved or parked comes on top.",
        "percentunit",
        Query("rate(htag_snapshot_seconds_total[$__rate_interval])", "{{instance}}"),
    ),
    graph("Size of a snapshot", "Compressed, as it is stored.", "bytes", *percentiles("htag_snapshot_bytes")),
    graph(
        "Parked and woken",
        "Trees that left memory, by reason, and those that came back. pressure: memory is short.",
        "ops",
        Query(rate("htag_sessions_parked_total", "reason"), "parked: {{reason}}"),
        Query(rate("htag_session_wake_seconds_count"), "woken"),
    ),
    graph(
        "Restores",
        "same, moved, edited: as they were. carried: a new app with the old States, because its code has changed. "
        "failed, forged: lost.",
        "ops",
        Query(rate("htag_restores_total", "outcome"), "{{outcome}}"),
        stacked=True,
    ),
    graph(
        "Time to restore and to wake, p95",
        "What a visitor waits in addition.",
        "s",
        Query(RESTORE_P95, "restore"),
        Query(WAKE_P95, "wake"),
    ),
    graph(
        "From worker to worker",
        "What was taken over, and what was let go. silent: a crash, or a worker that is cut off.",
        "ops",
        Query(rate("htag_takeovers_total", "way"), "taken over: {{way}}"),
        Query(rate("htag_sessions_moved_total", "outcome"), "let go: {{outcome}}"),
        Query(rate("htag_sessions_superseded_total", "connected"), "superseded, connected: {{connected}}"),
    ),
    graph(
        "Tabs that came back",
        "current: had missed nothing; tail: got what they had missed; full: everything anew; gap: came once more.",
        "ops",
        Query(rate("htag_reconnects_total", "outcome"), "{{outcome}}"),
        stacked=True,
        width=12,
    ),
    graph(
        "Events that came again",
        "Not run again: answered, or without an answer. skipped: broke three connections; no snapshot: the store lost "
        "them.",
        "ops",
        Query(rate("htag_duplicate_events_total", "outcome"), "{{outcome}}"),
        Query(rate("htag_skipped_events_total"), "skipped"),
        Query(rate("htag_lost_events_total"), "no snapshot has them"),
        width=12,
    ),
]

MEMORY: list[Panel] = [
    graph(
        "Memory of a worker",
        "Resident; pages that workers share count in each of them.",
        "bytes",
        Query('process_resident_memory_bytes{job="htag"}', "{{instance}}"),
        width=6,
    ),
    graph(
        "Memory of the sessions",
        "Estimate, by worker.",
        "bytes",
        Query("htag_session_memory_bytes", "{{instance}}"),
        width=6,
    ),
    graph(
        "Memory of a session",
        "Mean of the estimates.",
        "bytes",
        Query(f"sum (htag_session_memory_bytes) / ({HERE} > 0)", "mean"),
        width=4,
    ),
    distribution(
        "Sessions by size", "Estimates. One band that rises is a leak in the app.", "bytes", "htag_session_size_bytes"
    ),
]

WORKERS: list[Panel] = [
    graph("Reachable", "1: Prometheus reaches the slot.", "short", Query('up{job="htag"}', "{{instance}}")),
    graph(
        "Event-loop lag",
        "The longest of the last seconds. All that a worker does waits for so long.",
        "s",
        Query("htag_event_loop_lag_seconds", "{{instance}}"),
    ),
    graph(
        "CPU",
        "Cores. A worker cannot use more than one.",
        "short",
        Query('rate(process_cpu_seconds_total{job="htag"}[$__rate_interval])', "{{instance}}"),
    ),
    graph(
        "Sessions by worker",
        "nginx sends newcomers to the worker with the fewest connections.",
        "short",
        Query('sum by (instance) (htag_sessions{state!="parked"})', "{{instance}}"),
    ),
    graph("Store", "1: the session store answers.", "short", Query("htag_store_up", "{{instance}}")),
    graph(
        "Version",
        "Workers by what they run. Two at a time: a deployment is under way.",
        "short",
        Query("count by (version, python, htag_app) (htag_build_info)", "{{htag_app}} {{version}}, Python {{python}}"),
        stacked=True,
    ),
]

ROWS = {
    "Are users served?": USERS_ARE_SERVED,
    "Sessions": SESSIONS,
    "Survival": SURVIVAL,
    "Memory": MEMORY,
    "Workers": WORKERS,
}


def dashboard() -> Dashboard:
    """All of it."""
    builder = (
        Dashboard("htag")
        .uid("htag")
        .tags(["htag"])
        .time("now-30m", "now")
        .refresh("10s")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
    )
    identity = count(1)  # links to a panel name it
    for title, panels in ROWS.items():
        builder.with_row(Row(title).id(next(identity)))
        for panel in panels:
            builder.with_panel(panel.id(next(identity)))
    return builder


def as_json() -> str:
    """What Grafana is provisioned with."""
    return JSONEncoder(sort_keys=True, indent=2).encode(dashboard().build()) + "\n"


if __name__ == "__main__":
    OUTPUT.write_text(as_json())
