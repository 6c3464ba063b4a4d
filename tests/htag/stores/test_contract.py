"""One suite for all stores: what `htag.stores.base.Store` promises holds in memory, in a file and in a real Valkey."""

import asyncio
import time

import pytest

from htag.errors import StoreError
from htag.stores import base, sqlite, sqlite_file, valkey, valkey_client
from htag.stores.base import Record, Save, Store
from tests.support.stores import Opener
from tests.support.waiting import passed

US, THEM = "10.0.0.2:8001/aaaaaaaa", "10.0.0.3:8002/bbbbbbbb"


def now() -> int:
    """A generation of this moment, as a worker gives it to a session that it makes."""
    return time.time_ns() // 1000


async def saved(store: Store, name: str, data: bytes = b"x", owner: str = US) -> int:
    """Save a session, and return its generation."""
    generation = now()
    assert await store.save([Save(name, generation, owner, data)]) == [True]
    return generation


# ---- finding


async def test_nothing_is_found_of_an_unknown_session(store: Store, name: str) -> None:
    assert await store.peek(name) is None
    assert await store.claim(name, US) is None


async def test_a_claim_of_an_unknown_session_writes_nothing(opened: Opener, name: str) -> None:
    one, other = opened(), opened()
    await one.claim(name, US)
    assert await other.save([Save(name, 1, THEM, b"the lowest generation there is")]) == [True]


async def test_what_was_saved_is_found_byte_for_byte(store: Store, name: str) -> None:
    data = bytes(range(256)) * 1000
    generation = await saved(store, name, data)
    assert await store.peek(name) == Record(generation, US, data)


@pytest.mark.parametrize("data", [b"", b"\n", b" -\n\0", b"1-"])
async def test_data_may_be_anything(store: Store, name: str, data: bytes) -> None:
    generation = await saved(store, name, data)
    assert await store.peek(name) == Record(generation, US, data)
    claimed = await store.claim(name, THEM)
    assert claimed is not None
    assert (claimed.owner, claimed.data) == (US, data)


async def test_to_peek_changes_nothing(store: Store, name: str) -> None:
    generation = await saved(store, name)
    await store.peek(name)
    assert await store.peek(name) == Record(generation, US, b"x")


async def test_another_worker_finds_what_one_has_saved(persistent: Opener, name: str) -> None:
    generation = await saved(persistent(), name)
    assert await persistent().peek(name) == Record(generation, US, b"x")


async def test_sessions_do_not_meet(store: Store, name: str) -> None:
    one = await saved(store, name + "1", b"1")
    other = await saved(store, name + "2", b"2")
    assert await store.drop(name + "2", other)
    assert await store.peek(name + "1") == Record(one, US, b"1")


# ---- claiming


async def test_a_claim_raises_the_generation_and_says_who_had_the_session(store: Store, name: str) -> None:
    generation = await saved(store, name)
    claimed = await store.claim(name, THEM)
    assert claimed is not None
    assert claimed.generation > generation
    assert claimed == Record(claimed.generation, US, b"x")
    assert await store.peek(name) == Record(claimed.generation, THEM, b"x")


async def test_a_claim_raises_even_the_generation_of_a_clock_that_is_ahead(store: Store, name: str) -> None:
    ahead = now() + 3_600_000_000
    assert await store.save([Save(name, ahead, US, b"x")]) == [True]
    claimed = await store.claim(name, THEM)
    assert claimed is not None
    assert claimed.generation == ahead + 1


async def test_a_claim_is_above_what_an_older_copy_of_the_store_may_have_given(store: Store, name: str) -> None:
    """The store was put back: one more than what it has may be what another worker holds."""
    await store.save([Save(name, 5, US, b"x")])
    before = now()
    claimed = await store.claim(name, THEM)
    assert claimed is not None
    assert claimed.generation > before - 60_000_000  # the server's clock may not be ours


async def test_of_a_hundred_concurrent_claims_each_has_a_generation_of_its_own(opened: Opener, name: str) -> None:
    workers = [opened() for _ in range(4)]
    await saved(workers[0], name)
    claims = await asyncio.gather(*(workers[turn % 4].claim(name, f"w{turn}") for turn in range(100)))
    order = sorted((claim.generation, claim.owner, turn) for turn, claim in enumerate(claims) if claim)
    assert len({generation for generation, _, _ in order}) == 100
    assert [owner for _, owner, _ in order] == [US, *(f"w{turn}" for _, _, turn in order[:-1])]


async def test_many_workers_can_open_a_new_store_at_once(opened: Opener) -> None:
    workers = [opened() for _ in range(16)]
    await asyncio.gather(*(worker.ping() for worker in workers))


