"""nginx in front of real workers, some of them full: newcomers go where there is room, sessions stay where they are."""

from collections.abc import Iterator
from hashlib import md5

import pytest

from headless.client import Client
from headless.errors import Refused
from tests.stack.fleet import Answer, Fleet
from tests.support.waiting import eventually

FULL = {"HTAG_MAX_SESSIONS": "1", "HTAG_SESSION_NEW_SECONDS": "600"}
MADE_UP = "htag_sid=nobody.signed-this"


@pytest.fixture(scope="module")
def fleet(app_image: str) -> Iterator[Fleet]:
    """Three full workers in one container."""
    with Fleet(app_image, slots=3) as fleet:
        host = fleet.add(**FULL)
        for port in (8001, 8002, 8003):
            assert fleet.inside(host, "/", port).status == 200
        fleet.open()
        yield fleet


@pytest.fixture(scope="module")
def refused(fleet: Fleet) -> Answer:
    """Somebody who came when all were full."""
    return fleet.get("/")


@pytest.fixture(scope="module")
def room(fleet: Fleet, refused: Answer) -> str:
    """`--scale app=2`: a container that has room."""
    host = fleet.add(HTAG_SESSION_NEW_SECONDS="600")
    eventually(lambda: fleet.get("/").status == 200, "nginx to find it")
    return host


def kept(answer: Answer) -> list[str]:
    """The cookies that a browser has after an answer."""
    jar = {}
    for cookie in answer.cookies:
        name, _, value = cookie.partition(";")[0].partition("=")
        jar[name] = value
        if "max-age=0" in cookie.lower():
            del jar[name]
    return [f"{name}={value}" for name, value in jar.items()]


def test_the_busy_page_sets_no_cookie(refused: Answer) -> None:
    assert refused.status == 503
    assert int(refused.headers["retry-after"]) > 0
    assert "tries again by itself" in refused.text
    assert kept(refused) == []


def test_the_busy_page_releases_who_comes_with_a_session_that_is_gone(fleet: Fleet, refused: Answer) -> None:
    answer = fleet.get("/", MADE_UP)  # refused first, because `room` comes later
    assert answer.status == 503
    assert kept(answer) == []


def test_a_refused_visitor_is_in_at_the_next_try(fleet: Fleet, refused: Answer, room: str) -> None:
    route = [cookie.partition(";")[0] for cookie in refused.cookies]  # even a browser that kept it
    answer = fleet.get("/", *route)
    assert (answer.status, answer.headers["x-htag-served-by"].partition(":")[0]) == (200, room)


@pytest.fixture
def slow_fleet(app_image: str) -> Iterator[Fleet]:
    """One worker that opens two sessions for one address, and then one in 1000 seconds."""
    with Fleet(app_image) as fleet:
        fleet.add(HTAG_NEWCOMERS_PER_SECOND="0.001", HTAG_NEWCOMERS_BURST="2")
        fleet.open()
        yield fleet


def test_the_load_kit_names_the_app_s_limit_too(slow_fleet: Fleet) -> None:
    assert [slow_fleet.get("/").status for _ in range(2)] == [200, 200]
    with pytest.raises(Refused, match="429: the app's limit on new sessions from one address"):
        Client(f"http://{slow_fleet.address}").open()
    assert kept(slow_fleet.get("/")) == []


@pytest.mark.parametrize("cookies", [[], [MADE_UP], [f"htag_route_8080={'0' * 32}"]], ids=["none", "made-up", "old"])
def test_ten_of_ten_newcomers_land_where_there_is_room(fleet: Fleet, room: str, cookies: list[str]) -> None:
    answers = [fleet.get("/", *cookies) for _ in range(10)]
    assert [answer.status for answer in answers] == [200] * 10
    assert {answer.headers["x-htag-served-by"].partition(":")[0] for answer in answers} == {room}


def test_a_session_stays_and_the_files_of_its_page_come_from_there(fleet: Fleet, room: str) -> None:
    people = [fleet.get("/") for _ in range(6)]
    slots = {person.headers["x-htag-served-by"] for person in people}
    assert len(slots) == 3
    for person in people:
        paths = ["/", "/health", "/htag.js", "/nowhere"] * 3
        served = {fleet.get(path, *kept(person)).headers["x-htag-served-by"] for path in paths}
        assert served == {person.headers["x-htag-served-by"]}


@pytest.fixture(scope="module")
def shops() -> Iterator[tuple[Fleet, str]]:
    """Somebody's own application with a page under /shop/, twice; one is full. And the cookie that leads there."""
    with Fleet("python:3.13-slim-trixie") as fleet:
        busy = fleet.add_echo(ECHO_BUSY="1")
        fleet.add_echo()
        fleet.open()
        yield fleet, f"htag_route_8080={md5(f'{busy}:8001'.encode()).hexdigest()}"


def test_a_first_page_of_an_app_s_own_is_asked_for_elsewhere_too(shops: tuple[Fleet, str]) -> None:
    fleet, busy = shops
    assert [fleet.get("/shop/", *cookies).status for cookies in ([], [busy]) for _ in range(5)] == [200] * 10


def test_an_app_that_refuses_a_made_up_session_is_not_asked_again_and_again(shops: tuple[Fleet, str]) -> None:
    fleet, busy = shops
    refused = fleet.get("/shop/", MADE_UP, busy)
    assert refused.status == 503
    assert kept(refused) == []
    assert "htag_route_8080=; path=/; max-age=0" in refused.cookies


def test_what_is_no_newcomer_s_page_is_answered_where_it_was_asked_for(shops: tuple[Fleet, str]) -> None:
    fleet, busy = shops
    known = [fleet.get("/orders", cookie, busy) for cookie in (MADE_UP, "htag_sid_8080=x", "x=y; htag_sid=z")]
    assert {answer.status for answer in known} == {503}
    assert {"".join(kept(answer)) for answer in known} == {busy}  # a session may be there: it stays
    assert {fleet.get("/orders", busy, accept="application/json").status for _ in range(5)} == {503}
    assert {fleet.get("/orders", busy, method="POST").status for _ in range(5)} == {503}
