"""`Limits.moves_always`: each event is followed by a move, into a snapshot and back."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest

from headless.asgi import Site
from headless.protocol import TRANSPORTS
from headless.tab import Tab
from htag import WebApp
from htag.app import App
from htag.limits import Limits
from htag.stores.memory import MemoryStore
from tests.htag.session.lasting import DIARY, HELD, Counter, Hooked, Pinned, Slow, only_session
from tests.support.waiting import until


@pytest.fixture
async def webs() -> AsyncIterator[list[WebApp]]:
    DIARY.clear()
    HELD.clear()
    found: list[WebApp] = []
    yield found
    for web in found:
        await web.registry.close()


async def opened(webs: list[WebApp], entity: type[App], transport: str = "websocket", **options: Any) -> Tab:
    webs.append(WebApp(entity, store=MemoryStore(), limits=Limits(moves_always=True), **options))
    return await (await Tab(Site(webs[-1].app), transport).load()).connect()


def app_of(webs: list[WebApp]) -> Any:
    """The app. What a test keeps of it would hold it."""
    return only_session(webs[-1]).app


async def moved(webs: list[WebApp], former: weakref.ref[Any]) -> None:
    """Wait until another object is there than `former`, which nothing keeps."""
    await until(lambda: not only_session(webs[-1]).asleep and former() is None)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_after_each_event_it_is_another_object_and_the_same_app(webs: list[WebApp], transport: str) -> None:
    tab = await opened(webs, Counter, transport)
    for number in range(1, 4):
        former = weakref.ref(app_of(webs))
        assert await tab.click("more") == number
        await moved(webs, former)
        assert tab.text("count") == str(number)
    assert [line.text for line in tab.element("log").all("li")] == ["click 1", "click 2", "click 3"]


async def test_events_that_come_meanwhile_wait_and_none_is_lost(webs: list[WebApp]) -> None:
    tab = await opened(webs, Counter)
    for _ in range(20):
        await tab.send({"id": "more", "event": "click", "data": {}})
    assert await tab.click("more") == 21


async def test_a_handler_that_takes_time_is_moved_at_its_end(webs: list[WebApp]) -> None:
    tab = await opened(webs, Slow)
    former = weakref.ref(app_of(webs))
    assert await tab.click("slow") == "slow"
    await moved(webs, former)
    assert (app_of(webs).begun, app_of(webs).clicks) == (1, 10)


async def test_hooks_run_around_and_an_open_page_is_told_nothing_of_them(webs: list[WebApp]) -> None:
    tab = await opened(webs, Hooked)
    await tab.click("more")
    await until(lambda: len(DIARY) == 3)
    assert DIARY == ["mount", "unmount", "mount"]
    await tab.click("more")
    assert len([message for message in tab.messages if "prepare()" in message.get("js", ())]) == 1  # as it was new


async def test_what_is_pinned_goes_on_as_it_is(webs: list[WebApp]) -> None:
    tab = await opened(webs, Pinned)
    await tab.click("pin")
    former = weakref.ref(app_of(webs))
    assert await tab.click("more") == 1
    await until(lambda: not only_session(webs[-1]).asleep)
    assert former() is app_of(webs)
    await tab.click("free")
    await moved(webs, former)


async def test_what_something_holds_does_not_go_along(webs: list[WebApp]) -> None:
    tab = await opened(webs, Counter)
    HELD.append(former := app_of(webs))
    for number in (1, 2, 3):
        assert await tab.click("more") == number
        await until(lambda: not only_session(webs[-1]).asleep)
    assert app_of(webs) is not former
    former.more(None)  # as a timer would
    assert await tab.click("more") == 4
    assert tab.text("count") == "4"
