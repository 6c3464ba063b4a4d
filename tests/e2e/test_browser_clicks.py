"""A person clicks in a table that the server changes ten times a second."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page

from htag import State, Tag
from tests.e2e.browser_apps import Hearing, Rows
from tests.e2e.served_app import heard, raising, served, shows, visit

PRESS_MS = 80
SLOW, QUICK, GROWN = 50, 100, 20


class Growing(Hearing):
    """Two lists that get a row at the top: one of tags that stay, one that a callable makes anew, with keys."""

    def content(self) -> None:
        self.numbers = State([2, 1, 0])
        self.log = Tag.ul([self.row(number) for number in self.numbers.value], _id="log")
        Tag.ul(lambda: [self.row(number, _data_htag_key=number) for number in self.numbers.value], _id="feed")

    def row(self, number: int, **attributes: Any) -> Any:
        """A row that says its number when its button is clicked."""
        return Tag.li(Tag.button("row", _onclick=lambda event: self.heard.append(number)), **attributes)

    def grow(self) -> None:
        """Put a row above the others."""
        number = len(self.numbers.value)
        self.numbers.value = [number, *self.numbers.value]
        self.log.clear(self.row(number), *self.log.childs)
        self.update(0)


@asynccontextmanager
async def every_tenth_of_a_second(act: Callable[[], None]) -> AsyncIterator[None]:
    async def go_on() -> None:
        while True:
            act()
            await asyncio.sleep(0.1)

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()


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


@pytest.mark.parametrize("table", ["log", "feed"])
async def test_slow_clicks_in_a_table_that_grows_at_its_top_are_counted(page: Page, table: str) -> None:
    """Each press is on what stands there then, and so is its click, whatever would come above it meanwhile."""
    async with served(Growing) as server:
        await visit(page, server.url)
        box = await page.locator(f"#{table} li:nth-child(3) button").bounding_box()
        await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        async with every_tenth_of_a_second(server.app.grow):
            for _ in range(GROWN):
                await page.mouse.down()
                await page.wait_for_timeout(PRESS_MS)
                await page.mouse.up()
                await page.wait_for_timeout(PRESS_MS)
            numbers = await heard(server.app, GROWN)
        assert len(numbers) == GROWN
        assert numbers[-1] > numbers[0], "others came above"


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