# ---- saving


async def test_the_last_save_wins(store: Store, name: str) -> None:
    generation = await saved(store, name, b"old")
    assert await store.save([Save(name, generation, US, b"new")]) == [True]
    assert await store.peek(name) == Record(generation, US, b"new")


async def test_a_session_is_released_by_a_save_without_an_owner(store: Store, name: str) -> None:
    generation = await saved(store, name)
    assert await store.save([Save(name, generation, "", b"y")]) == [True]
    assert await store.peek(name) == Record(generation, "", b"y")


async def test_a_late_worker_cannot_save_over_the_one_that_took_over(store: Store, name: str) -> None:
    late = await saved(store, name)
    claimed = await store.claim(name, THEM)
    assert claimed is not None
    assert await store.save([Save(name, late, US, b"late")]) == [False]
    assert await store.save([Save(name, claimed.generation, THEM, b"new")]) == [True]
    assert await store.save([Save(name, late, US, b"late")]) == [False]
    assert await store.peek(name) == Record(claimed.generation, THEM, b"new")


async def test_each_of_many_saves_is_accepted_or_refused_on_its_own(store: Store, name: str) -> None:
    generations = [await saved(store, f"{name}{turn}") for turn in range(4)]
    await store.claim(f"{name}1", THEM)
    await store.drop(f"{name}2", generations[2])
    saves = [Save(f"{name}{turn}", generations[turn], US, b"%d" % turn) for turn in range(4)]
    assert await store.save([*saves, Save(f"{name}4", 1, US, b"4")]) == [True, False, False, True, True]
    found = [await store.peek(f"{name}{turn}") for turn in range(5)]
    assert [each and each.data for each in found] == [b"0", b"x", None, b"3", b"4"]


async def test_no_saves_are_no_answers(store: Store) -> None:
    assert await store.save([]) == []


async def test_of_many_concurrent_saves_only_the_last_claimant_s_count(opened: Opener, name: str) -> None:
    workers = [opened() for _ in range(4)]
    await saved(workers[0], name)
    claims = [await worker.claim(name, f"w{turn}") for turn, worker in enumerate(workers)]
    saves = [
        workers[turn].save([Save(name, claim.generation, US, b"%d" % turn)])
        for turn, claim in enumerate(claims)
        if claim
    ]
    assert await asyncio.gather(*saves) == [[False], [False], [False], [True]]
    found = await workers[0].peek(name)
    assert found is not None
    assert found.data == b"3"


async def test_a_holder_whose_session_the_store_has_lost_can_save_it(store: Store, name: str) -> None:
    """It holds a generation that the store has never heard of."""
    assert await store.save([Save(name, now() + 1000, US, b"x")]) == [True]


async def test_a_holder_whose_session_is_older_in_the_store_can_save_it(store: Store, name: str) -> None:
    generation = await saved(store, name, b"put back")
    assert await store.save([Save(name, generation + 1000, US, b"new")]) == [True]
    assert await store.peek(name) == Record(generation + 1000, US, b"new")


async def test_what_is_too_large_is_refused_before_it_is_sent(
    store: Store, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "RECORD_BYTES", 1000)
    assert await store.save([Save(name, 1, US, b"x" * 1000)]) == [True]
    with pytest.raises(StoreError, match="1001 bytes"):
        await store.save([Save(name, 1, US, b"y" * 1001)])
    assert await store.peek(name) == Record(1, US, b"x" * 1000)


# ---- dropping


async def test_a_dropped_session_is_not_found(store: Store, name: str) -> None:
    assert await store.drop(name, await saved(store, name))
    assert await store.peek(name) is None
    assert await store.claim(name, US) is None


async def test_a_late_writer_does_not_bring_back_a_dropped_session(store: Store, name: str) -> None:
    generation = await saved(store, name)
    assert await store.drop(name, generation)
    await store.touch([name])
    assert await store.save([Save(name, generation, US, b"its holder, a moment later")]) == [False]
    assert await store.save([Save(name, generation - 1, THEM, b"one before")]) == [False]
    assert await store.peek(name) is None


async def test_a_session_dropped_before_its_first_save_is_not_saved_any_more(store: Store, name: str) -> None:
    generation = now()
    assert await store.drop(name, generation)
    assert await store.save([Save(name, generation, US, b"x")]) == [False]


async def test_a_new_session_of_a_dropped_one_s_name_can_be_saved(store: Store, name: str) -> None:
    assert await store.drop(name, await saved(store, name))
    generation = now() + 1
    assert await store.save([Save(name, generation, US, b"new")]) == [True]
    assert await store.peek(name) == Record(generation, US, b"new")


