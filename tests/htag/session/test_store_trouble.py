"""A store that is slow, silent, down, emptied, or older than it was: clicks go on, sessions are saved in the end."""

import asyncio
import random
import time
from typing import Any

import pytest

from headless.asgi import Site
from headless.tab import Tab
from htag import Tag
from htag.session import persistence, saver, takeover
from htag.session.whereabouts import SessionUnreachable
from htag.stores.memory import MemoryStore
from tests.htag.session.lasting import DIARY, Counter, Hooked, Start, only_session, saved, workers
from tests.htag.session.troubled_store import Trouble
from tests.support.waiting import LOOP_SECONDS, passed, patience, until

__all__ = ["workers"]


class Growing(Counter):
    """Holds as many bytes as it is told to, which do not compress."""

    def init(self) -> None:
        super().init()
        self.held = b""
        Tag.button("grow", _id="grow", _onclick=self.grow)

    def grow(self, event: Any) -> int:
        self.held = random.randbytes(len(self.held) + event.by)
        return len(self.held)


async def test_while_the_store_is_down_clicks_go_on_and_all_is_saved_when_it_is_back(
    workers: Start, caplog: pytest.LogCaptureFixture
) -> None:
    store = Trouble()
    team = workers(store=store)
    one = team.start("one")
    tabs = [await team.tab(one) for _ in range(3)]
    await until(lambda: one.registry.snapshot_counts()["saved"] == 3)
    store.down = True
    for tab in tabs:
        assert await tab.click("more") == 1
    await until(lambda: "failed" in team.diaries["one"].labels("snapshot_made"))
    assert not one.registry.store_up
    await until(lambda: one.registry.snapshot_counts()["dirty"] == 3)  # none of them while a round is under way
    assert sum("sessions are not saved for now" in record.getMessage() for record in caplog.records) == 1
    for tab in tabs:
        assert await tab.click("more") == 2
    store.down = False
    await until(lambda: one.registry.snapshot_counts() == {"saved": 3, "dirty": 0, "pinned": 0, "asleep": 0})
    await until(lambda: one.registry.store_up)
    two = team.start("two")
    team.silent.add("one")
    await team.go(tabs[0], two)
    assert await tabs[0].click("more") == 3


async def test_a_round_that_fails_counts_once_and_the_next_ones_come_less_often(
    workers: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saver, "TICK_SECONDS", 0.02)
    store = Trouble()
    team = workers(store=store)
    one = team.start("one")
    tabs = [await team.tab(one) for _ in range(5)]
    await until(lambda: one.registry.snapshot_counts()["saved"] == 5)
    store.down = True
    for tab in tabs:
        await tab.click("more")
    begun = time.monotonic()
    await passed(1.0)
    await until(lambda: failed(team) >= 3)
    assert failed(team) <= 8 * (time.monotonic() - begun)  # 50 a second without a pause that grows


def failed(team: Any) -> int:
    return team.diaries["one"].labels("snapshot_made").count("failed")


