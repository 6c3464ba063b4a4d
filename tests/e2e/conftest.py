"""Real Chromium for the tests of this folder."""

import asyncio
import functools
import inspect
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Frame, Page, async_playwright

from tests.e2e.chromium import SWITCHES
from tests.e2e.stack import running_stack as running_stack  # fixtures of the Compose stack
from tests.e2e.stack import stack as stack
from tests.e2e.strict_page import comes
from tests.e2e.strict_page import serve_strict as serve_strict
from tests.e2e.wire_server import WireServer
from tests.support.machine import give_up
from tests.support.waiting import patience

# Playwright's own way is an `eval` in the page, which the page's policy forbids
Page.wait_for_function = Frame.wait_for_function = comes  # type: ignore[assignment,method-assign]  # as said

PAGE_SECONDS = patience(20)  # that any single wait in a page may take
# Seconds for a test with a page: a promise that never settles fails its test and does not hang the run. A module whose
# tests take longer says so in a LONGEST of its own.
LONGEST = patience(60)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One browser serves all tests of this folder, and it lives on one event loop: so do they."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            seconds = getattr(item.module, "LONGEST", LONGEST)  # type: ignore[attr-defined]  # of a function it is there
            item.obj = bounded(item.obj, seconds)  # type: ignore[attr-defined]  # likewise


def bounded(test: Callable[..., Awaitable[None]], seconds: float) -> Callable[..., Awaitable[None]]:
    """`test`, given up after `seconds`."""

    @functools.wraps(test)
    async def within_time(*arguments: Any, **fixtures: Any) -> None:
        async with asyncio.timeout(seconds):
            await test(*arguments, **fixtures)

    return within_time


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Chromium. Where there is none a test is skipped; in CI that is a failure."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        give_up("there is no Chromium on this machine (Debian: apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=SWITCHES)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser_context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A person: own cookies, own storage."""
    context = await chromium.new_context()
    context.set_default_timeout(PAGE_SECONDS * 1000)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser_context: BrowserContext) -> Page:
    """One tab of that person."""
    return await browser_context.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def serve() -> AsyncIterator[Callable[..., Awaitable[WireServer]]]:
    """Starts a scripted server for a body: `server = await serve("<body id=app>…</body>")`."""
    servers = []

    async def start(body: str, **options: Any) -> WireServer:
        server = WireServer(body, **options)
        await server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop()
