"""One address opens so many sessions and no more; known visitors are not counted."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from headless.asgi import Answer, Site
from htag import Tag, WebApp
from htag.limits import Limits
from htag.web.newcomers import Newcomers
from tests.support.clock import Clock
from tests.support.observers import RecordingObserver


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock.monotonic)
    return clock


def come(limit: Newcomers, host: str, times: int) -> int:
    """How many of so many newcomers from there are taken in."""
    return sum(limit.admits((host, 40000 + number)) for number in range(times))


def test_a_burst_and_then_the_rate(clock: Clock) -> None:
    limit = Newcomers(10, 5)
    assert come(limit, "203.0.113.1", 8) == 5
    clock.now += 0.3
    assert come(limit, "203.0.113.1", 8) == 3
    clock.now += 60
    assert come(limit, "203.0.113.1", 8) == 5, "time that is not used up is not saved beyond the burst"


def test_those_who_are_refused_do_not_make_it_worse(clock: Clock) -> None:
    limit = Newcomers(10, 5)
    come(limit, "203.0.113.1", 1000)
    clock.now += 0.11
    assert come(limit, "203.0.113.1", 8) == 1


def test_each_address_counts_for_itself(clock: Clock) -> None:
    limit = Newcomers(10, 5)
    assert [come(limit, f"203.0.113.{last}", 8) for last in (1, 2)] == [5, 5]


def test_a_64_of_ipv6_is_one_address_and_a_mapped_address_is_ipv4(clock: Clock) -> None:
    limit = Newcomers(10, 5)
    assert sum(come(limit, f"2001:db8:1:2::{last:x}", 1) for last in range(20)) == 5
    assert come(limit, "2001:db8:1:3::1", 8) == 5
    assert come(limit, "::ffff:203.0.113.1", 3) + come(limit, "203.0.113.1", 8) == 5


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "testclient", ""])
def test_an_address_that_many_may_share_is_not_limited(host: str) -> None:
    assert come(Newcomers(1, 1), host, 100) == 100


def test_a_server_that_knows_no_address_and_a_rate_of_nought_have_no_limit() -> None:
    assert all(Newcomers(1, 1).admits(None) for _ in range(10))
    assert come(Newcomers(0, 1), "203.0.113.1", 100) == 100


def test_its_memory_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("htag.web.newcomers.ADDRESSES", 3)
    limit = Newcomers(10, 1)
    for last in range(50):
        limit.admits((f"203.0.113.{last}", 1))
    assert len(limit._due) == 3
    assert not limit.admits(("203.0.113.49", 1)), "those who came last are remembered"


# -- at the page


class Page(Tag.App):
    pass


Visit = Callable[..., Any]


@pytest.fixture
def web() -> WebApp:
    return WebApp(Page, limits=Limits(newcomers_per_second=0.01, newcomers_burst=2), observer=RecordingObserver())


async def visit(web: WebApp, host: str = "203.0.113.1", path: str = "/", **cookies: str) -> tuple[Answer, Site]:
    async def from_there(scope: Any, receive: Any, send: Any) -> None:
        await web.app({**scope, "client": (host, 40000)}, receive, send)

    site = Site(from_there, cookies=cookies)
    return await site.get(path), site


@pytest.mark.parametrize("cookie", ["x", "a.b", "AAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"])
async def test_a_made_up_cookie_makes_no_visitor_known(web: WebApp, cookie: str) -> None:
    answers = [(await visit(web, htag_sid=cookie))[0] for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 429, 429, 429]
    assert len(web.instances) == 2
    assert isinstance(web.observer, RecordingObserver)
    assert web.observer.labels("session_refused") == ["rate"] * 3
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "tries again by itself" in answers[-1].text
    assert answers[-1].set_cookies == []


async def test_neither_does_a_cookie_of_ours_whose_session_is_gone(web: WebApp) -> None:
    _, first = await visit(web)
    web.registry.end(next(iter(web.registry.sessions.values())), "expired")
    await visit(web)
    assert (await visit(web, **first.cookies))[0].status == 429


async def test_a_visitor_with_a_session_is_no_newcomer(web: WebApp) -> None:
    _, site = await visit(web)
    for _ in range(5):
        await visit(web)
    for path in ("/", "/?n", "/", "/?n"):
        assert (await visit(web, path=path, **site.cookies))[0].status == 200
    assert (await visit(web, host="203.0.113.2"))[0].status == 200, "nor is somebody else refused"


async def test_a_shared_instance_opens_no_sessions() -> None:
    web = WebApp(Page(), limits=Limits(newcomers_per_second=0.01, newcomers_burst=1))
    assert {(await visit(web))[0].status for _ in range(5)} == {200}


async def test_an_office_behind_one_address_comes_at_once_by_default(clock: Clock) -> None:
    web = WebApp(Page)
    statuses = [(await visit(web))[0].status for _ in range(500)]
    assert set(statuses) == {200}
    assert {(await visit(web))[0].status for _ in range(20)} == {429}
    await web.registry.close()
