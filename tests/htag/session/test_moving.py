"""Sessions let go in order: handed over to another worker, moved out of one that ends, parked and woken."""

import asyncio
import gc
import time
import weakref
from typing import Any

import pytest

from headless.asgi import Site
from headless.errors import Disconnected
from headless.tab import Tab
from htag.process.collector import Collector
from htag.session import restorer
from htag.session.parker import is_idle
from htag.session.whereabouts import HeldElsewhere
from htag.snapshot.errors import Moved
from htag.tree.tag import current_app
from tests.htag.session.lasting import DIARY, HELD, Asking, Destroyed, Hooked, Slow, Start, only_session, saved, workers
from tests.htag.session.lasting import Pinned as PinnedApp
from tests.support.waiting import passed, until

__all__ = ["workers"]


# -- handed over


async def test_a_session_without_tabs_is_handed_over_with_what_was_not_saved_yet(workers: Start) -> None:
    team = workers(Hooked)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await saved(one)
    await tab.click("more")
    await team.go(tab, two)  # the first worker has no tab any more
    assert not one.registry.sessions
    assert await tab.click("more") == 2
    assert team.diaries["two"].labels("session_taken_over") == ["handed_over"]
    assert team.diaries["one"].labels("session_moved") == ["handed_over"]
    assert DIARY == ["mount", "unmount", "mount"]


