"""Sessions outlive their worker: saved behind the clicks, taken over by another one, given up by the old one."""

import asyncio
from typing import Any

import pytest

from headless.asgi import Site
from headless.errors import Disconnected
from headless.tab import Tab
from htag.session import registry
from htag.snapshot import api
from htag.snapshot.errors import Moved
from htag.stores.base import Save
from htag.stores.memory import MemoryStore
from tests.htag.session.lasting import DIARY, Hooked, Slow, Start, only_session, saved, workers
from tests.htag.session.lasting import Pinned as PinnedApp
from tests.htag.session.troubled_store import Gated
from tests.support.waiting import LOOP_SECONDS, passed, until

__all__ = ["workers"]


# -- saved behind the clicks


async def test_a_session_that_no_tab_has_connected_to_is_not_in_the_store(workers: Start) -> None:
    team = workers()
    one = team.start("one")
    await Site(one.app).get()
    await passed(0.5)
    assert await team.store.peek(only_session(one).id) is None
    assert one.registry.snapshot_counts() == {"saved": 0, "dirty": 0, "pinned": 0, "asleep": 0}


async def test_a_click_is_saved_a_moment_later_and_the_tab_is_told(workers: Start) -> None:
    team = workers()
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click("more")
    assert only_session(one) in team.persistence(one).saver.dirty
    await saved(one)
    record = await team.store.peek(only_session(one).id)
    assert record is not None
    assert record.owner.startswith("one:1/")
    while tab.events.saved < 1:
        await tab.next()
    assert team.diaries["one"].labels("snapshot_made")[-1] == "saved"


async def test_a_session_whose_tab_is_on_plain_http_is_saved_as_well(workers: Start) -> None:
    web = workers().start("one")
    tab = await Tab(Site(web.app), "http", version=2).load()
    await tab.connect()
    await tab.click("more")
    await saved(web)


async def test_clicks_within_a_moment_are_one_save(workers: Start) -> None:
    team = workers()
    one = team.start("one")
    tab = await team.tab(one)
    await saved(one)
    before = len(team.diaries["one"].told("snapshot_made"))
    for _ in range(20):
        await tab.click("more")
    await saved(one)
    assert len(team.diaries["one"].told("snapshot_made")) == before + 1


async def test_what_is_on_its_way_to_the_store_is_not_counted_as_saved(workers: Start) -> None:
    store = Gated()
    team = workers(store=store)
    one = team.start("one")
    tab = await team.tab(one)
    await saved(one)
    store.gate.clear()
    await tab.click("more")
    await until(lambda: store.waiting)
    assert one.registry.snapshot_counts() == {"saved": 0, "dirty": 1, "pinned": 0, "asleep": 0}
    assert one.registry.unsaved_seconds() > 0
    store.gate.set()
    await saved(one)
    assert one.registry.unsaved_seconds() == 0


async def test_sessions_that_are_new_take_nothing_from_those_that_are_saved(workers: Start) -> None:
    store = Gated()
    team = workers(store=store)
    one = team.start("one")
    await team.tab(one)
    await saved(one)
    store.gate.clear()
    await team.tab(one)
    assert one.registry.snapshot_counts() == {"saved": 1, "dirty": 1, "pinned": 0, "asleep": 0}
    store.gate.set()
    await saved(one)


# -- taken over


