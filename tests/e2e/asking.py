"""Waits until something is so in a page, asked from without."""

import asyncio
import time
from typing import Any

from playwright.async_api import Error, Frame, Page, TimeoutError

from tests.support.waiting import patience

SECONDS = patience(10)
PAUSE = 0.02  # seconds between two questions


async def wait_for_function(
    self: Page | Frame,
    expression: str,
    *,
    arg: Any = None,
    timeout: float = 1000 * SECONDS,  # noqa: ASYNC109 - as Playwright calls it
) -> None:
    """Wait until the expression is true, or what the function returns that is given `arg`; a page that is being loaded
    is asked again. `timeout` in ms, as Playwright has it, and its TimeoutError after that."""
    deadline = time.monotonic() + timeout / 1000
    asked = f"!!({expression})" if arg is None else expression
    failure: Error | None = None
    while time.monotonic() < deadline:
        try:
            if await self.evaluate(asked, arg):
                return
        except Error as error:  # the page is being loaded: it has no body yet, or not the variables that are asked for
            failure = error
        await asyncio.sleep(PAUSE)
    raise TimeoutError(f"waited {timeout:g} ms in vain for {expression}") from failure
