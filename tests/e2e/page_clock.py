"""A page's clock, put forward by a test: what a page does after some seconds need not be waited for.

`await page.clock.install()` comes before the page is loaded. The clock goes on as any other; `page.clock.run_for(ms)`
makes all timers run that are due within so many ms. What is on its way between page and server takes its time all the
same: a test that expects an answer does not put the clock forward past the page's patience with it.
"""

import asyncio

from playwright.async_api import Page

from tests.e2e.strict_page import comes
from tests.support.waiting import LOOP_SECONDS

STEP_MS = 2500


async def comes_in_time(page: Page, condition: str) -> None:
    """Wait until `condition` is true of a page that waits before it does what leads there. Each time that it is not,
    the page's clock is put forward: after ever longer, so that what has to pass between page and server can."""
    pause = 100.0
    async with asyncio.timeout(LOOP_SECONDS):
        while True:
            try:
                return await comes(page, condition, timeout=pause)
            except TimeoutError:
                await page.clock.run_for(STEP_MS)
                pause *= 1.5
