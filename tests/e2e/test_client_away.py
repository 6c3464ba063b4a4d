"""A laptop that slept, in real Chromium: its network was away for longer than the server keeps a session in memory."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from htag import State, Tag, WebApp
from htag.limits import Limits
from htag.session.session import Session
from htag.stores.memory import MemoryStore
from tests.e2e.button_page import reach
from tests.e2e.serving import Serving
from tests.support.waiting import until

SECONDS = 1.0  # until a session is parked: without a tab, and with one in which nothing happens
AWAY_SECONDS = 10.0  # in which a page goes through all its delays between attempts to connect
CLICKS = 8  # while the network is away


class Desk(Tag.App):
    def init(self) -> None:
        self.count = State(0)
        self <= Tag.span(lambda: str(self.count.value), _id="count")
        self <= Tag.button("more", _id="more", _onclick=self.more)

    def more(self, event: Any) -> int:
        return self.count.set(self.count.value + 1)


@pytest.fixture
def web() -> WebApp:
    return WebApp(Desk, store=MemoryStore(), limits=Limits(grace_seconds=SECONDS, idle_seconds=SECONDS))


@pytest_asyncio.fixture(loop_scope="session")
async def server(web: WebApp) -> AsyncIterator[Serving]:
    serving = Serving(web.app)
    await serving.start()
    yield serving
    await serving.stop()
    await web.registry.close()


def only_session(web: WebApp) -> Session:
    [session] = web.registry.sessions.values()
    return session


def count_in(session: Session) -> int:
    """What the app itself has counted."""
    assert isinstance(session.app, Desk)
    return session.app.count.value


async def visit(page: Page, server: Serving, transport: str) -> Callable[[], int]:
    """Open the page, click once, and see that. Returns how often the page has been loaded so far."""
    loads: list[Any] = []
    page.on("framenavigated", lambda frame: loads.append(frame))
    await page.context.add_cookies([{"name": "htag_mode", "value": transport, "url": server.url}])
    await page.goto(server.url)
    await reach(page, transport)
    await page.click("#more")
    await shows(page, 1)
    return lambda: len(loads)


async def shows(page: Page, count: int) -> None:
    await page.wait_for_function(f"document.querySelector('#count').textContent === '{count}'")


@pytest.mark.parametrize("transport", ["ws", "sse"])
async def test_a_page_whose_network_was_away_until_its_session_was_parked(
    page: Page, web: WebApp, server: Serving, transport: str
) -> None:
    await page.clock.install()
    loads = await visit(page, server, transport)
    await page.context.set_offline(True)
    server.cut()
    await until(lambda: not web.registry.sessions)  # it is in the store only
    for _ in range(CLICKS):
        await page.click("#more")
        await page.clock.run_for(1000 * AWAY_SECONDS / CLICKS)
    assert not web.registry.sessions  # nothing came through
    assert await page.text_content("#count") == "1"
    await page.context.set_offline(False)
    await shows(page, 1 + CLICKS)
    await page.click("#more")
    await shows(page, 2 + CLICKS)
    await page.clock.run_for(1000)  # for what might be sent again, which would come before the next click
    await page.click("#more")
    await shows(page, 3 + CLICKS)
    assert count_in(only_session(web)) == 3 + CLICKS
    assert loads() == 1


@pytest.mark.parametrize("transport", ["ws", "sse"])
async def test_a_page_that_was_left_open_until_its_session_fell_asleep(
    page: Page, web: WebApp, server: Serving, transport: str
) -> None:
    loads = await visit(page, server, transport)
    session = only_session(web)
    await until(lambda: session.asleep)
    await page.click("#more")
    await shows(page, 2)
    assert only_session(web) is session
    assert count_in(session) == 2
    assert loads() == 1
