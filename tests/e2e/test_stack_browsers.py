"""Sessions outlive their workers in real browsers: twenty people in Chromium click all the time in the Compose stack,
and in the end each page shows exactly the clicks that were made in it, and was loaded once.
"""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from tests.e2e.browsing import BrowserCrowd, browsing, clicking_in
from tests.e2e.clicked_stack import folders as folders  # fixtures
from tests.e2e.clicked_stack import running as running
from tests.e2e.clicked_stack import site as site
from tests.e2e.disasters import kill_any
from tests.e2e.stack import Stack
from tests.support.waiting import patience

TABS = 20
KILLING_SECONDS = 60
LONGEST = KILLING_SECONDS + patience(60)  # for a test: see conftest.py
GAP = 3.0  # seconds that 99 % of the tabs wait for a click at most


@pytest_asyncio.fixture(loop_scope="session")
async def crowd(chromium: Browser, site: Stack) -> AsyncIterator[BrowserCrowd]:
    """Twenty people, each on a page."""
    async with browsing(chromium, site.url + "/", TABS) as opened:
        yield opened


async def test_workers_that_are_killed_all_the_time(site: Stack, crowd: BrowserCrowd) -> None:
    async with clicking_in(crowd):
        until = time.monotonic() + KILLING_SECONDS
        while time.monotonic() < until:
            due = time.monotonic() + 2
            await asyncio.to_thread(kill_any, sorted(await asyncio.to_thread(site.containers)))
            await asyncio.sleep(due - time.monotonic())
    assert crowd.reconnects > TABS / 4  # else none of the killed had people
    assert crowd.own_gap(99) < GAP


async def test_a_roll_to_another_version_of_the_app(site: Stack, crowd: BrowserCrowd, folders: tuple[str, str]) -> None:
    before = site.containers()
    async with clicking_in(crowd):
        await asyncio.to_thread(site.roll, HTAG_APPS_DIR=folders[1])
    assert not site.containers() & before
    assert {await tab.page.text_content("h1") for tab in crowd.tabs} == {"After"}
    assert crowd.own_gap(99) < GAP
