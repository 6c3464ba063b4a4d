"""docker-compose.yml with deploy/traefik.yml: Traefik instead of nginx, containers of one slot each."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
import requests

from tests.e2e.stack import Busy, Crowd, Stack, Visitor
from tests.support.engine import docker, need_engine
from tests.support.waiting import eventually

VISITORS = {"websocket": 60, "sse": 20, "http": 20}
NEWCOMERS = 30
HIDDEN = [
    "/metrics", "/metrics/", "//metrics", "/%6detrics", "/%6D%65%74%72%69%63%73", "/a/../metrics", "/./metrics",
    "/metrics?x", "/metrics%0a", "/metrics%0A", "/metrics%0d%0a", "/metrics%2f", "/%2fmetrics", "/%2e/metrics",
    "/a/%2e%2e/metrics", "/metrics;x", "/metrics%3fx", "/metrics%00", "/metrics%20", "/demo/metrics", "/demo//metrics",
    "/METRICS", "/metrics#x", "/handover", "//handover", "/%68andover", "/a/../handover", "/handover%0a",
    "/demo/handover",
]  # fmt: skip


class TraefikStack(Stack):
    """With a Traefik and its network."""

    def __init__(self) -> None:
        self.network = f"htagtest{id(self)}"
        super().__init__("traefik", ["deploy/traefik.yml"], TRAEFIK_NETWORK=self.network, COMPOSE_PROFILES="traefik")

    def start(self) -> None:
        """Build, and wait until Traefik knows the containers."""
        docker("network", "create", self.network)
        self.build("app")
        self.scale(2)

    def scale(self, containers: int) -> None:
        """So many app containers, all healthy, and Traefik's."""
        self.up(containers, services=["traefik", "app", "valkey"])
        eventually(lambda: self.reached() >= self.containers(), "Traefik to find all containers")

    def down(self) -> None:
        super().down()
        docker("network", "rm", self.network)


@pytest.fixture(scope="module")
def traefik() -> Iterator[TraefikStack]:
    need_engine()
    stack = TraefikStack()
    try:
        stack.start()
        yield stack
    except AssertionError as failure:
        failure.add_note(stack.compose("logs", "--tail", "20", "app", "traefik"))
        raise
    finally:
        stack.down()


def test_nobody_is_moved_while_containers_come_and_a_worker_is_killed(traefik: TraefikStack) -> None:
    traefik.scale(3)
    first = traefik.containers()
    crowds = [Crowd(traefik, size, transport) for transport, size in VISITORS.items()]  # type: ignore[arg-type]
    with crowds[0], crowds[1], crowds[2]:
        for crowd in crowds:
            crowd.each(Visitor.arrive)
        assert {visitor.host for crowd in crowds for visitor in crowd.visitors} == first
        busy = [Busy(crowd, Visitor.click_once, pause=0.5) for crowd in crowds]
        with busy[0], busy[1], busy[2]:
            for each in busy:
                each.wait_for_all()

            traefik.scale(4)
            with Crowd(traefik, NEWCOMERS) as newcomers:
                newcomers.each(Visitor.arrive)
                newcomers.each(Visitor.click_once)
                assert {visitor.host for visitor in newcomers.visitors} == traefik.containers()
                assert not newcomers.moved()
            for each in busy:
                each.wait_for_rounds(2)
            assert not [trouble for each in busy for trouble in each.troubles]
            assert not [visitor for crowd in crowds for visitor in crowd.moved()]

            witness = crowds[0].visitors[0]
            killed = traefik.health(witness)["worker"]
            container = docker("ps", "--quiet", "--filter", f"id={killed['host']}").strip()
            docker("exec", container, "python", "-c", f"import os; os.kill({killed['pid']}, 9)")
            for each in busy:
                each.wait_for_rounds(3)
            troubles = [trouble for each in busy for trouble in each.troubles]

        assert troubles  # their sessions were that worker's
        assert {host for host, _, _ in troubles} == {killed["host"]}
        assert not [visitor for crowd in crowds for visitor in crowd.moved()]  # its successor serves them
        assert traefik.health(witness)["worker"]["pid"] != killed["pid"]
        for crowd in crowds:
            crowd.each(Visitor.click_once)


def test_who_was_in_a_removed_container_goes_on_elsewhere_and_nobody_else_notices(traefik: TraefikStack) -> None:
    traefik.scale(4)
    everywhere = traefik.containers()
    with Crowd(traefik, NEWCOMERS) as crowd:
        crowd.each(Visitor.arrive)
        with Busy(crowd, Visitor.click_once, pause=0.3) as busy:
            busy.wait_for_all()
            traefik.scale(2)
            with Crowd(traefik, NEWCOMERS) as latecomers:
                latecomers.each(Visitor.arrive)
            busy.wait_for_rounds(3)
        left = traefik.containers()
        removed = everywhere - left
        assert len(removed) == 2
        assert {host for host, _, _ in busy.troubles} <= removed, busy.troubles
        assert all(visitor.host in left for visitor in crowd.visitors)


@pytest.mark.parametrize("path", HIDDEN)
def test_metrics_are_not_public(traefik: TraefikStack, path: str) -> None:
    with closing(http.client.HTTPConnection(urlsplit(traefik.url).netloc, timeout=10)) as connection:
        connection.putrequest("POST" if "handover" in path else "GET", path)
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status in (400, 404)
        assert b"htag_" not in answer.read()


def test_what_nginx_adds_is_added(traefik: TraefikStack) -> None:
    page = requests.get(traefik.url, timeout=10)
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert page.headers["Content-Encoding"] == "gzip"
    route = next(cookie for cookie in page.cookies if cookie.name == "htag_route")
    assert route.has_nonstandard_attr("HttpOnly")
