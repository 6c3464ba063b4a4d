"""Two tabs of one person in real Chromium, on a real server: what one does is not done in the other."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from htag import Router, Tag, WebApp
from tests.e2e.serving import Serving
from tests.e2e.strict_page import comes
from tests.support.visits import shut_down

CONNECTED = "document.documentElement.dataset.htagConnection === 'ws'"


class Chart(Tag.canvas):
    """Drawn by JavaScript, in each tab that shows it."""

    def on_mount(self) -> None:
        self.call_js(f"document.getElementById('{self.id}').dataset.drawn = 'yes'")


class Paths(Tag.App):
    def init(self) -> None:
        self.router = Router()
        for path in ("/", "/a", "/b"):
            self.router.add_route(path, lambda path=path: Tag.p(f"at {path}"))
        self += self.router
        Tag.button("go", _id="go", _onclick=lambda event: self.router.navigate("/b"))
        Tag.button("say", _id="say", _onclick=lambda event: self.call_js("window.said = (window.said || 0) + 1"))
        Tag.button("draw", _id="draw", _onclick=lambda event: self.add(Chart()))

    def on_mount(self) -> None:
        self.call_js("window.ready = (window.ready || 0) + 1")


@pytest_asyncio.fixture(loop_scope="session")
async def url() -> AsyncIterator[str]:
    web = WebApp(Paths)
    serving = Serving(web.app)
    await serving.start()
    yield serving.url
    await serving.stop()
    await shut_down(web)


async def opened(context: BrowserContext, url: str) -> Page:
    page = await context.new_page()
    await page.goto(url)
    await comes(page, f"{CONNECTED} && window.ready")
    return page


async def at(page: Page, path: str) -> None:
    await page.locator("p", has_text=f"at {path}").wait_for()


async def state(*pages: Page) -> list[Any]:
    return [await page.evaluate("[location.hash, window.ready, window.said ?? 0]") for page in pages]


async def test_a_second_tab_and_what_it_navigates_leave_the_first_where_it_is(
    browser_context: BrowserContext, url: str
) -> None:
    first = await opened(browser_context, f"{url}#/a")
    await at(first, "/a")
    second = await opened(browser_context, url)
    await comes(second, "location.hash === '#/a'")
    await at(second, "/a")
    await second.click("#say")
    await comes(second, "window.said === 1")
    await second.click("#go")
    await at(second, "/b")
    await first.wait_for_timeout(200)
    assert await state(first, second) == [["#/a", 1, 0], ["#/b", 1, 1]]


async def test_what_one_tab_brings_into_the_page_is_drawn_in_both(browser_context: BrowserContext, url: str) -> None:
    first, second = await opened(browser_context, url), await opened(browser_context, url)
    await second.click("#draw")
    for page in (first, second):
        await page.locator("canvas[data-drawn]").wait_for(state="attached")


async def test_a_page_that_is_loaded_again_runs_what_its_hooks_say(browser_context: BrowserContext, url: str) -> None:
    """Its former connection is there until the new page has come."""
    page = await opened(browser_context, f"{url}#/a")
    for _ in range(3):
        await page.reload()
        await comes(page, f"{CONNECTED} && window.ready === 1")
        await at(page, "/a")
