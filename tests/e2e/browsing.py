"""Tabs in real Chromium, each of a person of its own, which click all the time while the test breaks something."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from playwright.async_api import Browser, BrowserContext, Frame, Page, WebSocket

from tests.support.pace import Pace
from tests.support.waiting import patience

CONNECTED = "window.ws?.readyState === 1"
SETTLING = patience(10)  # seconds for the last click to be answered
# Clicks as a person's: on the button. The next one follows the answer to the last, which the page shows.
CLICK_ON = """(pause) => {
    window.clicks = 0; window.gaps = []; window.going = true;
    const sleep = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
    const shown = () => +document.querySelector('#clicks')?.textContent;
    window.done = (async () => {
        while (going) {
            const started = performance.now();
            clicks++;
            document.querySelector('#more').click();
            while (!(shown() >= clicks)) await sleep(0.05);
            gaps.push((performance.now() - started) / 1000);
            await sleep(pause * (0.5 + Math.random()));
        }
    })(); 0
}"""
SHOWN = "[window.clicks, +document.querySelector('#clicks').textContent, _error_overlay.hasAttribute('show')]"


class BrowserTab:
    """One tab in a context of its own: a person with cookies and storage of their own."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.page = page
        self.loads = 0
        self.connections = 0
        self.gaps: list[float] = []  # seconds between each click and its being shown
        self.shown: list[Any] = []  # clicks made, clicks shown, error shown: in the end
        self._context = context
        page.on("framenavigated", self._note_navigation)
        page.on("websocket", self._note_connection)

    @classmethod
    async def open(cls, browser: Browser, url: str) -> "BrowserTab":
        """Load the page, and connect."""
        context = await browser.new_context()
        context.set_default_timeout(1000 * patience(20))
        tab = cls(context, await context.new_page())
        await tab.page.goto(url)
        await tab.page.wait_for_function(CONNECTED)
        return tab

    async def click_on(self, pause: float) -> None:
        await self.page.evaluate(CLICK_ON, pause)

    async def stop(self) -> None:
        """Make no further click; wait for all answers, and look at what is shown."""
        page = self.page
        with suppress(TimeoutError):  # what it shows then is told
            async with asyncio.timeout(SETTLING):
                await page.evaluate("window.going = false; window.done")
        self.gaps = await page.evaluate("gaps")
        # a click that counted twice may show only now: what was sent again is answered by then
        await page.wait_for_function(CONNECTED, timeout=1000 * SETTLING)
        await page.wait_for_timeout(1000)
        self.shown = await page.evaluate(SHOWN)

    async def close(self) -> None:
        await self._context.close()

    def _note_navigation(self, frame: Frame) -> None:
        self.loads += frame == self.page.main_frame

    def _note_connection(self, _: WebSocket) -> None:
        self.connections += 1


class BrowserCrowd:
    """Many of them."""

    def __init__(self, tabs: list[BrowserTab]) -> None:
        self.tabs = tabs
        self.slowdown = 1.0  # because others wanted the same cores while they clicked

    @property
    def clicks(self) -> int:
        """How many clicks were made in all."""
        return sum(len(tab.gaps) for tab in self.tabs)

    @property
    def reconnects(self) -> int:
        """How many connections were opened after the first ones."""
        return sum(tab.connections - 1 for tab in self.tabs)

    def gap(self, percent: float) -> float:
        """So many percent of the tabs have waited no longer for any click, in seconds."""
        gaps = sorted(max(tab.gaps, default=math.inf) for tab in self.tabs)
        return gaps[max(0, math.ceil(len(gaps) * percent / 100) - 1)]

    def own_gap(self, percent: float) -> float:
        """Likewise, had nothing else wanted the same cores."""
        return self.gap(percent) / self.slowdown

    def wrong(self) -> list[tuple[int, list[Any]]]:
        """How often a page was loaded, and what it shows, of those tabs where that is not as it must be."""
        told = [(tab.loads, tab.shown) for tab in self.tabs]
        return [(loads, shown) for loads, shown in told if loads != 1 or shown[0] != shown[1] or shown[2]]

    def assert_whole(self) -> None:
        """No page was loaded again, each click was counted once, and no error was shown."""
        assert not self.wrong(), f"(loads, [clicks, shown, error]): {self.wrong()}"


@asynccontextmanager
async def browsing(browser: Browser, url: str, size: int) -> AsyncIterator[BrowserCrowd]:
    """`size` tabs on `url`, connected; closed in the end."""
    tabs: list[BrowserTab] = []
    try:
        while len(tabs) < size:
            tabs.append(await BrowserTab.open(browser, url))
        yield BrowserCrowd(tabs)
    finally:
        await asyncio.gather(*(tab.close() for tab in tabs))


@asynccontextmanager
async def clicking_in(crowd: BrowserCrowd, pause: float = 0.3) -> AsyncIterator[None]:
    """They click in the block; then all clicks are answered, all is whole, and what was seen is printed."""
    async with asyncio.TaskGroup() as group:
        for tab in crowd.tabs:
            group.create_task(tab.click_on(pause))
    await asyncio.sleep(1)
    with Pace() as pace:
        yield
    crowd.slowdown = pace.slowdown
    async with asyncio.TaskGroup() as group:
        for tab in crowd.tabs:
            group.create_task(tab.stop())
    longest = ", ".join(f"{percent} %: {crowd.gap(percent):.2f} s" for percent in (50, 90, 99, 100))
    print(
        f"{crowd.clicks} clicks in {len(crowd.tabs)} tabs; longest gaps {longest}; {crowd.reconnects} reconnects; "
        f"{crowd.slowdown:.1f} times slower than alone"
    )
    crowd.assert_whole()
