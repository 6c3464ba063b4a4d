"""`htag_stack.memory`: what fills a worker, and what only seems to."""

import json
import subprocess
import sys
import time
from typing import cast

import pytest

from htag.process import heap
from htag.process.collector import collector
from htag_stack import memory as memory_module
from htag_stack.cgroup import MemoryGroup
from htag_stack.memory import EACH, ENOUGH, FULL, LEAST, Memory, Reusable, Use
from tests.support.source import ROOT

# fills a worker with sessions, ends them, and prints its memory each time
FILLED_ONCE = """
import asyncio, json
from htag import Tag, WebApp
from htag_stack.memory import Memory

class Page(Tag.App):
    def init(self):
        self.texts = [str(number) * 40 for number in range(200)]  # blocks three times as large as a tag's
        self.add([Tag.p([Tag.b(str(number)), Tag.i("x")], _onclick=lambda event: None) for number in range(50)])

async def main():
    web = WebApp(Page, debug=False)
    async def page():
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"", "scheme": "http"}
        async def send(message):
            pass
        await web.app({**scope, "root_path": ""}, None, send)
    await page()
    memory = Memory(limit=1 << 40)
    told = []
    for round in range(2):
        for _ in range(800):
            await page()
        memory.measure()
        told.append((memory.resident, memory.reusable, memory.uses[0].used))
        for session in list(web.registry.sessions.values()):
            web.registry.end(session, "expired")
        memory.measure()
        told.append((memory.resident, memory.reusable, memory.uses[0].used))
    print(json.dumps(told))

asyncio.run(main())
"""
MIB = 2**20


def test_what_ended_sessions_held_is_not_used_though_the_process_keeps_it() -> None:
    """It filled the worker for ever: no session, and the busy page for everybody."""
    command = [sys.executable, "-c", FILLED_ONCE]
    output = subprocess.run(
        command, cwd=ROOT, env={"PYTHONPATH": f"{ROOT}:{ROOT / 'app'}"}, check=True, capture_output=True
    )
    full, empty, full_again, empty_again = json.loads(output.stdout)
    grown = full[2] - empty[2]
    assert grown > 15 * MIB
    assert empty[0] > empty[2] + 5 * MIB  # not all of it was given back
    assert full[1] < grown / 4  # in use, nearly all of it
    assert full_again[2] == pytest.approx(full[2], abs=grown / 4)
    assert empty_again[2] == pytest.approx(empty[2], abs=grown / 4)


def test_the_tightest_limit_is_the_one_that_is_nearest() -> None:
    memory = Memory(limit=1000)
    memory.uses = [Use(100, 1000), Use(500, 600, workers=4), Use(10, 10**9)]
    assert memory.tightest == Use(500, 600, 4)
    assert Memory().tightest is None


@pytest.mark.parametrize(("use", "room"), [(Use(0, 1000), 900), (Use(900, 1000), 0), (Use(500, 1000, 4), 100)])
def test_there_is_room_for_nine_tenths_shared_by_the_workers(use: Use, room: int) -> None:
    assert use.room == room


def test_a_worker_s_own_part_is_never_no_limit() -> None:
    assert Memory(limit=1, workers=4).uses[0].limit == 1


