"""nginx in front of several slots: who asks for another slot by the address gets one, and is bound there."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5
from http.cookies import SimpleCookie
from typing import NamedTuple

import pytest

from tests.stack.fleet import COOKIE, Answer, Fleet
from tests.stack.nginx_container import nginx
from tests.support.waiting import eventually

BACKEND = "python:3.13-slim-trixie"
FROZEN_SECONDS = 10  # that nginx waits for the first byte of a page, before it asks another slot
PATHS = ["/ws", "/demo/ws", "/demo/stream", "/event"]


class Site(NamedTuple):
    """Four slots, of which the last one ends."""

    fleet: Fleet
    ending: str  # its route

    def get(self, path: str, route: str = "", method: str = "GET") -> Answer:
        return self.fleet.get(path, f"{COOKIE}={route}", method=method)


@pytest.fixture(scope="module")
def site(engine: None) -> Iterator[Site]:
    with Fleet(BACKEND) as fleet:
        for _ in range(3):
            fleet.add_echo()
        fleet.open()
        ending = fleet.add_echo(ECHO_DRAINING="1")
        site = Site(fleet, md5(f"{ending}:8001".encode()).hexdigest())
        eventually(lambda: site.get("/event", site.ending, method="POST").status == 503, "nginx has found it")
        yield site


def served(answer: Answer) -> str:
    """The route of the slot that answered."""
    route: str = json.loads(answer.text)["route"]
    return route


def bound(answer: Answer) -> str | None:
    """The route that a browser says from now on; None: the one that it said."""
    jar = SimpleCookie()
    for cookie in answer.cookies:
        jar.load(cookie)
    return jar[COOKIE].value if COOKIE in jar else None


@pytest.fixture(scope="module")
def routes(site: Site) -> list[str]:
    """Of the three slots that serve."""
    found = {served(site.get(f"/ws?v=2&elsewhere={k}")) for k in range(60)}
    assert len(found) == 3
    return sorted(found)


@pytest.mark.parametrize("path", PATHS)
def test_who_asks_for_another_slot_gets_some_whatever_the_cookie_says(site: Site, routes: list[str], path: str) -> None:
    for mine in routes:
        answers = [site.get(f"{path}?v=2&elsewhere={k}", mine) for k in range(12)]
        slots = {served(answer) for answer in answers if answer.status == 200}
        assert len(slots) >= 2
        assert all(bound(answer) == served(answer) for answer in answers if answer.status == 200)
        assert all("x-htag-route" not in answer.headers for answer in answers)


@pytest.mark.parametrize("path", PATHS)
def test_the_same_number_leads_to_the_same_slot(site: Site, routes: list[str], path: str) -> None:
    for k in (3, 77, 123456789):
        assert len({served(site.get(f"{path}?elsewhere={k}", mine)) for mine in routes for _ in range(2)}) == 1


def test_numbers_that_follow_each_other_lead_to_slots_that_follow_each_other(site: Site, routes: list[str]) -> None:
    """So a tab that meets a frozen slot does not meet it again at its next attempt."""
    for start in (0, 7, 60, 123_456):
        row = [served(site.get(f"/event?elsewhere={start + step}", method="POST")) for step in range(8)]
        assert set(row[:4]) == {*routes, site.ending}
        assert row[:4] == row[4:]


@pytest.mark.parametrize("path", PATHS)
def test_who_asks_for_a_slot_by_its_route_gets_that_one(site: Site, routes: list[str], path: str) -> None:
    for mine in routes:
        for there in routes:
            answer = site.get(f"{path}?v=2&at={there}&elsewhere=5", mine)
            assert (served(answer), bound(answer)) == (there, there)


def test_the_binding_is_a_cookie_like_nginx_s_own(site: Site, routes: list[str]) -> None:
    [own] = site.get("/ws", "").cookies
    [anew] = site.get(f"/ws?at={routes[0]}").cookies
    flags = [sorted(part.strip() for part in cookie.split(";")[1:]) for cookie in (own, anew)]
    assert flags[0] == flags[1]


@pytest.mark.parametrize(
    "query", ["elsewhere=", "elsewhere=x", "elsewhere=-1", "at=", "at=zzz", "other=1&xelsewhere=3", "v=2"]
)
def test_what_asks_for_nothing_stays_where_it_is(site: Site, routes: list[str], query: str) -> None:
    for mine in routes:
        assert {served(site.get(f"/ws?{query}", mine)) for _ in range(4)} == {mine}


@pytest.mark.parametrize("query", ["", "?v=2", "?elsewhere=1", "?at={}"])
@pytest.mark.parametrize("path", ["/ws", "/stream", "/"])
def test_a_slot_that_ends_is_passed_over_and_the_browser_bound_anew(site: Site, query: str, path: str) -> None:
    path = "/demo" + path if path == "/stream" else path
    for _ in range(6):
        answer = site.get(path + query.format(site.ending), site.ending)
        assert answer.status == 200
        assert served(answer) != site.ending
        assert bound(answer) == served(answer) or (path == "/" and bound(answer) is not None)


def test_what_was_posted_to_a_slot_that_ends_is_sent_once(site: Site) -> None:
    answer = site.get("/event", site.ending, method="POST")
    assert (answer.status, served(answer)) == (503, site.ending)


def test_nothing_binds_to_a_slot_that_ends(site: Site) -> None:
    answer = site.get(f"/event?at={site.ending}", method="POST")
    assert (answer.status, served(answer), bound(answer)) == (503, site.ending, None)


@pytest.mark.parametrize("settings", [{}, {"NGINX_COOKIE_SECURE": "on"}, {"HTAG_ROOT_PATH": "/demo"}])
def test_the_cookie_is_made_with_the_flags_that_are_set(settings: dict[str, str]) -> None:
    text = nginx("-T", **settings).stdout
    name = "htag_route_8080_demo" if "HTAG_ROOT_PATH" in settings else "htag_route_8080"
    secure = "; secure" if "NGINX_COOKIE_SECURE" in settings else ""
    path = settings.get("HTAG_ROOT_PATH", "") + "/"
    assert f'"{name}=$told_route; path={path}; httponly; samesite=lax{secure}";' in text


@pytest.fixture
def frozen() -> Iterator[tuple[Fleet, str]]:
    """Two slots, of which one is frozen: its kernel accepts, and nothing answers. And its route."""
    with Fleet(BACKEND) as fleet:
        fleet.add_echo()
        address = fleet.add_echo()
        fleet.open()
        route = fleet.wait_for_echo(address)
        with fleet.paused(address):
            yield fleet, route


def test_a_page_does_not_wait_for_a_frozen_slot_and_the_others_do_not_notice(frozen: tuple[Fleet, str]) -> None:
    fleet, route = frozen
    with ThreadPoolExecutor(16) as pool:
        pages = list(pool.map(lambda path: timed(fleet, path, route), ["/", "/shop/"] * 8))
    assert all(FROZEN_SECONDS - 1 < seconds < 60 for _, seconds in pages)  # a minute is what nginx waits elsewhere
    assert {page.status for page, _ in pages} == {200}
    others = {bound(page) for page, _ in pages}
    assert others.isdisjoint({None, route})
    again = [timed(fleet, path, other) for other in others for path in ("/", "/shop/", "/ws", "/event") * 2]
    assert {page.status for page, _ in again} == {200}
    assert all(seconds < FROZEN_SECONDS for _, seconds in again)


def timed(fleet: Fleet, path: str, route: str | None) -> tuple[Answer, float]:
    """What comes, and after how many seconds."""
    started = time.monotonic()
    return fleet.get(path, f"{COOKIE}={route}", seconds=90), time.monotonic() - started
