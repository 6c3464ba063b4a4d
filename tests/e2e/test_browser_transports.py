"""A hundred clicks are counted once each, in order and without a reload, whatever the connection goes through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from playwright.async_api import Error, Page

from tests.e2e.browser_apps import Counted
from tests.e2e.interference import Buffering, Link, Login, WithoutSockets
from tests.e2e.served_app import CONNECTED, ServedApp, heard, served, shows, visit
from tests.support.waiting import patience, until

CLICKS = 100
CLICK = f"""(async () => {{
    window.stayed = true;
    for (let n = 0; n < {CLICKS}; n++) {{
        document.querySelector('#more').click();
        await new Promise((done) => setTimeout(done, 20));
    }}
    window.clicked = true;
}})(); 0"""
DEAD_LINK = patience(12)  # seconds: it is noticed within 10 s of need
UP_AGAIN = patience(25)  # seconds until a page tries a better transport by itself
ALL = list(range(1, CLICKS + 1))
SETTLED = f"document.querySelector('#more').textContent === '{CLICKS}'"


@asynccontextmanager
async def linked(server: ServedApp[Counted]) -> AsyncIterator[Link]:
    link = Link(server.serving.port)
    await link.start()
    try:
        yield link
    finally:
        await link.stop()


async def counted(page: Page, server: ServedApp[Counted], seconds: float = DEAD_LINK) -> None:
    """All clicks are counted and shown, and the page is the one that was clicked in."""
    assert await heard(server.app, CLICKS, seconds) == ALL
    await shows(page, SETTLED)
    assert await page.evaluate("[window.stayed, window.clicked]") == [True, True]


@pytest.fixture(params=["ws", "sse", "http"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_over_a_connection_that_is_whole(page: Page, transport: str) -> None:
    async with served(Counted) as server:
        await visit(page, server.url, transport)
        await page.evaluate(CLICK)
        await counted(page, server)


async def test_over_one_that_is_cut_in_the_middle_and_given_back(page: Page, transport: str) -> None:
    async with served(Counted) as server, linked(server) as link:
        await visit(page, link.url, transport)
        await page.evaluate(CLICK)
        await until(lambda: len(server.app.heard) > 20)
        link.refuse()
        await asyncio.sleep(1.5)
        assert len(server.app.heard) < CLICKS
        link.work()
        await counted(page, server)


async def test_over_one_that_falls_silent_and_works_again_for_new_connections(page: Page, transport: str) -> None:
    async with served(Counted) as server, linked(server) as link:
        await visit(page, link.url, transport)
        await page.evaluate(CLICK)
        await until(lambda: len(server.app.heard) > 20)
        link.fall_silent()
        await asyncio.sleep(1)
        link.work()
        await counted(page, server, DEAD_LINK + 3)


@pytest.mark.parametrize("transport", ["ws", "http"])
async def test_a_dead_link_is_noticed_within_ten_seconds_of_need(page: Page, transport: str) -> None:
    async with served(Counted) as server, linked(server) as link:
        await visit(page, link.url, transport)
        await asyncio.sleep(1)
        link.forget()
        await page.click("#more")
        assert await heard(server.app, 1, patience(10)) == [1]


@pytest.mark.parametrize("event", ["online", "pageshow"])
async def test_a_dead_link_is_looked_at_when_the_browser_says_so(page: Page, event: str) -> None:
    async with served(Counted) as server, linked(server) as link:
        await visit(page, link.url)
        await asyncio.sleep(1)
        link.forget()
        await page.evaluate(f"window.before = window.ws; dispatchEvent(new Event('{event}'))")
        await shows(page, f"window.ws !== before && {CONNECTED['ws']}", patience(6))


async def test_over_a_proxy_that_buffers(page: Page) -> None:
    async with served(Counted, Buffering) as server:
        await page.goto(server.url)
        await page.evaluate(CLICK)
        await counted(page, server, patience(20))


async def test_over_a_proxy_without_websockets_and_up_again(page: Page) -> None:
    async with served(Counted, WithoutSockets) as server:
        await visit_by_need(page, server, "sse")
        await page.evaluate(CLICK)
        await counted(page, server)
        server.serving.app.blocks = False
        await shows(page, CONNECTED["ws"], UP_AGAIN)
        await page.click("#more")
        assert (await heard(server.app, CLICKS + 1))[-1] == CLICKS + 1
        assert await page.evaluate("window.stayed")


async def reaches(page: Page, condition: str) -> None:
    """Wait until the expression is true, of a page that may be loaded again meanwhile."""
    reached = False
    while not reached:
        with suppress(Error):  # the test's own time limit ends this
            await shows(page, condition)
            reached = True


async def visit_by_need(page: Page, server: ServedApp[Counted], transport: str) -> None:
    """Load the page, which finds out by itself that it has `transport` only."""
    await page.goto(server.url)
    await shows(page, CONNECTED[transport])


async def test_a_restart_in_the_middle(page: Page, transport: str) -> None:
    async with served(Counted) as server:
        await visit(page, server.url, transport)
        await page.evaluate(CLICK)
        await until(lambda: len(server.app.heard) > 20)
        await server.serving.stop()
        await asyncio.sleep(0.5)
        await server.serving.start()
        await counted(page, server)
        await shows(page, CONNECTED[transport])


async def test_two_first_tabs_at_once(page: Page) -> None:
    async with served(Counted) as server:
        other = await page.context.new_page()
        await asyncio.gather(page.goto(server.url), other.goto(server.url))
        for tab in (page, other):  # one of them has lost the cookie to the other, and is loaded once more
            await reaches(tab, "document.documentElement.dataset.htagConnection === 'ws'")
        await asyncio.gather(page.evaluate(CLICK), other.evaluate(CLICK))

        def total() -> int:
            return sum(len(app.heard) for app in server.apps)

        await until(lambda: total() >= 2 * CLICKS)
        await asyncio.sleep(0.3)
        assert total() == 2 * CLICKS
        for tab in (page, other):
            assert await tab.evaluate("[window.stayed, window.clicked]") == [True, True]


@pytest.mark.parametrize(("transport", "answers"), [("ws", 302), ("sse", 401), ("http", 302), ("http", 401)])
async def test_an_expired_login_leads_to_one_reload_that_keeps_what_was_typed(
    page: Page, transport: str, answers: int
) -> None:
    login: Any = None

    def around(app: Any) -> Any:
        nonlocal login
        login = Login(app)
        return login

    async with served(Counted, around) as server:
        await visit(page, server.url, transport)
        await page.click("#typed")
        await page.keyboard.type("half a sentence")
        loads: list[Any] = []
        page.on("domcontentloaded", lambda _: loads.append(page.url))
        login.answers, login.expired = answers, True
        server.serving.cut()
        clicks = 0
        with suppress(Error):  # a page that asks by itself is on its way already
            clicks = await page.evaluate("const more = document.querySelector('#more'); more?.click(); more ? 1 : 0")
        await until(lambda: loads, DEAD_LINK)
        await page.wait_for_timeout(3000)
        assert len(loads) == 1, f"no loop: {loads}"
        login.expired = False
        if answers == 302:
            assert page.url.endswith("/login")
            await page.goto(server.url)
        await shows(page, CONNECTED[transport])
        assert await page.input_value("#typed") == "half a sentence"
        await page.click("#more")
        assert await heard(server.app, clicks + 1) == [*range(1, clicks + 2)], "the first was kept"