class With(Memory):
    """So many bytes of room at each measurement."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.measured = 0
        super().__init__()

    def _uses(self) -> list[Use]:
        self.measured += 1
        return [Use(0, int(self.free / FULL) + 1)]


def test_newcomers_between_two_measurements_take_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "CAUTION", 0)
    memory = With(5 * EACH)
    assert [memory.admits() for _ in range(7)] == [True] * 5 + [False] * 2
    memory.measure()
    assert memory.admits()


def test_what_newcomers_took_is_what_the_next_ones_are_thought_to_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "CAUTION", 0)
    memory = With(100 * EACH)
    for _ in range(ENOUGH):
        memory.admits()
    taken = [bytearray(MIB) for _ in range(ENOUGH)]
    memory.free = 3 * MIB + LEAST
    memory.measure()
    assert sum(memory.admits() for _ in range(20)) in (2, 3)
    assert taken


def test_the_less_room_there_is_the_sooner_it_is_measured_anew() -> None:
    """A crowd came within the second between two measurements, each took more than was thought, and the kernel killed
    the worker."""
    memory = With(50 * EACH)
    admitted = 0
    while memory.admits():
        admitted += 1
        memory.free = 50 * EACH - admitted * 5 * EACH  # each takes five times as much
    assert admitted <= 15
    roomy = With(10_000 * EACH)
    before = roomy.measured
    assert all(roomy.admits() for _ in range(500))
    assert roomy.measured == before


class World:
    """A container whose one process has `held` bytes, of which `in_use` are in use: a MemoryGroup and a Reusable."""

    def __init__(self, held: int, in_use: int, limit: int = 160 * MIB, neighbours: int = 0) -> None:
        self.size, self.in_use, self.limit, self.neighbours = held, in_use, limit, neighbours
        self.seen = 1.0  # share of what is in use that the estimate sees
        self.measured = 0
        self.peak = held

    def used(self) -> int:
        return self.size + self.neighbours

    def measure(self) -> tuple[int, int]:
        self.measured += 1
        in_use = int(self.in_use * self.seen)
        return in_use, self.size - in_use

    def held(self) -> int:
        return self.size

    def newcomer(self, size: int) -> None:
        self.in_use += size
        self.size = max(self.size, self.in_use)
        self.peak = max(self.peak, self.used())

    def sessions_end(self, given_back: int = 0, left: int = 0) -> None:
        self.in_use = left
        self.size -= given_back


def memory_of(world: World, monkeypatch: pytest.MonkeyPatch) -> Memory:
    monkeypatch.setattr(memory_module, "Reusable", lambda: world)
    return Memory(group=cast(MemoryGroup, world))


def come(memory: Memory, world: World, most: int, size: int = 370 << 10) -> int:
    """How many of so many newcomers are let in, at once, until one is refused."""
    for number in range(most):
        if not memory.admits():
            return number
        world.newcomer(size)
    return most


def test_who_is_refused_is_refused_for_what_is_and_not_for_what_was_a_second_ago(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sessions had ended, and until the next measurement all newcomers but the first got the busy page."""
    world = World(held=143 * MIB + 900_000, in_use=143 * MIB + 900_000)  # of 144, so there is no room for one
    memory = memory_of(world, monkeypatch)
    assert come(memory, world, 20) == 0
    world.sessions_end(given_back=30 * MIB)
    time.sleep(memory_module.REFUSES_ON)
    assert come(memory, world, 20) == 20


def test_refusing_thousands_takes_few_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each took one, where the room was below zero: half a millisecond for a visitor who is sent away."""
    world = World(held=150 * MIB, in_use=150 * MIB)
    memory = memory_of(world, monkeypatch)
    monkeypatch.setattr(memory_module, "REFUSES_ON", 60.0)
    assert not any(memory.admits() for _ in range(1000))
    assert world.measured < 5


def test_near_the_limit_newcomers_get_what_could_be_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """All was refused there: filled once, closed for ever, where the allocator cannot give back."""
    world = World(held=155 * MIB, in_use=155 * MIB)
    memory = memory_of(world, monkeypatch)
    assert come(memory, world, 20) == 0
    world.sessions_end(left=20 * MIB)
    memory.measure()
    assert come(memory, world, 200) == 200
    assert world.size == 155 * MIB


def test_near_the_limit_nothing_is_relied_on_that_makes_the_process_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(held=155 * MIB, in_use=60 * MIB)
    memory = memory_of(world, monkeypatch)
    admitted = 0
    while memory.admits():
        admitted += 1
        world.size += 370 << 10  # what was free cannot be used by these
    assert admitted <= 4
    memory.measure()
    assert memory.is_full
    world.size -= 10 * MIB
    memory.measure()
    assert not memory.is_full


def test_at_the_very_limit_nothing_is_relied_on(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(held=158 * MIB, in_use=20 * MIB)
    memory = memory_of(world, monkeypatch)
    assert not memory.admits()
    assert memory.is_full


def test_a_limit_that_no_kernel_holds_closes_no_worker_whose_sessions_have_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sessions that were there had grown beyond HTAG_MEMORY_LIMIT, which nothing prevents, and the process kept
    the memory: it was closed for ever."""
    world = World(held=180 * MIB, in_use=180 * MIB)
    monkeypatch.setattr(memory_module, "Reusable", lambda: world)
    monkeypatch.setattr(heap, "resident", lambda: world.size)
    memory = Memory(limit=160 * MIB)
    assert not memory.admits()
    world.sessions_end(left=20 * MIB)
    memory.measure()
    assert come(memory, world, 100) == 100


