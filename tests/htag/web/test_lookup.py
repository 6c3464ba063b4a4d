"""A session is looked up with time to wait: what else happens meanwhile opens no second one and revives none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from headless.asgi import Exchange, Site
from headless.errors import Disconnected
from headless.tab import Tab
from htag import Tag, WebApp
from htag.session.registry import SessionRegistry
from htag.session.session import Session
from tests.htag.web.visitor import Open, Page, Scene, click, payloads, scene
from tests.support.waiting import until

__all__ = ["scene"]


class SlowStore:
    """Makes each look-up wait: for `before` it looks, and for `after` it answers what it has found."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waiting = 0
        self.asked = 0
        self.before: asyncio.Event | None = None
        self.after: asyncio.Event | None = None
        found = SessionRegistry.find

        async def find(registry: SessionRegistry, session_id: str, *, insist: bool = False) -> Session | None:
            self.asked += 1
            await self._pause(self.before)
            session = await found(registry, session_id, insist=insist)
            await self._pause(self.after)
            return session

        monkeypatch.setattr(SessionRegistry, "find", find)

    async def _pause(self, gate: asyncio.Event | None) -> None:
        self.waiting += 1
        await asyncio.sleep(0)
        if gate is not None:
            await gate.wait()
        self.waiting -= 1


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> SlowStore:
    return SlowStore(monkeypatch)


def session_of(here: Scene) -> Session:
    (session,) = here.web.registry.sessions.values()
    return session


async def test_every_way_to_a_session_waits_for_its_look_up(scene: Open, store: SlowStore) -> None:
    here = await scene()
    asked = []

    async def noted(answer: Any) -> Any:
        asked.append(store.asked)
        return await answer

    await noted(here.visit())
    assert len(here.apps) == 1
    socket = await noted(here.site.websocket("/ws"))
    stream = await noted(here.site.stream("/stream"))
    assert payloads(await noted(here.post(click("more", 1))))[0]["result"] == 1
    renewed = await here.site.post("/renew", "", {"x-htag-token": here.token})
    assert renewed.status == 200
    assert [*asked, store.asked] == [0, 1, 2, 3, 5]
    await socket.close()
    await stream.close()


async def test_two_first_visits_at_once_are_two_sessions(store: SlowStore) -> None:
    web = WebApp(Page)
    answers = await asyncio.gather(Site(web.app).get(), Site(web.app).get())
    assert [answer.status for answer in answers] == [200, 200]
    assert len(web.registry.sessions) == 2
    await web.registry.close()


async def test_two_first_visits_at_once_to_one_instance_share_it(store: SlowStore) -> None:
    web = WebApp(Page())
    await asyncio.gather(*(Tab(Site(web.app)).load() for _ in range(3)))
    assert list(web.registry.sessions) == ["shared"]
    await web.registry.close()


@pytest.mark.parametrize("pause", ["before", "after"])
async def test_of_two_new_beginnings_at_once_one_session_is_left_and_no_other_lives_on_unseen(
    store: SlowStore, pause: str
) -> None:
    over: list[Any] = []

    class Short(Tag.App):
        def on_destroy(self) -> None:
            over.append(self)

    born: list[Any] = []
    web = WebApp(Short, on_instance=born.append)
    site = Site(web.app)
    await site.get()
    gate = asyncio.Event()
    setattr(store, pause, gate)
    visits = [asyncio.ensure_future(site.get("/?n")) for _ in range(3)]
    await until(lambda: store.waiting == 3)
    gate.set()
    assert [answer.status for answer in await asyncio.gather(*visits)] == [200] * 3
    assert over == born[:3]
    assert [session.app for session in web.registry.sessions.values()] == [born[3]]
    await web.registry.close()


async def websocket(here: Scene) -> Any:
    socket = await here.site.websocket("/ws")
    try:
        with pytest.raises(Disconnected) as refused:
            await socket.receive()
    finally:
        await socket.close()
    return refused.value.code


async def stream(here: Scene) -> Any:
    return (await here.site.get("/stream")).status


async def event(here: Scene) -> Any:
    return (await here.post(click("more", 1))).status


async def renewal(here: Scene) -> Any:
    return (await here.site.post("/renew", "", {"x-htag-token": here.token})).status


async def page(here: Scene) -> Any:
    return (await here.site.get()).status


@pytest.mark.parametrize("pause", ["before", "after"])
@pytest.mark.parametrize(
    ("ask", "answer"), [(websocket, 4404), (stream, 404), (event, 404), (renewal, 404), (page, 200)]
)
async def test_a_session_that_ends_while_it_is_looked_for_is_not_there(
    scene: Open, store: SlowStore, ask: Callable[[Scene], Any], answer: int, pause: str
) -> None:
    here = await scene()
    gate = asyncio.Event()
    setattr(store, pause, gate)
    asking = asyncio.ensure_future(ask(here))
    await until(lambda: store.waiting)
    ended = session_of(here)
    here.web.registry.end(ended, "expired")
    gate.set()
    assert await asking == answer
    assert not ended.channels
    assert len(here.apps) == (2 if ask is page else 1)


async def test_a_session_that_ends_before_its_websocket_is_accepted_gets_no_tab(scene: Open) -> None:
    here = await scene()
    ended = session_of(here)
    sent = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "websocket.accept":
            here.web.registry.end(ended, "expired")

    async with asyncio.timeout(5):
        await here.web.app(here.site.scope("websocket", "/ws", subprotocols=[]), receive, send)
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]
    assert sent[1]["code"] == 4404
    assert not ended.channels


async def test_a_session_that_ends_before_its_stream_begins_gets_no_tab(scene: Open) -> None:
    here = await scene()
    ended = session_of(here)
    sent = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.start":
            here.web.registry.end(ended, "expired")

    async with asyncio.timeout(5):
        await here.web.app(here.site.scope("http", "/stream", method="GET"), receive, send)
    assert [message.get("body") for message in sent] == [None, b""]
    assert not ended.channels


async def test_a_session_that_ends_while_its_post_comes_in_is_unknown(scene: Open) -> None:
    here = await scene()
    headers = {"x-htag-token": here.token, "x-htag-tab": "one"}
    exchange = Exchange(here.site.app, here.site.scope("http", "/event", headers, method="POST"))
    body = json.dumps(click("more", 1)).encode()
    exchange.say("http.request", body=body[:9], more_body=True)
    await until(lambda: session_of(here).unfinished)
    ended = session_of(here)
    here.web.registry.end(ended, "expired")
    exchange.say("http.request", body=body[9:], more_body=False)
    assert (await exchange.hear())["status"] == 404
    assert here.app.calls == []
    assert ended.unfinished == 0


async def test_tabs_that_come_at_once_are_no_more_than_a_session_may_have(scene: Open, store: SlowStore) -> None:
    here = await scene()
    most = here.web.registry.limits.session_tabs
    store.after = asyncio.Event()
    coming = [asyncio.ensure_future(here.site.websocket("/ws")) for _ in range(most + 3)]
    await until(lambda: store.waiting == most + 3)
    store.after.set()
    sockets = await asyncio.gather(*coming, return_exceptions=True)
    assert sum(isinstance(socket, Disconnected) for socket in sockets) == 3
    assert len(session_of(here).channels) == most
    for socket in sockets:
        if not isinstance(socket, BaseException):
            await socket.close()
