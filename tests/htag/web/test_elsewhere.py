"""A session that this worker cannot have: the tab is told where it is, or to come again."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from headless.asgi import Exchange, Site
from headless.errors import Disconnected
from headless.tab import Tab
from htag import Tag, WebApp
from htag.session.takeover import HeldElsewhere, SessionUnreachable
from htag.stores.memory import MemoryStore
from htag.web.elsewhere import route
from tests.support.visits import shut_down

OWNER = "10.0.0.7:8002/0badcafe"
ROUTE = hashlib.md5(b"10.0.0.7:8002", usedforsecurity=False).hexdigest()
VERSION_2 = "?v=2&tab=t"


class Visitor:
    """A browser whose session another worker has."""

    def __init__(self, web: WebApp, tab: Tab) -> None:
        self.web, self.tab, self.site = web, tab, tab.site
        self.insisted: list[bool] = []

    def fails(self, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
        async def find(session_id: str, *, insist: bool = False) -> Any:
            self.insisted.append(insist)
            raise error

        monkeypatch.setattr(self.web.registry, "find", find)

    async def post(self, query: str) -> Any:
        return await self.site.post("/event" + query, "{}", self.tab.post_headers())


@pytest.fixture
async def visitor() -> AsyncIterator[Visitor]:
    web = WebApp(Tag.App, store=MemoryStore())
    yield Visitor(web, await Tab(Site(web.app)).load())
    await shut_down(web)


def test_the_route_is_that_of_nginx() -> None:
    assert route(OWNER) == route("10.0.0.7:8002") == ROUTE


async def test_a_websocket_is_told_where_the_session_is(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor.fails(HeldElsewhere(OWNER), monkeypatch)
    socket = await visitor.site.websocket("/ws" + VERSION_2)
    with pytest.raises(Disconnected) as closed:
        await socket.receive()
    assert (closed.value.code, closed.value.reason) == (4307, ROUTE)


async def test_requests_are_told_where_the_session_is(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor.fails(HeldElsewhere(OWNER), monkeypatch)
    for answer in (await visitor.post(VERSION_2), await visitor.site.get("/stream" + VERSION_2)):
        assert (answer.status, answer.json) == (409, {"status": "elsewhere", "at": ROUTE})


@pytest.mark.parametrize("error", [HeldElsewhere(OWNER), SessionUnreachable("the store")])
async def test_a_tab_of_version_1_comes_again(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    visitor.fails(error, monkeypatch)
    for answer in (await visitor.post(""), await visitor.site.get("/stream")):
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    with pytest.raises(Disconnected) as closed:
        await visitor.site.websocket("/ws")
    assert (closed.value.code, closed.value.accepted) == (1013, False)


async def test_a_handshake_is_answered_503_where_the_server_can(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.fails(SessionUnreachable("the store"), monkeypatch)
    extensions = {"websocket.http.response": {}}
    scope = visitor.site.scope("websocket", "/ws" + VERSION_2, subprotocols=[], extensions=extensions)
    exchange = Exchange(visitor.web.app, scope)
    exchange.say("websocket.connect")
    start = await exchange.hear()
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 503)
    assert (await exchange.hear())["body"] == b"Try again"
    await exchange.end()


@pytest.mark.parametrize(
    ("query", "insists"), [("", True), ("?tab=t", True), (VERSION_2, False), (VERSION_2 + "&insist=1", True)]
)
async def test_who_does_not_speak_version_2_insists(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, query: str, insists: bool
) -> None:
    visitor.fails(HeldElsewhere(OWNER), monkeypatch)
    await visitor.post(query)
    await visitor.site.get("/stream" + query)
    assert visitor.insisted == [insists, insists]


async def test_a_worker_that_is_about_to_end_takes_over_no_session_and_keeps_those_it_has(visitor: Visitor) -> None:
    visitor.web.registry.draining = True
    assert (await visitor.post(VERSION_2)).status == 200
    stranger = Site(visitor.web.app, cookies=visitor.site.cookies)
    (session_id,) = visitor.web.registry.sessions
    del visitor.web.registry.sessions[session_id]
    answer = await stranger.post("/event" + VERSION_2, "{}", visitor.tab.post_headers())
    assert answer.status == 503
    with pytest.raises(Disconnected) as closed:
        await stranger.websocket("/ws" + VERSION_2)
    assert not closed.value.accepted
