"""A page in Chromium of which each violation of its policy is noted, and which is used as by a person who tries all."""

import re
from contextlib import suppress

from playwright.async_api import ElementHandle, Error, Page, Response

from htag import Tag
from tests.apps.chat import Chat
from tests.apps.dashboard import Dashboard
from tests.apps.gallery import Gallery
from tests.apps.shop import Shop
from tests.apps.signup import Signup
from tests.apps.table import Table
from tests.apps.todo import Todo
from tests.e2e.strict_page import comes

KINDS: tuple[type[Tag.App], ...] = (Chat, Dashboard, Gallery, Shop, Signup, Table, Todo)
APPS = {each.__name__.lower(): each for each in KINDS}
LISTEN = """window.violations = [];
addEventListener('securitypolicyviolation', ({effectiveDirective, blockedURI, sample, sourceFile, lineNumber}) =>
    violations.push(`${effectiveDirective} ${blockedURI} ${sample} ${sourceFile}:${lineNumber}`), true);"""
ACTS = 40  # elements of a page that are used: beyond, they are rows that look alike


async def load(page: Page, url: str) -> Response:
    """Load a page of which each violation is noted, from its first byte on."""
    await page.add_init_script(LISTEN)
    answer = await page.goto(url)
    assert answer
    return answer


async def connected(page: Page) -> None:
    """Wait until the page has its WebSocket."""
    await comes(page, "window.ws?.readyState === 1")


async def violations(page: Page) -> list[str]:
    """Return what the browser has refused since the page was loaded."""
    await page.evaluate("new Promise((done) => setTimeout(done, 100))")  # they are told late
    seen: list[str] = await page.evaluate("window.violations")
    return seen[:5]


async def use(element: ElementHandle) -> None:
    """Do with `element` what a person does with such a one."""
    kind = await element.evaluate("({localName, type}) => `${localName} ${type ?? ''}`")
    if re.match("(input (text|email|number|search|password|)|textarea)", kind):
        await element.fill("12", timeout=300)
    elif kind.startswith("select"):
        await element.select_option(index=0, timeout=300)
    elif not re.match("body|form|html", kind):
        await element.click(timeout=300)


async def use_all(page: Page) -> int:
    """Use what has handlers, as long as it is there. Returns how many could be used."""
    used = 0
    for element in (await page.query_selector_all("[data-htag-on]"))[:ACTS]:
        with suppress(Error):  # an update has taken it away, or it cannot be seen
            await use(element)
            used += 1
    return used
