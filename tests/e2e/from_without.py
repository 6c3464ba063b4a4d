"""Playwright's `wait_for_function` is an eval in the page, which the policy of an app's page forbids. Here it asks from
without, as `evaluate` does, which no policy concerns."""

import asyncio
import time
from typing import Any

from playwright.async_api import Error, Frame, Page
from playwright.async_api import TimeoutError as TooLate

from tests.support.waiting import patience

STEP = 0.02  # seconds between two questions
LEAVING = ("Execution context was destroyed", "navigat")  # the page is being replaced by another one
WAIT_SECONDS = patience(10)


async def wait_for_function(
    self: Page | Frame,
    expression: str,
    *,
    arg: Any = None,
    timeout: float = 1000 * WAIT_SECONDS,  # noqa: ASYNC109  # as Playwright calls it
) -> None:
    """Wait until `expression` is true, which may be a function of `arg`; over navigations, too. `timeout`: ms."""
    due = time.monotonic() + timeout / 1000
    while not await _holds(self, expression, arg):
        if time.monotonic() > due:
            raise TooLate(f"in {timeout:.0f} ms this did not come true: {expression}")
        await asyncio.sleep(STEP)


async def _holds(page: Page | Frame, expression: str, arg: Any) -> bool:
    try:
        return bool(await page.evaluate(expression, arg))
    except Error as error:
        if any(sign in str(error) for sign in LEAVING):
            return False
        raise