async def test_a_late_worker_cannot_drop_what_another_has_claimed(store: Store, name: str) -> None:
    late = await saved(store, name)
    claimed = await store.claim(name, THEM)
    assert claimed is not None
    assert not await store.drop(name, late)
    assert await store.peek(name) == Record(claimed.generation, THEM, b"x")


async def test_a_drop_does_not_lower_what_an_earlier_one_has_left(store: Store, name: str) -> None:
    generation = now()
    assert await store.drop(name, generation)
    assert not await store.drop(name, generation - 1)
    assert await store.save([Save(name, generation, US, b"x")]) == [False]


# ---- time


async def test_a_session_is_forgotten_after_its_time(persistent: Opener, name: str) -> None:
    brief, store = persistent(seconds=0.05), persistent()
    await store.pulse()  # which has it look for what has expired: not again during this test
    await saved(brief, name)
    await passed(0.1)  # not for something to happen: time itself is what is tested
    assert await store.peek(name) is None
    assert await store.claim(name, US) is None
    assert await store.save([Save(name, 1, US, b"new")]) == [True]


async def test_a_claimed_session_is_forgotten_after_its_time(persistent: Opener, name: str) -> None:
    brief, store = persistent(seconds=0.05), persistent()
    await saved(store, name)
    assert await brief.claim(name, US)
    await passed(0.1)
    assert await store.peek(name) is None


async def test_what_was_dropped_is_forgotten_in_its_own_time(
    persistent: Opener, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief, store = persistent(seconds=0.05), persistent()
    generation = now()
    assert await store.drop(name, generation)
    await brief.touch([name])
    for module in (sqlite_file, valkey):
        monkeypatch.setattr(module, "DROPPED_SECONDS", 0.05)
    assert await store.drop(name + "soon", generation)
    await passed(0.1)
    assert await store.save([Save(name, generation, US, b"late")]) == [False]
    assert await store.save([Save(name + "soon", generation, US, b"too late to be refused")]) == [True]


async def test_a_save_a_claim_and_a_touch_prolong_the_time(persistent: Opener, name: str) -> None:
    store = persistent(seconds=60)
    for seconds in (0.2, 2.0, 20.0):  # a disk may need as long for the six
        brief, begun = persistent(seconds=seconds), time.monotonic()
        for turn in "123":
            await saved(brief, name + turn)
        assert await store.save([Save(name + "1", now(), US, b"x")]) == [True]
        found = await store.claim(name + "2", US)
        await store.touch([name + "3", name + "unknown"])
        if time.monotonic() - begun < seconds / 2:
            break
    assert found
    await passed(1.5 * seconds)
    for turn in "123":
        assert await store.peek(name + turn)
    assert await store.peek(name + "unknown") is None


async def test_to_touch_no_sessions_does_nothing(store: Store) -> None:
    await store.touch([])


# ---- whether the store has kept what it has acknowledged


async def test_a_pulse_grows(opened: Opener, name: str) -> None:
    one, other = opened(), opened()
    pulses = []
    for _ in range(3):
        pulses.append(await one.pulse())
        await other.pulse()
        await saved(one, name)
    assert pulses == sorted(set(pulses))


async def test_concurrent_writes_are_not_taken_for_a_loss(opened: Opener, name: str) -> None:
    store = opened()
    before = await store.pulse()
    await asyncio.gather(*(saved(store, f"{name}{turn}") for turn in range(50)))
    assert await store.pulse() > before


# ---- being there


async def test_a_store_pings_and_closes(store: Store) -> None:
    await store.ping()
    assert await store.check() == []
    await store.close()


async def test_a_worker_to_which_many_sessions_come_at_once_does_not_take_the_store_for_silent(
    persistent: Opener, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its store answers in time; it is the worker that is busy with the sessions that it was answered."""
    store = persistent()
    await store.save([Save(f"{name}{turn}", 1, US, b"x") for turn in range(200)])
    monkeypatch.setattr(valkey_client, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(sqlite, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(valkey, "READ_BYTES", 0)

    async def comes_back(turn: int) -> None:
        assert await store.peek(f"{name}{turn}")
        assert await store.claim(f"{name}{turn}", THEM)
        time.sleep(0.008)  # noqa: ASYNC251 - what the worker makes of it

    await asyncio.gather(*(comes_back(turn) for turn in range(200)))


async def test_a_store_can_be_closed_without_having_been_used(opened: Opener) -> None:
    await opened().close()
