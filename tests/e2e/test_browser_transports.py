"""A hundred clicks are counted once each, in order and without a reload, whatever the connection goes through."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from playwright.async_api import Error, Page

from tests.e2e.browser_apps import Counted
from tests.e2e.interference import Buffering, Link, Login, WithoutSockets
from tests.e2e.page_clock import comes_in_time
from tests.e2e.served_app import CONNECTED, ServedApp, heard, served, visit
from tests.support.waiting import until

CLICKS = 100
CLICK = f"""(async () => {{
    window.stayed = true;
    for (let n = 0; n < {CLICKS}; n++) {{
        document.querySelector('#more').click();
        await new Promise((done) => setTimeout(done, 20));
    }}
    window.clicked = true;
}})(); 0"""
DEAD_LINK_MS = 10_000  # of the page's own time, from need
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


async def counted(page: Page, server: ServedApp[Counted]) -> None:
    """All clicks are counted and shown, and the page is the one that was clicked in."""
    await comes_in_time(page, SETTLED)
    assert await heard(server.app, CLICKS) == ALL
    assert await page.evaluate("[window.stayed, window.clicked]") == [True, True]


@pytest.fixture(params=["ws", "sse", "http"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_over_one_that_is_cut_in_the_middle_and_given_back(page: Page, transport: str) -> None:
    await page.clock.install()
    async with served(Counted) as server, linked(server) as link:
        await visit(page, link.url, transport)
        await page.evaluate(CLICK)
        await until(lambda: len(server.app.heard) > 20)
        link.refuse()
        await page.clock.run_for(1500)
        assert len(server.app.heard) < CLICKS
        link.work()
        await counted(page, server)


async def test_over_one_that_falls_silent_and_works_again_for_new_connections(page: Page, transport: str) -> None:
    await page.clock.install()
    async with served(Counted) as server, linked(server) as link:
        await visit(page, link.url, transport)
        await page.evaluate(CLICK)
        await until(lambda: len(server.app.heard) > 20)
        link.fall_silent()
        await page.clock.run_for(1000)
        link.work()
        await counted(page, server)


NOTE_LOSS = """for (const name of ['htag-disconnected', 'htag-answered'])
    document.addEventListener(name, ({type}) => (window.noticed ??= [performance.now(), type]))"""


@pytest.mark.parametrize("transport", ["ws", "http"])
async def test_a_dead_link_is_noticed_within_ten_seconds_of_need(page: Page, transport: str) -> None:
    await page.clock.install()
    async with served(Counted) as server, linked(server) as link:
        await visit(page, link.url, transport)
        await page.evaluate(NOTE_LOSS)
        link.forget()
        await page.evaluate("window.needed = performance.now(); document.querySelector('#more').click()")
        await comes_in_time(page, "window.noticed")
        assert await page.evaluate("noticed[0] - needed") < DEAD_LINK_MS
        if transport == "ws":  # a POST may have got a new connection, which works
            assert await page.evaluate("noticed[1]") == "htag-disconnected"
        await comes_in_time(page, CONNECTED[transport])
        assert await heard(server.app, 1) == [1]


@pytest.mark.parametrize("event", ["online", "pageshow"])
async def test_a_dead_link_is_looked_at_when_the_browser_says_so(page: Page, event: str) -> None:
    await page.clock.install()
    async with served(Counted) as server, linked(server) as link:
        await visit(page, link.url)
        await page.wait_for_selector("htag-notice", state="attached")  # what looks is there
        link.forget()
        await page.evaluate(f"window.before = window.ws; dispatchEvent(new Event('{event}'))")
        await comes_in_time(page, f"window.ws !== before && {CONNECTED['ws']}")


async def test_over_a_proxy_that_buffers(page: Page) -> None:
    await page.clock.install()
    async with served(Counted, Buffering) as server:
        await page.goto(server.url)
        await page.evaluate(CLICK)
        await counted(page, server)


async def test_over_a_proxy_without_websockets_and_up_again(page: Page) -> None:
    await page.clock.install()
    async with served(Counted, WithoutSockets) as server:
        await page.goto(server.url)
        await comes_in_time(page, CONNECTED["sse"])
        await page.evaluate(CLICK)
        await counted(page, server)
        server.serving.app.blocks = False
        await comes_in_time(page, CONNECTED["ws"])
        await page.click("#more")
        assert (await heard(server.app, CLICKS + 1))[-1] == CLICKS + 1
        assert await page.evaluate("window.stayed")


async def test_a_restart_in_the_middle(page: Page, transport: str) -> None:
    await page.clock.install()
    async with served(Counted) as server:
        await visit(page, server.url, transport)
        await page.evaluate(CLICK)
        await until(lambda: len(server.app.heard) > 20)
        await server.serving.stop()
        await page.clock.run_for(500)
        await server.serving.start()
        await counted(page, server)
        await comes_in_time(page, CONNECTED[transport])


@pytest.mark.parametrize(("transport", "answers"), [("ws", 302), ("sse", 401), ("http", 302), ("http", 401)])
async def test_an_expired_login_leads_to_one_reload_that_keeps_what_was_typed(
    page: Page, transport: str, answers: int
) -> None:
    login: Any = None

    def around(app: Any) -> Any:
        nonlocal login
        login = Login(app)
        return login

    await page.clock.install()
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
        while not loads:
            await page.wait_for_timeout(100)
            await page.clock.run_for(500)
        await page.clock.run_for(30_000)
        assert len(loads) == 1, f"no loop: {loads}"
        login.expired = False
        if answers == 302:
            assert page.url.endswith("/login")
            await page.goto(server.url)
        await comes_in_time(page, CONNECTED[transport])
        assert await page.input_value("#typed") == "half a sentence"
        await page.click("#more")
        assert await heard(server.app, clicks + 1) == [*range(1, clicks + 2)], "the first was kept"
