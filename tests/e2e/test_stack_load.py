"""`make load` against the stack: no failures, every panel of the dashboard shows something, and the numbers agree."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from tests.e2e.stack import Stack
from tests.support.source import ROOT
from tests.support.waiting import STACK_SECONDS, eventually, patience

USERS = 100
SECONDS = patience(30)  # all is looked at within twelve, even where ten others want the same core
SCRAPE = 5  # seconds, as in prometheus.yml
DASHBOARD = json.loads((ROOT / "monitoring/grafana/dashboards/htag.json").read_text())
QUERIES = [
    pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", [])
]
# Durations of what no load brings about, or what browsers alone measure: their quantiles are there, and are no number.
RARE = tuple(f"htag_{name}_seconds_bucket" for name in ("restore", "session_wake", "client_roundtrip", "client_away"))
# What a line of locust's table makes of events, where that is not one: a tick is a click and an input, as in a browser.
EVENTS = {"open the page": 0, "connect": 0, "tick a task": 2}


class Load(NamedTuple):
    """What came of a run."""

    stack: Stack
    process: subprocess.Popen[str]
    table: Path
    events_before: float


@pytest.fixture(scope="module")
def load(running_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    """A run of `make load` under way."""
    running_stack.up()
    stem = tmp_path_factory.mktemp("load") / "load"
    before = _settled_events(running_stack)
    command = [
        "make",
        "--assume-old=.venv/dev",
        "load",
        f"USERS={USERS}",
        f"DURATION={SECONDS:.0f}s",
        f"HOST={running_stack.url}",
        f"OPTIONS=--json-file={stem}",
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        yield Load(running_stack, process, stem.with_suffix(".json"), before)
        for each in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []:
            each.kill()
        process.kill()


def test_under_load_every_worker_is_scraped(load: Load) -> None:
    eventually(lambda: load.stack.number("sum(htag_connections)") >= USERS / 2, "half of the users")
    eventually(lambda: load.stack.number("sum(rate(htag_events_total[30s]))") > 1, "an event rate")


@pytest.mark.parametrize("expression", QUERIES)
def test_every_panel_shows_something_under_load(load: Load, expression: str) -> None:
    asked = expression.replace("$__rate_interval", "30s")
    shown = load.stack.query if any(name in expression for name in RARE) else load.stack.numbers
    assert eventually(lambda: shown(asked), asked)
    assert load.process.poll() is None, "the load was over before the dashboard was looked at"


def test_the_load_run_has_no_failures_and_the_dashboard_agrees_with_it(load: Load) -> None:
    printed, _ = load.process.communicate(timeout=SECONDS + STACK_SECONDS)
    assert load.process.returncode == 0, printed
    assert (ROOT / "reports/load.html").stat().st_size > 10_000
    rows = json.loads(load.table.read_text())
    assert {row["method"] for row in rows} == {"websocket", "sse", "http"}
    assert sum(row["num_failures"] for row in rows) == 0
    seen = _settled_events(load.stack) - load.events_before
    done = sum(row["num_requests"] * EVENTS.get(row["name"], 1) for row in rows)
    assert done > USERS
    assert seen == pytest.approx(done, rel=0.05)


def _settled_events(stack: Stack) -> float:
    """The counter, once two scrapes in a row agree."""
    seen: list[float] = []

    def settled() -> bool:
        seen.append(stack.number("sum(htag_events_total)"))
        time.sleep(1.2 * SCRAPE)
        return stack.number("sum(htag_events_total)") == seen[-1]

    eventually(settled, "the last events to be scraped")
    return seen[-1]
