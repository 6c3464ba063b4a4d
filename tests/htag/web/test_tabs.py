"""A tab keeps its order whatever transport it is on, and no tab is taken for another's."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from headless.asgi import Site, Socket, Stream
from headless.errors import Disconnected
from headless.tab import Tab
from htag import WebApp
from htag.session import inbox
from htag.session.tab import MAX_TABS
from tests.htag.web.visitor import Open, Page, Scene, click, payloads, scene
from tests.support.waiting import passed, until

__all__ = ["scene"]

LONGEST = "t" * 64


def event(identity: str, number: int) -> dict[str, Any]:
    return click(identity, number, fallback=False)


async def say(socket: Socket, identity: str, number: int) -> None:
    """Send a click and let the server take it."""
    socket.send(json.dumps(event(identity, number)))
    await passed(0.01)


async def slow_by_websocket(here: Scene, query: str = "?tab=one") -> Socket:
    """A WebSocket of the tab `one`, with a handler under way."""
    socket = await here.site.websocket(f"/ws{query}")
    await socket.receive()
    await say(socket, "slow", 1)
    assert here.app.calls == [1]
    return socket


async def test_a_post_waits_for_the_handler_that_the_tab_s_websocket_began(scene: Open) -> None:
    here = await scene()
    socket = await slow_by_websocket(here)
    posting = asyncio.ensure_future(here.post(click("more", 2), tab="one"))
    await passed(0.01)
    assert here.app.calls == [1]
    here.app.gate.set()
    answer = payloads(await posting)[-1]
    assert (answer["callback_id"], answer["result"]) == ("c2", 2)
    assert here.app.calls == [1, 2]
    await socket.close()


async def test_the_tab_s_order_outlives_its_websocket(scene: Open) -> None:
    here = await scene()
    await (await slow_by_websocket(here)).close()
    stream: Stream = await here.site.stream("/stream?tab=one")
    await here.post(event("more", 2), tab="one")
    assert here.app.calls == [1]
    again = await here.site.websocket("/ws?rev=1&tab=one")
    await say(again, "more", 3)
    assert here.app.calls == [1]
    here.app.gate.set()
    await until(lambda: len(here.app.calls) == 3)
    assert here.app.calls == [1, 2, 3]
    await again.close()
    await stream.close()


async def test_a_websocket_waits_for_the_handler_that_the_tab_s_post_began(scene: Open) -> None:
    here = await scene()
    await here.post(event("slow", 1), tab="one")
    socket = await here.site.websocket("/ws?tab=one")
    await say(socket, "more", 2)
    assert here.app.calls == [1]
    here.app.gate.set()
    await until(lambda: len(here.app.calls) == 2)
    await socket.close()


async def test_a_poll_is_answered_while_a_handler_of_its_tab_runs(scene: Open) -> None:
    """The tab fell back to plain HTTP, and is to see what the handler does meanwhile, not only what it has done."""
    here = await scene()
    await (await slow_by_websocket(here)).close()
    here.app.count.set(7)
    async with asyncio.timeout(5):
        polled = await here.post({"action": "poll", "fallback": True}, tab="one", query="?rev=1")
    assert ">7<" in next(iter(payloads(polled)[-1]["updates"].values()))
    here.app.gate.set()


async def test_a_tab_whose_handler_hangs_gives_its_order_up_with_its_connection(
    scene: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MAX_WAITING", 2)
    monkeypatch.setattr(inbox, "HANDLER_SECONDS", 0.01)
    here = await scene()
    socket = await slow_by_websocket(here)
    await say(socket, "more", 2)
    await say(socket, "more", 3)
    with pytest.raises(Disconnected) as refused:
        await socket.receive()
    assert refused.value.code == 1013
    again = await here.site.websocket("/ws?tab=one")
    await say(again, "more", 4)
    assert here.app.calls == [1, 4]
    here.app.gate.set()
    await until(lambda: sorted(here.app.calls) == [1, 2, 3, 4])
    await again.close()


@pytest.mark.parametrize("name", ["", "two", "t" * 65, "o%20ne", "%C3%B6ne", "one%00", "<b>"])
async def test_another_tab_and_one_without_a_valid_name_do_not_wait(scene: Open, name: str) -> None:
    here = await scene()
    socket = await slow_by_websocket(here)
    other = await here.site.websocket(f"/ws?tab={name}")
    await say(other, "more", 2)
    assert here.app.calls == [1, 2]
    third = await here.site.websocket(f"/ws?tab={name}")
    await say(third, "slow", 3)
    await say(other, "more", 4)
    assert here.app.calls == ([1, 2, 3] if name == "two" else [1, 2, 3, 4])
    here.app.gate.set()
    for each in (socket, other, third):
        await each.close()


@pytest.mark.parametrize("name", ["t" * 65, "o ne", "\xf6ne", "one,two"])
async def test_a_post_under_a_name_that_cannot_be_one_is_a_tab_of_its_own(scene: Open, name: str) -> None:
    here = await scene()
    await here.post(event("slow", 1), tab=name)
    assert payloads(await here.post(click("more", 2), tab=name))[0]["result"] == 1
    repeated = await here.post(click("more", 2), tab=name)
    assert payloads(repeated)[0]["result"] == 2  # unnamed, as before: nothing is known of an earlier POST
    here.app.gate.set()


async def test_the_longest_name_is_one(scene: Open) -> None:
    here = await scene()
    await here.post(event("slow", 1), tab=LONGEST)
    await here.post(event("more", 2), tab=LONGEST)
    assert here.app.calls == [1]
    here.app.gate.set()


async def test_visitors_of_one_app_instance_cannot_name_each_other_s_tab() -> None:
    app = Page()
    web = WebApp(app)
    ann, bob = Site(web.app), Site(web.app)
    tabs = [await Tab(site).load() for site in (ann, bob)]

    async def post(which: int, message: Any) -> Any:
        headers = {"x-htag-token": tabs[which].token, "x-htag-tab": "one"}
        return (await (ann, bob)[which].post("/event", json.dumps(message), headers)).json

    await post(0, event("slow", 1))
    first = await post(1, click("more", 2))
    assert json.loads(first["payloads"][0])["result"] == 1  # Bob does not wait for what Ann began
    again = asyncio.ensure_future(post(0, click("more", 2)))  # as Bob called his: it is not taken for a repetition
    await passed(0.01)
    assert app.calls == [1, 2]
    app.gate.set()
    assert await again != first
    assert app.calls == [1, 2, 2]
    await web.registry.close()


async def test_a_session_remembers_so_many_tabs_and_all_that_are_in_use(scene: Open) -> None:
    here = await scene()
    socket = await here.site.websocket("/ws?tab=connected")
    await here.post(event("slow", 1), tab="busy")
    for number in range(20):
        await here.post(click("more", number), tab=f"t{number}")
    (session,) = here.web.registry.sessions.values()
    assert len(session.tabs) == MAX_TABS
    calls = len(here.app.calls)
    await here.post(event("more", 50), tab="busy")
    assert len(here.app.calls) == calls
    await say(socket, "slow", 51)
    await here.post(event("more", 52), tab="connected")
    assert here.app.calls[calls:] == [51]
    here.app.gate.set()
    await until(lambda: len(here.app.calls) == calls + 3)
    await socket.close()
