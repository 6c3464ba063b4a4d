"""A session that is to get a new id gets it also where it moves meanwhile, and the old one is of no use anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from headless.asgi import Answer, Site
from headless.tab import Tab
from htag import Tag, WebApp
from htag.session import registry
from htag.session.whereabouts import HeldElsewhere
from htag.stores.base import Save, Store
from htag.stores.memory import MemoryStore
from tests.htag.session.lasting import Counter, Start, Workers, only_session, saved, workers
from tests.support.waiting import LOOP_SECONDS, passed, until

__all__ = ["workers"]


class Login(Counter):
    """Asks for a new id when its person logs in."""

    def init(self) -> None:
        super().init()
        Tag.button("login", _id="login", _onclick=self.login)

    def login(self, event: Any) -> None:
        self.renew_session_id()


class SlowLogin(Counter):
    """Goes on after it has asked for a new id."""

    def init(self) -> None:
        super().init()
        Tag.button("login", _id="login", _onclick=self.login)

    async def login(self, event: Any) -> str:
        self.renew_session_id()
        await asyncio.sleep(0.3)
        self.more(event)
        return "welcome"


class SlowStore(MemoryStore):
    """Takes its time to save."""

    seconds = 0.0

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        await asyncio.sleep(self.seconds)
        return await super().save(saves)


async def renew(tab: Tab) -> Answer:
    """What the browser does when it is told so."""
    return await tab.site.post(tab.site.base + "renew", "", tab.post_headers())


async def test_the_old_id_opens_nothing_at_another_worker_and_is_dropped(
    workers: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "FORMER_SECONDS", 0.5)
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
    await until_gone(team.store, old)
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


async def crashes(team: Workers, tab: Tab, dead: WebApp, to: WebApp) -> None:
    """`dead` is gone at this very moment, with all that it had not saved; the tab comes to `to`."""
    (name,) = (name for name, web in team.webs.items() if web is dead)
    team.silent.add(name)
    await team.go(tab, to)


async def test_a_crash_right_after_the_new_id_loses_nothing(workers: Start) -> None:
    team = workers(Login)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    assert await tab.click("more") == 1
    await tab.click("login")
    await saved(one)
    assert (await renew(tab)).status == 200
    new = only_session(one).id
    await crashes(team, tab, one, two)
    assert only_session(two).id == new
    assert await tab.click("more") == 2


async def test_a_crash_right_after_a_page_that_brought_the_new_id_loses_nothing(workers: Start) -> None:
    team = workers(Login)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    assert await tab.click("more") == 1
    await tab.click("login")
    await saved(one)
    await tab.load()
    new = only_session(one).id
    await crashes(team, tab, one, two)
    assert only_session(two).id == new
    assert await tab.click("more") == 2


async def test_a_crash_before_the_browser_has_heard_of_the_new_id_loses_nothing(workers: Start) -> None:
    team = workers(Login)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    assert await tab.click("more") == 1
    await tab.click("login")
    await saved(one)
    old, cookies = only_session(one).id, dict(tab.site.cookies)
    assert (await renew(tab)).status == 200
    await saved(one)
    await passed(0.5)  # drops are made, if there are any
    tab.site.cookies.clear()
    tab.site.cookies.update(cookies)  # the answer is lost
    await crashes(team, tab, one, two)
    assert only_session(two).id == old
    assert await tab.click("more") == 2
    assert (await renew(tab)).status == 200
    assert only_session(two).id != old


async def test_a_new_id_waits_for_a_handler_and_is_not_saved_in_the_middle_of_it(workers: Start) -> None:
    team = workers(SlowLogin)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.post_event("login", "click")
    await until(lambda: only_session(one).renewing)
    assert (await renew(tab)).status == 200
    assert not only_session(one).under_way
    await crashes(team, tab, one, two)
    assert await tab.answer(1) == "welcome"
    assert tab.text("count") == "1"


async def until_gone(store: Store, session_id: str) -> None:
    async with asyncio.timeout(LOOP_SECONDS):
        while await store.peek(session_id) is not None:
            await passed(0.02)
