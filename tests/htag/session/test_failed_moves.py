"""A move that fails has ended what ran: its tab is told, and what waited behind is done once, where the session is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from headless.asgi import Site
from headless.errors import ServerError
from htag import Tag
from htag.errors import StoreError
from htag.stores.base import Save
from htag.stores.memory import MemoryStore
from tests.htag.session.lasting import Counter, Start, only_session, saved, workers
from tests.support.waiting import until

__all__ = ["workers"]


class Endless(Counter):
    """Has a handler that takes an hour."""

    def init(self) -> None:
        super().init()
        self.begun = 0
        Tag.button("slow", _id="slow", _onclick=self.slow)

    async def slow(self, event: Any) -> None:
        self.begun += 1
        await asyncio.sleep(3600)


class FullStore(MemoryStore):
    """Takes no saves while it is full."""

    full = False

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        if self.full:
            raise StoreError("full")
        return await super().save(saves)


async def test_what_was_cut_short_is_answered_and_what_waited_is_done_once(workers: Start) -> None:
    store = FullStore()
    team = workers(Endless, store)
    web = team.start("one")
    tab = await team.tab(web)
    await tab.click("more")
    await saved(web)
    slow = await tab.post_event("slow", "click")
    behind = [await tab.post_event("more", "click") for _ in range(3)]
    app: Any = only_session(web).app
    await until(lambda: app.begun == 1)
    store.full = True
    await team.persistence(web).move_out(1.0)
    async with asyncio.timeout(3):
        with pytest.raises(ServerError, match="interrupted"):
            await tab.answer(slow)
        assert [await tab.answer(number) for number in behind] == [2, 3, 4]
    assert (app.begun, app.clicks) == (1, 4)


@pytest.mark.parametrize("number", [True, 1.0])
async def test_a_number_of_another_type_is_a_whole_one_in_the_snapshot(workers: Start, number: Any) -> None:
    team = workers(Endless)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.send({"id": "slow", "event": "click", "data": {"callback_id": "x"}, "n": number})
    await until(lambda: only_session(one).under_way)
    only_session(one).tasks.cancel()
    await tab.until(lambda: tab.failures)
    await saved(one)
    tab.events.next = 2
    await team.go(tab, two)
    assert "forged" not in team.diaries["two"].labels("session_restored")
    assert await tab.click("more") == 1


async def test_a_handler_that_takes_an_hour_is_answered_where_its_worker_drains(workers: Start) -> None:
    team = workers(Endless)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await saved(one)
    slow, behind = [await tab.post_event(name, "click") for name in ("slow", "more")]
    await until(lambda: only_session(one).under_way)
    assert await one.registry.move_out(1.0) == 0
    tab.site = Site(two.app, cookies=tab.site.cookies)
    async with asyncio.timeout(3):
        with pytest.raises(ServerError, match="interrupted"):
            await tab.answer(slow)
        assert await tab.answer(behind) == 1
    app: Any = only_session(two).app
    assert (app.begun, app.clicks) == (1, 1)