async def test_after_an_orderly_move_a_tab_that_missed_nothing_needs_no_render(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    await team.go(tab, two)
    assert await tab.click("more") == 2
    assert team.diaries["two"].labels("client_resumed") == ["current"]


async def test_a_session_with_tabs_is_kept_unless_the_other_one_insists(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    session = only_session(one)
    with pytest.raises(HeldElsewhere) as held:
        await two.registry.find(session.id)
    assert held.value.owner.startswith("one:1/")
    taken = await two.registry.find(session.id, insist=True)
    assert taken is not None
    assert session.closed
    assert await end_of(tab) == 1012


async def test_two_who_insist_do_not_pull_a_session_to_and_fro(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    first = await team.tab(one)
    await saved(one)
    session_id = only_session(one).id
    assert await two.registry.find(session_id, insist=True) is not None
    second = await Tab(Site(two.app, cookies=first.site.cookies), version=2).load()
    await second.connect()
    assert await one.registry.find(session_id, insist=True) is not None  # its first time within three seconds
    third = await Tab(Site(one.app, cookies=first.site.cookies), version=2).load()
    await third.connect()
    with pytest.raises(HeldElsewhere):
        await two.registry.find(session_id, insist=True)


async def test_a_pinned_session_is_kept(workers: Start) -> None:
    team = workers(PinnedApp)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await saved(one)
    await tab.click("pin")
    await until(lambda: one.registry.snapshot_counts()["pinned"] == 1)
    with pytest.raises(HeldElsewhere):
        await two.registry.find(only_session(one).id, insist=True)
    assert await tab.click("more") == 1


async def test_another_boot_and_another_id_are_unknown(workers: Start) -> None:
    team = workers()
    one = team.start("one")
    await team.tab(one)
    await saved(one)
    boot = team.persistence(one).boot
    assert await one.registry.handed_over(only_session(one).id, "other", insist=True) == "unknown"
    assert await one.registry.handed_over("no such", boot, insist=True) == "unknown"


async def test_a_click_that_comes_while_the_session_moves_is_not_lost(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    session_id = only_session(one).id
    store = team.store
    save = store.save

    async def slowly(saves: Any) -> Any:
        await asyncio.sleep(0.2)
        return await save(saves)

    store.save = slowly  # type: ignore[method-assign]
    finding = asyncio.ensure_future(two.registry.find(session_id, insist=True))
    await passed(0.05)
    await tab.post_event(*tab.named("more").call("click"))
    assert await finding is not None
    store.save = save  # type: ignore[method-assign]
    assert await end_of(tab) == 1012
    await team.go(tab, two)
    assert await tab.click("more") == 3


async def test_a_session_that_ends_while_it_moves_is_over_for_good(workers: Start) -> None:
    team = workers(Hooked)
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    session, save = only_session(one), team.store.save

    async def slowly(saves: Any) -> Any:
        one.registry.end(session, "replaced")
        return await save(saves)

    team.store.save = slowly  # type: ignore[method-assign]
    assert await one.registry.move_out(0.1) == 0
    team.store.save = save  # type: ignore[method-assign]
    await until(lambda: not team.persistence(one).saver._drops)
    assert await team.store.peek(session.id) is None
    assert DIARY.count("destroy 1") == 1
    await tab.leave()


# -- moved out


async def test_a_worker_that_ends_moves_its_sessions_out(workers: Start) -> None:
    team = workers(Hooked)
    one, two = team.start("one"), team.start("two")
    tabs = [await team.tab(one) for _ in range(30)]
    for number, tab in enumerate(tabs):
        for _ in range(number % 3):
            await tab.click("more")
    assert await one.registry.move_out(0.5) == 0
    assert not one.registry.sessions
    assert team.diaries["one"].labels("session_moved") == ["drained"] * 30
    assert not any("destroy" in line for line in DIARY)
    for number, tab in enumerate(tabs):
        assert await end_of(tab) == 1012
        await team.go(tab, two)
        assert await tab.click("more") == number % 3 + 1
    assert team.diaries["two"].labels("session_taken_over") == ["released"] * 30
    assert set(team.diaries["two"].labels("client_resumed")) == {"current"}


async def test_what_is_pinned_stays_until_the_end_and_is_counted(workers: Start) -> None:
    team = workers(PinnedApp)
    one = team.start("one")
    tab, other = await team.tab(one), await team.tab(one)
    await tab.click("pin")
    await other.click("more")
    assert await one.registry.move_out(0.3) == 1
    assert sorted(team.diaries["one"].labels("session_moved")) == ["drained", "pinned"]
    assert await tab.click("more") == 1


async def test_a_handler_that_runs_is_waited_for(workers: Start) -> None:
    team = workers(Slow)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.post_event(*tab.named("slow").call("click"))
    assert await one.registry.move_out(2.0) == 0
    await team.go(tab, two)
    assert await tab.click("more") == 11


async def test_a_page_that_went_out_a_moment_ago_is_moved_as_well(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab = await Tab(Site(one.app), version=2).load()
    assert await one.registry.move_out(0.2) == 0
    await team.go(tab, two)
    assert await tab.click("more") == 1


# -- parked


async def test_a_session_that_all_tabs_have_left_is_parked_and_comes_back(workers: Start) -> None:
    team = workers(Hooked)
    one = team.start("one", grace_seconds=0.05)
    tab = await team.tab(one)
    await tab.click("more")
    app = weakref.ref(only_session(one).app)
    await tab.leave()
    await until(lambda: not one.registry.sessions)
    assert one.registry.usage.counts() == {"new": 0, "connected": 0, "disconnected": 0, "parked": 1}
    assert team.diaries["one"].labels("session_parked") == ["disconnected"]
    gc.collect()
    assert app() is None
    await team.go(tab, one)
    assert await tab.click("more") == 2
    assert DIARY == ["mount", "unmount", "mount"]
    assert one.registry.usage.counts()["parked"] == 0


async def test_an_app_that_something_holds_is_taken_back_and_never_made_twice(workers: Start) -> None:
    team = workers(Hooked)
    one = team.start("one", grace_seconds=0.05)
    tab = await team.tab(one)
    app = only_session(one).app
    HELD.append(app)
    await tab.leave()
    await until(lambda: not one.registry.sessions)
    await team.go(tab, one)
    assert only_session(one).app is app
    assert await tab.click("more") == 1


async def test_a_held_app_is_not_taken_back_where_another_worker_had_the_session_since(workers: Start) -> None:
    team = workers()
    one, two = team.start("one", grace_seconds=0.05), team.start("two", grace_seconds=0.05)
    tab = await team.tab(one)
    HELD.append(only_session(one).app)
    await tab.leave()
    await until(lambda: not one.registry.sessions)
    await team.go(tab, two)
    assert await tab.click("more") == 1
    await tab.leave()
    await until(lambda: not two.registry.sessions)
    await team.go(tab, one)
    assert await tab.click("more") == 2


async def test_what_is_pinned_is_kept_longer_and_ends(workers: Start) -> None:
    team = workers(PinnedApp)
    one = team.start("one", grace_seconds=0.05, pinned_grace_seconds=0.4)
    tab = await team.tab(one)
    await tab.click("pin")
    await tab.leave()
    await passed(0.2)
    assert len(one.registry.sessions) == 1
    await until(lambda: not one.registry.sessions)
    assert team.diaries["one"].labels("session_closed") == ["expired"]


async def test_on_destroy_runs_when_the_time_of_a_parked_session_is_over(workers: Start) -> None:
    team = workers(Hooked)
    one = team.start("one", grace_seconds=0.02, stored_seconds=0.1)
    tab = await team.tab(one)
    await tab.click("more")
    session_id = only_session(one).id
    await tab.leave()
    await until(lambda: "destroy 1" in DIARY, 10)
    assert DIARY == ["mount", "unmount", "destroy 1"]
    for _ in range(100):
        if await team.store.peek(session_id) is None:
            break
        await passed(0.02)
    assert await team.store.peek(session_id) is None


async def test_on_destroy_runs_for_a_session_that_was_asleep_when_it_was_parked(workers: Start) -> None:
    team = workers(Destroyed)
    one = team.start("one", grace_seconds=0.02, stored_seconds=0.1)
    tab = await team.tab(one)
    await asleep(team, one)
    assert only_session(one).asleep
    await tab.leave()
    await until(lambda: "destroy" in DIARY, 10)


async def test_on_destroy_does_not_run_for_a_session_that_another_worker_had_since(workers: Start) -> None:
    team = workers(Hooked)
    one, two = team.start("one", grace_seconds=0.02, stored_seconds=0.1), team.start("two")
    tab = await team.tab(one)
    await tab.leave()
    await until(lambda: not one.registry.sessions)
    await team.go(tab, two)
    await until(lambda: not one.registry.usage.counts()["parked"], 10)
    await passed(0.1)
    assert not any("destroy" in line for line in DIARY)
    assert await tab.click("more") == 1


# -- asleep


async def asleep(team: Any, web: Any) -> None:
    await saved(web)
    await until(lambda: all(is_idle(each, time.monotonic()) for each in web.registry.sessions.values()))
    await team.persistence(web).parker.put_to_sleep(web.registry.sessions.values(), "idle")


async def test_an_idle_session_with_a_tab_leaves_memory_and_wakes_by_a_click(workers: Start) -> None:
    team = workers(Hooked)
    one = team.start("one", idle_seconds=0.1)
    tab = await team.tab(one)
    await tab.click("more")
    session = only_session(one)
    app = weakref.ref(session.app)
    await until(lambda: session.asleep, 10)
    gc.collect()
    assert app() is None
    assert one.registry.snapshot_counts() == {"saved": 1, "dirty": 0, "pinned": 0, "asleep": 1} or session.stored
    assert await tab.click("more") == 2
    assert not session.asleep
    assert DIARY == ["mount"], "it has not gone anywhere"
    assert team.diaries["one"].labels("session_parked") == ["idle"]
    assert len(team.diaries["one"].told("session_woken")) == 1
    assert team.diaries["one"].labels("session_restored") == []


async def test_one_that_wakes_as_a_new_app_with_its_states_is_counted_among_the_restored(
    workers: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*arguments: object) -> object:
        raise Moved("Counter.more is gone")

    team = workers()  # its app has no hook, so it comes to the second worker asleep
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    monkeypatch.setattr("htag.snapshot.api.load", gone)
    await team.go(tab, two)
    assert only_session(two).asleep
    assert team.diaries["two"].labels("session_restored") == ["same"]
    await tab.click("more")
    await tab.until(lambda: tab.text("count") == "2")
    assert team.diaries["two"].labels("session_restored") == ["same", "carried"]
    assert len(team.diaries["two"].told("session_woken")) == 1


async def test_what_something_holds_stays_awake(workers: Start) -> None:
    team = workers()
    one = team.start("one")
    tab = await team.tab(one)
    session = only_session(one)
    HELD.append(session.app)
    await asleep(team, one)
    assert not session.asleep
    assert session.app is HELD[0]
    assert await tab.click("more") == 1


async def test_an_asleep_session_moves_and_is_found_by_a_reload(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("more")
    await asleep(team, one)
    assert only_session(one).asleep
    assert await one.registry.move_out(0.1) == 0
    await team.go(tab, two)
    assert await tab.click("more") == 2
    await asleep(team, two)
    assert only_session(two).asleep
    await tab.load()
    assert tab.text("count") == "2"


async def test_hooks_of_an_asleep_app_run_before_it_goes_elsewhere(workers: Start) -> None:
    team = workers(Hooked)
    one = team.start("one")
    await team.tab(one)
    await asleep(team, one)
    assert only_session(one).asleep
    assert DIARY == ["mount"]
    assert await one.registry.move_out(0.1) == 0
    assert DIARY == ["mount", "unmount"]


async def test_an_asleep_session_survives_a_store_that_lost_its_data(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("more")
    await asleep(team, one)
    session = only_session(one)
    await saved(one)
    await team.store.close()  # the memory store forgets all
    team.store._pulse = 0  # type: ignore[attr-defined]
    assert await team.store.peek(session.id) is None
    await until(lambda: session not in team.persistence(one).saver.dirty)
    for _ in range(300):
        if await team.store.peek(session.id) is not None:
            break
        await passed(0.02)
    assert session.asleep
    await one.registry.move_out(0.1)
    await team.go(tab, two)
    assert await tab.click("more") == 2


async def test_variables_of_the_session_are_there_after_it_woke(workers: Start) -> None:
    team = workers()
    one = team.start("one")
    tab = await team.tab(one)
    await asleep(team, one)
    session = only_session(one)
    await one.registry.wake(session)
    assert session.context.own.get(current_app)() is session.app  # type: ignore[misc]
    assert await tab.click("more") == 1


async def test_memory_pressure_parks_those_without_tabs_first(workers: Start) -> None:
    team = workers()
    one = team.start("one")
    tab, other = await team.tab(one), await team.tab(one)
    await saved(one)
    await until(lambda: one.registry.snapshot_counts()["saved"] == 2)
    await other.leave()
    await saved(one)
    one.registry.relieve(1)
    await until(lambda: len(one.registry.sessions) == 1)
    assert team.diaries["one"].labels("session_parked") == ["pressure"]
    session = only_session(one)
    assert not session.asleep
    one.registry.relieve(1 << 30)
    await until(lambda: session.asleep)
    assert await tab.click("more") == 1


async def end_of(tab: Tab) -> int:
    """Wait until the server closes the connection of `tab`. Returns the close code."""
    while True:
        try:
            await tab.next()
        except Disconnected as end:
            tab.channel = None
            return end.code


# -- moved without its app


async def test_a_tab_that_missed_nothing_gets_on_without_its_app_being_loaded(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("more")
    assert await one.registry.move_out(0.1) == 0
    await team.go(tab, two)
    assert only_session(two).asleep
    assert team.diaries["two"].labels("client_resumed") == ["current"]
    assert await tab.click("more") == 2
    assert not only_session(two).asleep
    await saved(two)


async def test_after_a_crash_a_tab_is_shown_all_and_goes_on(workers: Start) -> None:
    team = workers()
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    team.silent.add("one")
    await team.go(tab, two)
    assert not only_session(two).asleep
    assert await tab.click("more") == 2


# -- always


async def test_a_restless_session_goes_on_as_one_that_stays(workers: Start) -> None:
    team = workers(Hooked)
    one = team.start("one", moves_always=True)
    tab = await team.tab(one)
    apps = [only_session(one).app]
    for number in range(1, 4):
        assert await tab.click("more") == number
        await until(lambda: not only_session(one).asleep and only_session(one).app is not apps[-1])
        apps.append(only_session(one).app)
    assert tab.text("count") == "3"
    assert [line.text for line in tab.element("log").all("li")] == ["click 1", "click 2", "click 3"]
    assert DIARY == ["mount"] + ["unmount", "mount"] * 3


async def test_a_restless_session_waits_for_a_handler_that_runs(workers: Start) -> None:
    team = workers(Slow)
    one = team.start("one", moves_always=True)
    tab = await team.tab(one)
    app = only_session(one).app
    assert await tab.click("slow") == "slow"
    await until(lambda: not only_session(one).asleep and only_session(one).app is not app)
    assert await tab.click("more") == 11


async def test_a_tree_that_has_woken_is_set_aside_by_the_collector(workers: Start) -> None:
    mine = Collector()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(restorer, "collector", mine)
        patch.setattr(mine, "running", True)
        team = workers()
        one = team.start("one")
        await team.tab(one)
        await asleep(team, one)
        gc.collect()
        before = gc.get_freeze_count()
        try:
            await one.registry.wake(only_session(one))
            assert gc.get_freeze_count() > before
            assert gc.isenabled()
            assert not any(each is only_session(one).app for each in gc.get_objects())
        finally:
            gc.unfreeze()


async def test_a_session_whose_dialog_was_closed_falls_asleep(workers: Start) -> None:
    team = workers(Asking)
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click("ask")
    await tab.click("no")
    gc.collect()
    gc.freeze()  # as the collector of a worker does: no collection finds what becomes garbage now
    gc.disable()
    try:
        await tab.click("ask")
        await tab.click("no")
        await asleep(team, one)
        assert only_session(one).asleep
    finally:
        gc.enable()
        gc.unfreeze()
    assert await tab.click("ask") == 3
