"""Grafana cannot be started everywhere, so what it would read is checked here; the queries run in tests/e2e."""

import importlib.util
import json
import re
from types import ModuleType
from typing import Any

import pytest
import yaml

from htag.stores.memory import MemoryStore
from htag_stack.metrics import Metrics
from htag_stack.vitals import Vitals
from tests.support.pools import PoolWithSessions
from tests.support.source import ROOT

GRAFANA = ROOT / "monitoring/grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards/htag.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
[DATASOURCE] = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
[PROVIDER] = yaml.safe_load((GRAFANA / "provisioning/dashboards/htag.yml").read_text())["providers"]
QUERIES = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
NOT_SHOWN = {
    "htag_websocket_pauses",  # of use only to those who look into an attack
    "process_open_fds",
    "process_max_fds",
    "process_virtual_memory_bytes",
    "process_start_time_seconds",  # an alert asks for it
    *(f"python_gc_{name}" for name in ("objects_collected", "objects_uncollectable", "collections")),
    "python_info",  # the build has it as well
}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def code() -> ModuleType:
    """monitoring/grafana/dashboard.py, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("dashboard", GRAFANA / "dashboard.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_dashboard_is_what_the_code_makes(code: ModuleType) -> None:
    assert code.OUTPUT.read_text() == code.as_json(), "run `make dashboard`"


def test_the_rows_are_in_the_order_in_which_a_person_asks() -> None:
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Are users served?", "Sessions", "Survival", "Memory", "Workers"]


@pytest.fixture(scope="module")
def measured() -> dict[str, str]:
    """The kinds of all metrics of a worker, by name."""
    metrics = Metrics()
    metrics.watch(PoolWithSessions(), Vitals(MemoryStore()), {"version": "1.2", "htag_app": "app:App"})
    return {family.name: family.type for family in metrics.registry.collect()}


def test_every_metric_is_shown_or_named_as_one_that_is_not(measured: dict[str, str]) -> None:
    shown = {name for name in measured if re.search(rf"\b{name}(_total|_sum|_count|_bucket|_info)?\b", QUERIES)}
    assert set(measured) - shown == NOT_SHOWN


def test_no_panel_asks_for_what_is_not_measured(measured: dict[str, str]) -> None:
    asked = set(re.findall(r"\b(?:htag|http|process)_\w+", QUERIES)) - {"htag_app"}
    suffixes = re.compile(r"_(total|sum|count|bucket|info)$")
    assert {suffixes.sub("", name) for name in asked} <= set(measured)


def test_every_panel_asks_the_provisioned_datasource_and_explains_itself() -> None:
    for panel in PANELS:
        assert panel["datasource"] == {"type": DATASOURCE["type"], "uid": DATASOURCE["uid"]}
        assert panel["description"]
        assert panel["targets"]
    identities = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(identities)) == len(identities)


def test_no_panel_hides_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_grafana_knows_how_often_prometheus_scrapes() -> None:
    prometheus = yaml.safe_load((ROOT / "monitoring/prometheus/prometheus.yml").read_text())
    assert DATASOURCE["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]


def test_the_image_holds_what_is_provisioned() -> None:
    grafana = COMPOSE["services"]["grafana"]
    dockerfile = (ROOT / grafana["build"] / "Dockerfile").read_text()
    copied = dict(line.split()[1:] for line in dockerfile.splitlines() if line.startswith("COPY"))
    assert copied == {"dashboards": PROVIDER["options"]["path"], "provisioning": "/etc/grafana/provisioning"}
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{PROVIDER['options']['path']}/htag.json"
    assert DATASOURCE["url"] == "http://prometheus:9090"
    assert set(grafana["networks"]) & set(COMPOSE["services"]["prometheus"]["networks"])
