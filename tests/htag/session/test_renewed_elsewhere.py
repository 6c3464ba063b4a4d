"""A session that is to get a new id gets it also where it moves meanwhile, and the old one is of no use anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from headless.asgi import Answer, Site
from headless.tab import Tab
from htag import Tag
from htag.session.whereabouts import HeldElsewhere
from htag.stores.base import Save
from htag.stores.memory import MemoryStore
from tests.htag.session.lasting import Counter, Start, only_session, saved, workers
from tests.support.waiting import passed

__all__ = ["workers"]


class Login(Counter):
    """Asks for a new id when its person logs in."""

    def init(self) -> None:
        super().init()
        Tag.button("login", _id="login", _onclick=self.login)

    def login(self, event: Any) -> None:
        self.renew_session_id()


class SlowStore(MemoryStore):
    """Takes its time to save."""

    seconds = 0.0

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        await asyncio.sleep(self.seconds)
        return await super().save(saves)


async def renew(tab: Tab) -> Answer:
    """What the browser does when it is told so."""
    return await tab.site.post(tab.site.base + "renew", "", tab.post_headers())


async def test_the_old_id_opens_nothing_at_another_worker_while_it_is_being_dropped(workers: Start) -> None:
    team = workers(Login)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("login")
    await saved(one)
    old = only_session(one).id
    assert (await renew(tab)).status == 200
    with pytest.raises(HeldElsewhere):
        await two.registry.find(old, insist=True)
    await saved(one)
    await passed(0.5)
    assert await two.registry.find(old, insist=True) is None
    assert await tab.click("more") == 1


async def test_a_session_that_moves_before_its_id_is_renewed_gets_a_new_one_where_it_is(workers: Start) -> None:
    team = workers(Login)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("login")
    await saved(one)
    old = only_session(one).id
    await team.go(tab, two)
    assert (await renew(tab)).status == 200
    assert only_session(two).id != old
    assert await tab.click("more") == 1


async def test_an_id_is_not_renewed_while_its_session_is_on_its_way(workers: Start) -> None:
    store = SlowStore()
    team = workers(Login, store)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("login")
    await saved(one)
    store.seconds = 0.3
    moving = asyncio.create_task(one.registry.move_out(1.0))
    await passed(0.1)
    assert (await renew(tab)).status == 503
    await moving
    await tab.lose()
    tab.site = Site(two.app, cookies=tab.site.cookies)
    await tab.connect()
    assert await tab.click("more") == 1
    assert (await renew(tab)).status == 200


class DroppingNothing(MemoryStore):
    """Hears of no drop: the worker ends before it comes to that."""

    crashes = True

    async def drop(self, session_id: str, generation: int) -> bool:
        return True if self.crashes else await super().drop(session_id, generation)


async def test_the_old_id_goes_also_where_the_worker_ended_before_it_was_dropped(workers: Start) -> None:
    store = DroppingNothing()
    team = workers(Login, store)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("login")
    await saved(one)
    old = only_session(one).id
    assert (await renew(tab)).status == 200
    await saved(one)
    new = only_session(one).id
    assert await store.peek(old) is not None
    assert await store.peek(new) is not None
    store.crashes = False
    team.silent.add("one")
    await team.go(tab, two)
    assert only_session(two).id == new
    assert await tab.click("more") == 1
    await saved(two)
    await until_gone(store, old)
    assert await store.peek(new) is not None


async def until_gone(store: MemoryStore, session_id: str) -> None:
    for _ in range(100):
        if await store.peek(session_id) is None:
            return
        await passed(0.02)
    raise AssertionError("it is still in the store")
