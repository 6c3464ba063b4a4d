"""Tabs of sessions that no store has: they keep no more events than are of use, and a store gets what it can have."""

from __future__ import annotations

import pytest

from headless.asgi import Site
from headless.tab import Tab
from htag.session.tab import MOST_LOGS
from tests.htag.session.lasting import Pinned, Start, only_session, saved, workers
from tests.support.waiting import until

__all__ = ["workers"]


async def test_a_session_that_cannot_be_saved_tells_its_tabs_to_drop_what_is_done(workers: Start) -> None:
    web = workers(Pinned).start("one")
    tab = await (await Tab(Site(web.app), version=2).load()).connect()
    await tab.click("pin")
    await until(lambda: web.registry.snapshot_counts()["pinned"] == 1 or web.registry.snapshot_counts()["saved"] == 1)
    stored = only_session(web).stored
    assert stored is not None
    await until(lambda: stored.pinned)
    stored.in_store = False
    for _ in range(60):
        await tab.click("more")
    await tab.send({"action": "got", "got": int(tab.revision or 0)})
    await tab.until(lambda: len(tab.events.log) < 10)


async def test_a_page_that_is_loaded_again_and_again_keeps_its_numbers_in_a_session_that_cannot_be_saved(
    workers: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("htag.session.event_log.ABSENT_SECONDS", -1.0)
    web = workers(Pinned).start("one")
    tab = await (await Tab(Site(web.app), version=2).load()).connect()
    await tab.click("pin")
    stored = only_session(web).stored
    assert stored is not None
    await until(lambda: stored.pinned)
    stored.in_store = False
    for _ in range(MOST_LOGS + 3):
        again = await (await Tab(Site(web.app, cookies=tab.site.cookies), version=2).load()).connect()
        await again.click("more")
        await again.lose()
    assert only_session(web).tabs.log(again.name) is not None


async def test_a_session_whose_only_tab_is_on_plain_http_is_saved(workers: Start) -> None:
    web = workers().start("one")
    tab = await (await Tab(Site(web.app), "http", version=2).load()).connect()
    await tab.click("more")
    await saved(web)
