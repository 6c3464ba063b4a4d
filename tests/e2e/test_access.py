"""The demo for everybody: axe-core finds nothing, the keyboard is enough, 320 px are enough, light and dark."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from starlette.responses import HTMLResponse

from htag import WebApp
from htag.web.answers import busy
from htag.web.asgi import Receive, Scope, Send
from tests.e2e.axe import violations
from tests.e2e.screenshots import Pictured
from tests.e2e.served_app import shows
from tests.e2e.serving import Serving
from tests.e2e.strict_page import PAGE_SECONDS
from tests.support.source import ROOT
from tests.support.waiting import until

Scheme = Literal["light", "dark"]
ONCE = pytest.mark.parametrize("page", ["light"], indirect=True)  # colours are no matter there
PAGES = {"/": "Everything you see is Python", "/tasks": "Tasks", "/contact": "Contact", "/live": "Live"}
NARROW, WIDE = 320, 1280  # px; 320 is what WCAG 1.4.10 asks for: a laptop's window at 400 %


@pytest_asyncio.fixture(loop_scope="session")
async def demo() -> AsyncIterator[Serving]:
    async with served(WebApp(Pictured)) as serving:
        yield serving


@asynccontextmanager
async def served(web: WebApp) -> AsyncIterator[Serving]:
    serving = Serving(web.app)
    await serving.start()
    try:
        yield serving
    finally:
        await serving.stop()
        await web.registry.close()


@pytest_asyncio.fixture(loop_scope="session", params=["light", "dark"])
async def page(chromium: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    scheme: Scheme = request.param
    context = await chromium.new_context(color_scheme=scheme, viewport={"width": WIDE, "height": 800})
    context.set_default_timeout(PAGE_SECONDS * 1000)
    yield await context.new_page()
    await context.close()


async def show(page: Page, demo: Serving, path: str) -> None:
    await page.goto(f"{demo.url}#{path}")
    await shows(page, f"document.querySelector('h1')?.textContent === '{PAGES[path]}'")
    await shows(page, "document.querySelector('#transport')?.textContent === 'WebSocket'")


async def assert_good(page: Page) -> None:
    """axe-core finds nothing, and nothing is cut off or scrolls sideways, narrow and wide."""
    for width in (NARROW, WIDE):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_that_was_just_opened(page: Page, demo: Serving, path: str) -> None:
    await show(page, demo, path)
    await assert_good(page)


async def test_after_clicks(page: Page, demo: Serving) -> None:
    await show(page, demo, "/")
    for _ in range(3):
        await page.click("#click")
    await shows(page, "document.querySelector('#clicks')?.textContent === '3'")
    await assert_good(page)


async def test_tasks_that_are_long_done_and_deleted(page: Page, demo: Serving) -> None:
    await show(page, demo, "/tasks")
    for text in ("Donaudampfschifffahrtsgesellschaftskapitän" * 3, "Buy milk"):
        await page.fill("#new-task", text)
        await page.click("#add-task")
        await page.wait_for_selector(f"li:has-text('{text}')")
    await page.get_by_label("Buy milk", exact=True).check()
    await page.wait_for_selector("li.done")
    await assert_good(page)
    for left in (2, 1, 0):
        await page.get_by_role("button", name="Delete").first.click()
        await shows(page, f"document.querySelectorAll('li').length === {left}")
    await assert_good(page)


async def test_a_form_that_is_not_complete_and_one_that_is(page: Page, demo: Serving) -> None:
    await show(page, demo, "/contact")
    await page.get_by_role("button", name="Send").click()
    await page.wait_for_selector(".note.bad")
    await assert_good(page)
    for label, text in {"Your name": "Ann", "E-mail": "ann@example.org", "Message": "Hello"}.items():
        await page.get_by_label(label).fill(text)
    await page.get_by_role("button", name="Send").click()
    await page.wait_for_selector(".note.good")
    await assert_good(page)


async def test_an_error_that_is_shown(page: Page, demo: Serving) -> None:
    await show(page, demo, "/")
    await page.evaluate("document.querySelector('#fail').click()")
    await page.wait_for_selector("htag-error[show]", state="attached")
    await shows(page, "document.querySelector('htag-error').shadowRoot?.textContent.includes('ZeroDivision')")
    await assert_good(page)
    await page.get_by_role("button", name="Close").press("Enter")
    assert await page.evaluate("!document.querySelector('htag-error').hasAttribute('show')")


async def test_the_notice_that_the_connection_is_lost(page: Page, demo: Serving) -> None:
    await show(page, demo, "/")
    await page.wait_for_selector("htag-notice", state="attached")
    await demo.die()
    await page.click("#click")
    await page.wait_for_selector("htag-notice[show]", state="attached")
    animations = "document.querySelector('htag-notice').shadowRoot.getAnimations()"
    await page.evaluate(f"Promise.all({animations}.map((animation) => animation.finished)).then(() => 0)")  # it is up
    await assert_good(page)
    assert "Connection lost" in await page.get_by_role("status").last.inner_text()
    await demo.start()
    await shows(page, "document.querySelector('#clicks')?.textContent === '1'")


async def test_the_busy_page_and_the_page_of_the_proxy(page: Page) -> None:
    for text in (bytes(busy("sessions").body).decode(), (ROOT / "nginx/pages/again.html").read_text()):
        await page.set_content(text)
        await assert_good(page)


def test_both_ask_again_in_the_same_way() -> None:
    assert (ROOT / "htag/client/retry.js").read_text() in (ROOT / "nginx/pages/again.html").read_text()


@ONCE
async def test_a_busy_page_asks_again_without_loading_itself_until_there_is_room(page: Page) -> None:
    asked, room = 0, False

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal asked
        asked += scope["path"] == "/"
        answer = HTMLResponse("<title>Here</title>") if room else busy("sessions")
        await answer(scope, receive, send)

    async def asks_again(number: int) -> None:
        await page.clock.fast_forward(16_000)  # longer than any busy page waits
        await until(lambda: asked == number)

    serving = Serving(app)
    await serving.start()
    await page.clock.install()
    loads: list[object] = []
    page.on("load", lambda loaded: loads.append(loaded))
    await page.goto(serving.url)
    await asks_again(2)
    await asks_again(3)
    await serving.die()
    async with page.expect_event("requestfailed"):  # this ends nothing
        await page.clock.fast_forward(16_000)
    assert (await page.title(), len(loads)) == ("Busy", 1)
    await serving.start()
    room = True
    while asked < 5:  # a clock that is put forward before the page has noted the failure finds nothing to do
        await page.clock.fast_forward(16_000)
        await page.wait_for_timeout(100)
    await expect(page).to_have_title("Here", timeout=PAGE_SECONDS * 1000)
    assert (asked, len(loads)) == (5, 2)
    await serving.stop()


async def focused(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name"))


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus, and see that it shows."""
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            break
    else:
        pytest.fail(f"the keyboard does not reach {selector}")
    assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