def test_a_neighbour_that_takes_much_for_a_moment_refuses_nobody_what_could_be_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The container's own health check takes 8 MiB, 0.1 s of every 3."""
    world = World(held=146 * MIB, in_use=30 * MIB)
    memory = memory_of(world, monkeypatch)
    world.neighbours = 8 * MIB
    memory.measure()
    assert come(memory, world, 100) == 100


def test_the_first_crowd_of_an_app_whose_pages_take_megabytes_does_not_kill_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was known yet of what one takes, or it was thought to be little because as many had gone as had come; and
    forty came before it was measured."""
    world = World(held=40 * MIB, in_use=40 * MIB)
    memory = memory_of(world, monkeypatch)
    assert come(memory, world, 100, size=12 * MIB) in (8, 9)
    assert world.peak < 158 * MIB
    world.sessions_end(given_back=100 * MIB, left=40 * MIB)
    memory.measure()
    memory._each = LEAST
    assert come(memory, world, 100, size=12 * MIB) in (8, 9)
    assert world.peak < 158 * MIB


def test_what_a_sweep_will_copy_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first sweep wrote to all that the worker shared with the process that it was forked from: 11 MiB of 160 in
    a container that was full, and the kernel killed it."""
    monkeypatch.setattr(heap, "shared", lambda: 22 * MIB)
    world = World(held=46 * MIB, in_use=46 * MIB)
    memory = memory_of(world, monkeypatch)
    come(memory, world, 1000)
    assert world.peak < 134 * MIB
    world.neighbours += 11 * MIB
    monkeypatch.setattr(collector, "sweeps", collector.sweeps + 1)
    memory.measure()
    assert come(memory, world, 1000) < 3
    assert 142 * MIB < world.used() < 146 * MIB


def test_an_estimate_that_is_wrong_does_not_let_the_kernel_find_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It sees a sixth of what newcomers take: all seems to be reusable, and there seems to be room for hundreds."""
    world = World(held=100 * MIB, in_use=20 * MIB)
    world.seen = 1 / 6
    memory = memory_of(world, monkeypatch)
    world.in_use = 100 * MIB
    come(memory, world, 2000)
    assert 140 * MIB < world.peak < 158 * MIB


def test_large_objects_that_were_dropped_are_not_in_use() -> None:
    reusable = Reusable()
    kept = [bytearray(MIB) for _ in range(20)]
    in_use, _ = reusable.measure()
    assert 19 * MIB < in_use < 25 * MIB
    kept.clear()
    in_use, _ = reusable.measure()
    assert in_use < 3 * MIB


@pytest.mark.parametrize(("use", "excess"), [(Use(800, 1000), 0), (Use(950, 1000), 100), (Use(950, 1000, 4), 25)])
def test_sessions_leave_memory_before_newcomers_are_refused(use: Use, excess: int) -> None:
    assert use.excess == excess
