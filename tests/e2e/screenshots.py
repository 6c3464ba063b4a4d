"""Takes pictures of what a person sees: the demo, the notice of a lost connection, the busy page, an error.

`make screenshots` writes all of them, light and dark, narrow and wide, into reports/screenshots to be looked at, and
those that the documentation shows into docs/images.
"""

import argparse
import asyncio
import logging
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, Page, async_playwright

from htag import Tag, WebApp
from htag.web.answers import busy
from htag_stack.demo import Demo
from tests.e2e.chromium import SWITCHES
from tests.e2e.serving import Serving
from tests.e2e.strict_page import comes
from tests.support.source import ROOT

ALL = ROOT / "reports/screenshots"
SHOWN = ROOT / "docs/images"
WIDTHS = {"narrow": (320, 640), "wide": (800, 500)}
IN_DOCS = {
    "home-light-wide",
    "tasks-dark-narrow",
    "live-light-narrow",
    "notice-light-wide",
    "error-dark-narrow",
    "busy-dark-narrow",
}
# Paths in the error's text from this folder on: where it stands on this machine is of no interest.
SHORTEN = """(folder) => {
    const walker = document.createTreeWalker(document.querySelector('htag-error').shadowRoot, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) walker.currentNode.data = walker.currentNode.data.replaceAll(folder, '');
}"""
LARGEST = 60_000  # bytes of a picture in the documentation


class Pictured(Demo):
    """The demo, with a button that fails."""

    def init(self) -> None:
        super().init()
        Tag.footer(Tag.button("Divide by zero", _id="fail", _onclick=self.fail), _style="display: none")

    def fail(self, event: Any) -> None:
        """Raise."""
        self.clicks.set(self.clicks.get() / 0)


async def home(page: Page, serving: Serving) -> None:
    """Three clicks."""
    await visit(page, serving, "/")
    for _ in range(3):
        await page.click("#click")
    await comes(page, "document.querySelector('#clicks').textContent >= 3")


async def tasks(page: Page, serving: Serving) -> None:
    """One task done, one to do."""
    await visit(page, serving, "/tasks")
    for text in ("Buy milk", "Write an app of one's own"):
        await page.fill("#new-task", text)
        await page.click("#add-task")
        await page.wait_for_selector(f"li:has-text({text!r})")
    await page.locator("li input").first.click()
    await page.wait_for_selector("li.done")


async def contact(page: Page, serving: Serving) -> None:
    """A form that is not complete."""
    await visit(page, serving, "/contact")
    await page.fill("[name=name]", "Ann")
    await page.get_by_role("button", name="Send").click()
    await page.wait_for_selector(".note")


async def live(page: Page, serving: Serving) -> None:
    """The chart."""
    await visit(page, serving, "/live")
    await page.click("#pause")
    await page.wait_for_timeout(500)  # until the bars have come to rest


async def notice(page: Page, serving: Serving) -> None:
    """The server is gone, and a click waits for it."""
    await visit(page, serving, "/")
    await serving.die()
    try:
        await page.click("#click")
        await comes(page, "document.querySelector('htag-notice')?.offsetParent !== undefined")
        await page.wait_for_timeout(1500)
        await page.mouse.move(0, 0)
    finally:
        await serving.start()


async def error(page: Page, serving: Serving) -> None:
    """A handler failed, and the app says so to its author."""
    await visit(page, serving, "/")
    await page.evaluate("document.querySelector('#fail').click()")
    await page.wait_for_selector("htag-error[show]", state="attached")
    await page.wait_for_timeout(500)
    await page.evaluate(SHORTEN, f"{ROOT}/")


async def busy_page(page: Page, _: Serving) -> None:
    """There is no room for a newcomer."""
    await page.set_content(bytes(busy("sessions").body).decode())


Scene = Callable[[Page, Serving], Awaitable[None]]
SCENES: dict[str, Scene] = {
    "home": home,
    "tasks": tasks,
    "contact": contact,
    "live": live,
    "notice": notice,
    "error": error,
    "busy": busy_page,
}


async def visit(page: Page, serving: Serving, path: str) -> None:
    """Show a page of the demo, connected."""
    await page.goto(f"{serving.url}#{path}")
    await comes(page, "document.querySelector('#transport')?.textContent === 'WebSocket'")
    await page.wait_for_selector("h1")


@asynccontextmanager
async def pictured() -> AsyncIterator[Serving]:
    """The demo, served."""
    web = WebApp(Pictured)
    serving = Serving(web.app)
    await serving.start()
    yield serving
    await serving.stop()
    await web.registry.close()


async def take(browser: Browser, name: str, scheme: Literal["light", "dark"], size: str) -> Path:
    """Take one picture, as a person who has just come."""
    width, height = WIDTHS[size]
    context = await browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height})
    page = await context.new_page()
    page.set_default_timeout(10_000)
    random.seed(12)  # the chart looks as it did the last time
    async with pictured() as serving:
        await SCENES[name](page, serving)
        path = ALL / f"{name}-{scheme}-{size}.png"
        await page.screenshot(path=path)
    await context.close()
    return path


async def main(wanted: list[str]) -> None:
    """Take all pictures of the scenes that are wanted; copy those that the documentation shows."""
    ALL.mkdir(parents=True, exist_ok=True)
    SHOWN.mkdir(exist_ok=True)
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=SWITCHES)
        for name in wanted:
            for scheme in schemes:
                for size in WIDTHS:
                    path = await take(browser, name, scheme, size)
                    print(path.relative_to(ROOT))
                    if path.stem in IN_DOCS:
                        assert path.stat().st_size <= LARGEST, f"{path} has more than {LARGEST} bytes"
                        shutil.copy(path, SHOWN / path.name)
        await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", nargs="*", default=list(SCENES), help=", ".join(SCENES))
    logging.disable()  # the handler that fails does so on purpose
    asyncio.run(main(parser.parse_args().scenes))
