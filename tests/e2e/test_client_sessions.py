"""Real Chromium and real WebApps: two installations on one host, and a new session id at a login."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from htag import Tag, WebApp
from tests.e2e.serving import Serving

MODES = {"ws": "", "sse": "sse", "http": "http"}
CONNECTED = {
    "ws": "window.ws?.readyState === 1",
    "sse": "window.sse?.readyState === 1 && !use_pure_http",
    "http": "window.use_pure_http",
}


class Desk(Tag.App):
    def init(self) -> None:
        self.count = 0
        self <= Tag.button("0", _id="more", _onclick=self.more)
        self <= Tag.button("log in", _id="login", _onclick=lambda event: self.renew_session_id())

    def more(self, event: Any) -> int:
        self.count += 1
        return self.count


Serve = Callable[[], Awaitable[str]]


@pytest_asyncio.fixture(loop_scope="session")
async def serve_app() -> AsyncIterator[Serve]:
    """Starts an installation on a port of its own; the address of its page."""
    servers: list[Serving] = []

    async def start() -> str:
        servers.append(Serving(WebApp(Desk).app))
        await servers[-1].start()
        return servers[-1].url

    yield start
    for server in servers:
        await server.stop()


async def visit(context: BrowserContext, url: str, transport: str) -> Page:
    if MODES[transport]:
        await context.add_cookies([{"name": "htag_mode", "value": MODES[transport], "url": url}])
    page = await context.new_page()
    await page.clock.install()
    await page.goto(url)
    await page.wait_for_function(CONNECTED[transport])
    await page.evaluate("window.stayed = true")
    return page


async def more(page: Page) -> Any:
    return await page.evaluate("htag_event('more', 'click')")


@pytest.mark.parametrize("transport", MODES)
async def test_tabs_of_two_installations_on_one_host_leave_each_other_alone(
    browser_context: BrowserContext, serve_app: Serve, transport: str
) -> None:
    tabs = [await visit(browser_context, await serve_app(), transport) for _ in range(2)]
    for count in (1, 2):
        for tab in tabs:
            assert await more(tab) == count
    for count in (3, 4):
        for tab in tabs:
            await tab.clock.run_for(1500)  # a poll, which is answered before the event
            assert await more(tab) == count
    for tab in tabs:
        assert await tab.evaluate("window.stayed") is True, "it was not loaded again"
        await tab.reload()
        assert await more(tab) == 5


@pytest.mark.parametrize("transport", MODES)
async def test_a_login_renews_the_cookie_and_all_tabs_go_on(
    browser_context: BrowserContext, serve_app: Serve, transport: str
) -> None:
    url = await serve_app()
    tabs = [await visit(browser_context, url, transport) for _ in range(2)]
    before = await session_cookie(browser_context), await tabs[0].evaluate("HTAG_CSRF")
    await tabs[0].click("#login")
    for tab in tabs:
        await tab.wait_for_function(f"HTAG_CSRF !== '{before[1]}'")
    assert await session_cookie(browser_context) != before[0]
    for count, tab in enumerate(tabs, 1):
        assert await more(tab) == count
        assert await tab.evaluate("window.stayed") is True
    await tabs[1].reload()
    await tabs[1].wait_for_function(CONNECTED[transport])
    assert await more(tabs[1]) == 3, "the session of before"
    assert await tabs[0].evaluate("HTAG_CSRF") == await tabs[1].evaluate("HTAG_CSRF")


async def session_cookie(context: BrowserContext) -> Any:
    (cookie,) = [each for each in await context.cookies() if each["name"].startswith("htag_sid")]
    assert cookie["httpOnly"]
    return cookie["value"]