async def test_a_store_that_hangs_holds_up_no_click(workers: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Trouble()
    team = workers(store=store)
    one = team.start("one")
    tab = await team.tab(one)
    await saved(one)
    store.seconds = 60
    team.persistence(one)._store._seconds = 0.2
    assert await tab.click("more") == 1
    await until(lambda: not one.registry.store_up)
    async with asyncio.timeout(LOOP_SECONDS):  # of the 60 that it hangs
        assert await tab.click("more") == 2
    store.seconds = 0
    await saved(one)


async def test_changes_during_a_save_are_saved_by_the_next_one(workers: Start) -> None:
    store = Trouble()
    team = workers(store=store)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await saved(one)
    store.seconds = 0.3
    await tab.click("more")
    await until(lambda: not team.persistence(one).saver.dirty)  # on its way
    await tab.click("more")
    store.seconds = 0
    await saved(one)
    team.silent.add("one")
    await team.go(tab, two)
    assert await tab.click("more") == 3


async def test_a_store_that_lost_its_data_gets_all_sessions_again(
    workers: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "PULSE_SECONDS", 0.05)
    store = Trouble()
    team = workers(store=store)
    one = team.start("one")
    tabs = [await team.tab(one) for _ in range(3)]
    await until(lambda: one.registry.snapshot_counts()["saved"] == 3)
    await passed(0.2)
    store.go_back(({}, {}, 0))
    store._bytes = 0
    await until(lambda: len(store._records) == 3)
    two = team.start("two")
    team.silent.add("one")
    await team.go(tabs[0], two)
    assert await tabs[0].click("more") == 1


async def test_a_store_that_went_back_is_brought_up_to_date(workers: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "PULSE_SECONDS", 0.05)
    store = Trouble()
    team = workers(store=store)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    older = store.remember()
    team.silent.add("one")
    await team.go(tab, two)  # a take-over, which the older copy knows nothing of
    for _ in range(3):
        await tab.click("more")
    await saved(two)
    await until(lambda: store._pulse > older[2] + 3)
    store.go_back(older)
    await passed(0.3)
    await saved(two)
    three = team.start("three")
    team.silent.add("two")
    await team.go(tab, three)
    assert await tab.click("more") == 5


async def test_where_the_store_is_silent_a_known_visitor_is_asked_to_come_again(workers: Start) -> None:
    store = Trouble()
    team = workers(store=store)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await saved(one)
    session_id = only_session(one).id
    store.down = True
    with pytest.raises(SessionUnreachable):
        await two.registry.find(session_id)
    answer = await Site(two.app, cookies=tab.site.cookies).get()
    assert answer.status == 503
    assert answer.headers["x-htag-refused"]
    store.down = False
    await team.go(tab, two)
    assert await tab.click("more") == 1


async def test_where_it_stays_silent_the_visitor_begins_anew(workers: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeover, "PATIENCE_SECONDS", 0.05)
    store = Trouble()
    team = workers(store=store)
    one, two = team.start("one"), team.start("two")
    tab = await team.tab(one)
    await saved(one)
    store.down = True
    site = Site(two.app, cookies=tab.site.cookies)
    assert (await site.get()).status == 503
    await passed(0.1)
    assert (await site.get()).status == 200


async def test_a_move_that_the_store_refuses_to_answer_leaves_the_session_where_it_is(workers: Start) -> None:
    store = Trouble()
    team = workers(Hooked, store=store)
    one = team.start("one")
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    store.down = True
    assert await one.registry.move_out(0.3) == 1
    store.down = False
    other = await Tab(Site(one.app, cookies=tab.site.cookies), version=2).load()
    await other.connect()
    assert await other.click("more") == 2
    await saved(one)


async def test_saving_takes_no_more_than_its_share_of_the_loop(workers: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Trouble()
    team = workers(store=store)
    one = team.start("one")
    tab = await team.tab(one)
    await saved(one)
    snapshots = team.persistence(one)._snapshots
    take = snapshots.take

    def slowly(session: Any) -> Any:
        time.sleep(0.05)
        return take(session)

    monkeypatch.setattr(snapshots, "take", slowly)
    store.saves.clear()
    begun = time.monotonic()
    while (seconds := time.monotonic() - begun) < 2.0 or len(store.saves) < 2:
        await tab.click("more")
        await asyncio.sleep(0.01)
    assert len(store.saves) <= 1 + seconds / 0.4  # each pays for half a second; without a budget: seven in two seconds


async def test_a_session_that_the_store_does_not_have_waits_for_no_share(workers: Start) -> None:
    """Until its first save it ends with its worker, and its page loads again."""
    store = Trouble()
    team = workers(store=store)
    one = team.start("one")
    tab = await team.tab(one)
    await saved(one)
    budget = team.persistence(one).saver._budget
    budget.spend(60.0, time.monotonic())  # nothing may be saved for ten minutes
    await tab.click("more")
    before = len(store.saves)
    newcomer = await team.tab(one)
    await until(lambda: len(store.saves) > before)
    known, new = one.registry.sessions.values()
    assert new.stored is not None
    await until(lambda: new.stored.in_store)
    assert [session for session in team.persistence(one).saver.dirty if session is known], "the other one waits"
    await newcomer.click("more")
    await passed(1.0)
    assert new in team.persistence(one).saver.dirty, "and so does this one from now on"


async def test_a_session_that_cannot_be_parked_because_the_store_is_down_is_not_dropped(workers: Start) -> None:
    store = Trouble()
    team = workers(Hooked, store=store)
    one = team.start("one", grace_seconds=0.05, pinned_grace_seconds=0.2)
    tab = await team.tab(one)
    await tab.click("more")
    await saved(one)
    store.down = True
    await tab.leave()
    await until(lambda: not one.registry.sessions)
    store.down = False
    assert not any("destroy" in line for line in DIARY)
    await team.go(tab, one)
    assert await tab.click("more") == 2


async def test_a_slow_store_that_is_to_forget_many_sessions_saves_meanwhile(workers: Start) -> None:
    store = Trouble()
    team = workers(store=store)
    web = team.start("one")
    tab = await team.tab(web)
    await saved(web)
    store.seconds = 0.2
    for number in range(200):
        team.persistence(web).saver.drop(f"over {number}", 1)
    started = time.monotonic()
    await tab.click("more")
    await saved(web)
    assert time.monotonic() - started < patience(20)  # one after the other they take 40


async def test_of_parked_sessions_the_latest_are_remembered(workers: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("htag.session.parker.MOST_PARKED", 2)
    team = workers()
    web = team.start("one")
    ids = []
    for _ in range(3):
        tab = await team.tab(web)
        await saved(web)
        session = only_session(web)
        ids.append(session.id)
        await tab.leave()
        team.persistence(web).parker.park(session, "disconnected")
        await until(lambda: not web.registry.sessions)
    assert [*team.persistence(web).parker.parked] == ids[1:]


async def test_a_session_that_a_full_store_has_no_room_for_is_the_only_one_that_is_not_saved(
    workers: Start, caplog: pytest.LogCaptureFixture
) -> None:
    team = workers(Growing, MemoryStore(limit=20_000))
    one = team.start("one")
    large, small = await team.tab(one), await team.tab(one)
    await until(lambda: one.registry.snapshot_counts()["saved"] == 2)
    assert await large.click("grow", by=30_000) == 30_000
    assert await small.click("grow", by=10) == 10
    await until(lambda: one.registry.snapshot_counts() == {"saved": 1, "dirty": 1, "pinned": 0, "asleep": 0})
    for _ in range(3):  # also in rounds that begin with the large one
        await small.click("grow", by=1)
        await small.until(lambda: small.events.log == {})
    assert sum("sessions are not saved for now" in record.getMessage() for record in caplog.records) == 1
    assert await large.click("grow", by=-29_999) == 1
    await until(lambda: one.registry.snapshot_counts() == {"saved": 2, "dirty": 0, "pinned": 0, "asleep": 0})
