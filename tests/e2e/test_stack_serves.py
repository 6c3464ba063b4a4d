"""`docker compose up`, then a visitor: page, three transports, health, and what is not public."""

import pytest
import requests

from headless.protocol import Transport
from tests.e2e.stack import MEMORY_LIMIT, SLOTS, Stack, Visitor
from tests.support.engine import docker, run
from tests.support.waiting import eventually


@pytest.mark.parametrize("transport", ["websocket", "sse", "http"])
def test_a_visitor_is_served_through_nginx(stack: Stack, transport: Transport) -> None:
    with Visitor(stack.url, transport) as visitor:
        visitor.arrive()
        visitor.click_once()
        visitor.click_once()
        assert visitor.served_by in stack.slots()
        assert not visitor.moves


def test_health_tells_people_and_monitors(stack: Stack) -> None:
    with Visitor(stack.url) as visitor:
        visitor.arrive()
        answer = visitor.http.get(stack.url + "/health", timeout=10)
    report = answer.json()
    assert answer.status_code == 200
    assert answer.headers["X-Htag-Served-By"] == visitor.served_by
    assert report["status"] == "ok"
    assert report["version"]
    worker = report["worker"]
    assert f"{worker['host']}:{worker['slot']}" == visitor.served_by
    assert worker["pid"] > 0
    assert worker["uptime_seconds"] > 0
    assert report["sessions"]["connected"] >= 1
    assert report["memory"]["limit_bytes"] == MEMORY_LIMIT
    assert 0 < report["memory"]["used_bytes"] < MEMORY_LIMIT // SLOTS
    assert report["memory"]["per_session_bytes"] > 0
    assert (report["store"]["kind"], report["store"]["ok"]) == ("valkey", True)
    assert report["event_loop_lag_seconds"] >= 0


def test_metrics_are_for_prometheus_only(stack: Stack) -> None:
    assert requests.get(stack.url + "/metrics", timeout=10).status_code == 404
    eventually(lambda: stack.number('count(up{job="htag"} == 1)') == 2, "both slots in Prometheus")
    assert {sample["metric"]["slot"] for sample in stack.query('up{job="htag"}')} == {"1", "2"}


def test_the_access_log_shows_a_visit(stack: Stack) -> None:
    with Visitor(stack.url) as visitor:
        visitor.arrive()
        [route] = [cookie.value for cookie in visitor.http.cookies if cookie.name.startswith("htag_route_")]
    visit = eventually(
        lambda: [line for line in stack.access_log() if line["route"] == route and line["path"] == "/ws"], "the line"
    )
    assert (visit[-1]["status"], visit[-1]["upgrade"]) == (101, "websocket")


def test_compose_serves_somebody_s_own_app(stack: Stack) -> None:
    container = stack.compose("run", "--detach", "--no-deps", "--env", "HTAG_APP=hello:Hello", "app").strip()
    fetch = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8001/').read().decode())"
    try:
        page = eventually(lambda: run("docker", "exec", container, "python", "-c", fetch).stdout, "the page")
        assert "Hello</button>" in page
    finally:
        docker("rm", "--force", "--volumes", container)


def test_a_store_that_is_down_degrades_and_nobody_notices(stack: Stack) -> None:
    with Visitor(stack.url) as visitor:
        visitor.arrive()
        stack.compose("stop", "valkey")
        try:
            eventually(lambda: not stack.health(visitor)["store"]["ok"], "the store's failure in /health")
            assert stack.health(visitor)["status"] == "degraded"
            visitor.click_once()
            assert requests.get(stack.url + "/health/ready", timeout=10).status_code == 200
        finally:
            stack.compose("start", "valkey")
        eventually(lambda: stack.health(visitor)["status"] == "ok", "the store's return in /health")