@ONCE
async def test_the_keyboard_is_enough(page: Page, demo: Serving) -> None:
    await show(page, demo, "/")
    await tab_to(page, "#click")
    for key in ("Enter", "Space"):
        await page.keyboard.press(key)
    await shows(page, "document.querySelector('#clicks')?.textContent === '2'")
    assert await focused(page) == "Click me"

    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Shift+Tab")
    assert await focused(page) == "Tasks"
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#new-task")

    await tab_to(page, "#new-task")
    await page.keyboard.type("Buy milk")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("li:has-text('Buy milk')")
    await shows(page, "document.activeElement.id === 'new-task' && document.activeElement.value === ''")
    await tab_to(page, "li input")
    await page.keyboard.press("Space")
    await page.wait_for_selector("li.done")
    await tab_to(page, "li button")
    await page.keyboard.press("Enter")
    await shows(page, "document.querySelectorAll('li').length === 1")
    # what had the focus is gone: it is not lost for that
    await shows(page, "document.activeElement.id === 'new-task'")


async def test_the_keyboard_fills_in_the_form_and_stops_the_chart(page: Page, demo: Serving) -> None:
    await show(page, demo, "/contact")
    for name, text in {"name": "Ann", "email": "ann@example.org", "message": "Hello"}.items():
        await tab_to(page, f"[name={name}]")
        await page.keyboard.type(text)
    await tab_to(page, "form button")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".note.good")

    await show(page, demo, "/live")
    await tab_to(page, "#pause")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#pause:has-text('Go on')")
    chart = await page.inner_html(".chart")
    await asyncio.sleep(1.5)
    assert await page.inner_html(".chart") == chart
    assert await violations(page) == []
    await page.keyboard.press("Enter")
    await shows(page, f"document.querySelector('.chart').innerHTML !== {json.dumps(chart)}")


@ONCE
async def test_what_changes_by_itself_is_announced(page: Page, demo: Serving) -> None:
    """A screen reader is told of it where its user is: the change itself moves neither focus nor reading place."""
    await show(page, demo, "/tasks")
    snapshot = await page.locator("main").aria_snapshot()
    assert "- status: 1 of 1 left" in snapshot
    await show(page, demo, "/")
    assert '- status: "0"' in await page.locator("main").aria_snapshot()
    await show(page, demo, "/live")
    assert await page.locator("main [role=status]").count() == 1