async def test_after_a_crash_another_worker_goes_on_and_no_click_is_lost(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    for _ in range(3):
        await tab.click("more")
    await saved(one)
    await tab.click("more")  # not saved: it lives in the browser
    team.silent.add("one")
    await team.go(tab, two)
    assert await tab.click("more") == 5
    while tab.text("count") != "5":
        await tab.next()
    assert [line.text for line in tab.element("log").all("li")] == [f"click {n}" for n in range(1, 6)]
    assert team.diaries["two"].labels("session_taken_over") == ["silent"]
    assert team.diaries["two"].labels("session_restored") == ["same"]


async def test_the_old_worker_gives_its_copy_up_when_its_save_is_refused(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab, other = await team.tab(one), None
    await tab.click("more")
    await saved(one)
    old = only_session(one)
    other = await Tab(Site(one.app, cookies=tab.site.cookies), version=2).load()
    await other.connect()
    team.silent.add("one")
    await team.go(tab, two)
    assert await tab.click("more") == 2
    await other.click("more")  # on the old worker, which does not know yet
    await until(lambda: old.closed)
    assert not one.registry.sessions
    assert team.diaries["one"].told("session_superseded") == [(True,)]
    assert await end_of(other) == 1012
    assert await tab.click("more") == 3


async def test_concurrent_requests_share_one_lookup(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    session_id = only_session(one).id
    team.silent.add("one")
    found = await asyncio.gather(*(two.registry.find(session_id) for _ in range(5)))
    assert len({id(session) for session in found}) == 1
    assert len(team.diaries["two"].told("session_restored")) == 1


async def test_an_id_that_the_store_does_not_know_writes_nothing(workers: Start) -> None:
    team = workers()
    one = team.start("one")
    assert await one.registry.find("nobody") is None
    assert await team.store.peek("nobody") is None


async def test_after_a_crash_hooks_run_as_at_a_reload_and_an_open_page_is_not_prepared_anew(workers: Start) -> None:
    team = workers(Hooked)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    assert DIARY == ["mount"]
    team.silent.add("one")
    await team.go(tab, two)
    assert await tab.click("more") == 2
    assert DIARY == ["mount", "unmount", "mount"]
    assert tab.scripts.count("prepare()") == 1


# -- another version, another key


async def test_a_snapshot_that_is_not_ours_is_set_aside_and_met_once(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await saved(one)
    session_id = only_session(one).id
    record = await team.store.peek(session_id)
    assert record is not None
    forged = record.data[:-1] + bytes([record.data[-1] ^ 1])
    assert await team.store.save([Save(session_id, record.generation, "", forged)]) == [True]
    assert await two.registry.find(session_id) is None
    assert await two.registry.find(session_id) is None
    assert team.diaries["two"].labels("session_restored") == ["forged"]
    await tab.leave()


async def test_a_session_that_cannot_be_loaded_here_is_tried_once_and_kept_for_others(
    workers: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = workers(Hooked)
    one, two, three = team.start("one"), team.start("two"), team.start("three")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    session_id = only_session(one).id
    team.silent.add("one")

    def fails(sealed: Any) -> Any:
        raise RuntimeError("the database of this version is not there yet")

    monkeypatch.setattr(team.persistence(two).restorer, "_app", fails)
    assert await two.registry.find(session_id) is None
    assert await two.registry.find(session_id) is None
    assert team.diaries["two"].labels("session_restored") == ["failed"]
    await team.go(tab, three)
    assert await tab.click("more") == 2


async def test_with_code_that_has_changed_too_much_a_new_app_gets_the_old_states(
    workers: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    team = workers(Hooked)
    one = team.start("one")
    tabs = [await team.tab(one) for _ in range(2)]
    for tab in tabs:
        await tab.click("more")
    await one.registry.move_out(0.1)

    def load(payload: bytes, entity: Any) -> Any:
        raise Moved("a class is gone")

    monkeypatch.setattr(api, "load", load)
    two = team.start("two")
    for tab in tabs:
        await team.go(tab, two)
        assert await tab.click("more") == 1  # an attribute, which is the new app's
        while tab.text("count") != "2":  # a State
            await tab.next()
    assert team.diaries["two"].labels("session_restored") == ["carried"] * 2
    assert DIARY == ["mount", "mount", "unmount", "unmount", "mount", "mount"]
    assert sum("cannot be loaded by version" in record.getMessage() for record in caplog.records) == 1


async def test_a_tab_of_wire_version_1_goes_on_too(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one, version=1)
    await tab.click("more")
    await saved(one)
    await team.go(tab, two)
    assert await tab.click("more") == 2
    assert tab.text("count") == "2"


async def test_the_session_of_another_app_is_left_alone(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two", entity=Hooked)
    await team.tab(one)
    await saved(one)
    session = only_session(one)
    assert await two.registry.find(session.id) is None
    record = await team.store.peek(session.id)
    assert record is not None
    assert session.stored is not None
    assert record.generation == session.stored.generation
    assert team.diaries["two"].labels("session_restored") == ["foreign"]


# -- pinned


async def test_what_cannot_be_pickled_pins_the_session_which_is_said_once_and_tried_again(
    workers: Start, caplog: pytest.LogCaptureFixture
) -> None:
    team = workers(PinnedApp)
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click("pin")
    await until(lambda: one.registry.snapshot_counts()["pinned"] == 1)
    for _ in range(2):
        await tab.click("more")
        await until(lambda: only_session(one) not in team.persistence(one).saver.dirty)
    said = [record.getMessage() for record in caplog.records if "cannot be saved" in record.getMessage()]
    assert len(said) == 1
    assert "Pinned.handle" in said[0]
    await tab.click("free")
    await saved(one)
    assert one.registry.snapshot_counts()["pinned"] == 0


async def test_a_snapshot_that_is_too_large_pins_as_well(workers: Start) -> None:
    team = workers()
    one = team.start("one", snapshot_bytes=100)
    await team.tab(one)
    await until(lambda: one.registry.snapshot_counts()["pinned"] == 1)
    assert team.diaries["one"].labels("snapshot_made") == ["too_large"]


# -- a slow handler


async def test_no_snapshot_is_taken_in_the_middle_of_a_handler(workers: Start) -> None:
    team = workers(Slow)
    one = team.start("one")
    tab = await team.tab(one)
    await saved(one)
    before = len(team.diaries["one"].told("snapshot_made"))
    await tab.post_event(*tab.named("slow").call("click"))
    await tab.click("more")
    session = only_session(one)
    app: Any = session.app
    assert app.clicks in (1, 11)
    await until(lambda: app.clicks == 11 and not session.under_way)
    await saved(one)
    two = team.start("two")
    team.silent.add("one")
    await team.go(tab, two)
    assert await tab.click("more") == 12
    assert len(team.diaries["one"].told("snapshot_made")) >= before + 1


# -- ends


async def test_n_drops_the_session_and_the_next_one_is_saved_under_the_same_id(workers: Start) -> None:
    team = workers(Hooked)
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    old = only_session(one)
    await tab.leave()
    tab = Tab(Site(one.app, cookies=tab.site.cookies), version=2)
    await (await tab.load("?n")).connect()
    new = only_session(one)
    assert new is not old
    assert new.id == old.id
    assert DIARY[-2:] == ["destroy 1", "mount"]
    await saved(one)
    two = team.start("two")
    team.silent.add("one")
    await team.go(tab, two)
    assert await tab.click("more") == 1


async def test_the_end_of_a_worker_drops_nothing_from_the_store(workers: Start) -> None:
    team = workers(Hooked, store=LastingStore())
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click("more")
    await one.registry.close()
    assert DIARY == ["mount", "unmount"]
    two = team.start("two")
    await team.go(tab, two)
    assert await tab.click("more") == 2
    assert team.diaries["two"].labels("session_taken_over") == ["released"]
    assert DIARY == ["mount", "unmount", "mount"]


async def test_where_the_store_ends_with_the_process_so_do_its_sessions(workers: Start) -> None:
    team = workers(Hooked)
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click("more")
    await one.registry.close()
    assert DIARY == ["mount", "unmount", "destroy 1"]
    await tab.leave()


async def test_so_do_those_that_were_drained_before(workers: Start) -> None:
    team = workers(Hooked)
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click("more")
    assert await one.registry.move_out(0.1) == 0
    assert DIARY == ["mount", "unmount"]
    await one.registry.close()
    assert DIARY == ["mount", "unmount", "destroy 1"]
    await tab.leave()


async def test_a_new_id_is_saved_and_the_old_one_dropped(workers: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "FORMER_SECONDS", 0.5)
    team = workers()
    one = team.start("one")
    tab = await team.tab(one)
    await saved(one)
    session = only_session(one)
    former = session.id
    session.app.renew_session_id()
    one.registry.renew(session)
    assert session.id != former
    async with asyncio.timeout(LOOP_SECONDS):
        while await team.store.peek(session.id) is None:
            await passed(0.02)
        while await team.store.peek(former) is not None:
            await passed(0.02)
    await tab.leave()


async def end_of(tab: Tab) -> int:
    """Wait until the server closes the connection of `tab`. Returns the close code."""
    while True:
        try:
            await tab.next()
        except Disconnected as end:
            return end.code


class LastingStore:
    """A store that outlives the process, as far as its users can tell."""

    def __init__(self) -> None:
        self._store = MemoryStore()

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


async def test_a_click_that_comes_again_finds_its_tag_in_the_new_app_of_another_version(
    workers: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*arguments: object) -> object:
        raise Moved("Counter.more is gone")

    here = workers(Hooked)  # whose hooks run at once, so its app is made at once
    first = here.start("one")
    tab = await here.tab(first)
    await tab.click("more")
    await saved(first)
    stored = only_session(first).stored
    assert stored is not None
    stored.not_before = float("inf")  # nothing more is saved
    await tab.click("more")
    await tab.lose()
    here.silent.add("one")
    monkeypatch.setattr("htag.snapshot.api.load", gone)
    tab = await here.go(tab, here.start("two"))
    await tab.click("more")
    await tab.until(lambda: tab.text("count") == "3")
    assert here.diaries["two"].labels("session_restored") == ["carried"]
    assert tab.page_loads == 1
