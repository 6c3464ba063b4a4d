"""A person clicks in a table that the server changes ten times a second."""

import pytest
from playwright.async_api import Page

from tests.e2e.browser_apps import Rows
from tests.e2e.served_app import heard, raising, served, shows, visit

PRESS_MS = 80
SLOW, QUICK = 50, 100


async def middle_of(page: Page, table: str, row: int) -> tuple[float, float]:
    box = await page.locator(f"#{table} tr:nth-child({row + 1}) button").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("table", ["kept", "made"])
async def test_fifty_slow_clicks_are_counted(page: Page, table: str) -> None:
    async with served(Rows) as server:
        await visit(page, server.url)
        await page.mouse.move(*await middle_of(page, table, 3))
        async with raising(server.app.tick, 10):
            for _ in range(SLOW):
                await page.mouse.down()
                await page.wait_for_timeout(PRESS_MS)
                await page.mouse.up()
            assert await heard(server.app, SLOW) == [3] * SLOW
        assert server.app.tick > 25, "it ticked all the time"


@pytest.mark.parametrize("table", ["kept", "made"])
async def test_a_hundred_quick_clicks_are_counted_in_order(page: Page, table: str) -> None:
    async with served(Rows) as server:
        await visit(page, server.url)
        places = [await middle_of(page, table, row) for row in range(10)]
        async with raising(server.app.tick, 10):
            for number in range(QUICK):
                await page.mouse.click(*places[number % 10])
            assert await heard(server.app, QUICK) == [number % 10 for number in range(QUICK)]


async def test_a_table_that_ticks_goes_on_when_the_pointer_is_up(page: Page) -> None:
    async with served(Rows) as server:
        await visit(page, server.url)
        await page.mouse.move(*await middle_of(page, "made", 3))
        await page.mouse.down()
        for _ in range(5):
            server.app.tick.value += 1
            await page.wait_for_timeout(60)
        await page.mouse.up()
        await shows(page, "[made, kept].every((table) => table.rows[3].textContent.includes('<5>'))")
        assert await heard(server.app, 1) == [3]
