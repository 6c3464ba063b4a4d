"""`htag_stack.memory`: what fills a worker, and what only seems to."""

import json
import subprocess
import sys

import pytest

from htag_stack import memory as memory_module
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


def test_near_the_limit_what_could_be_used_again_is_not_relied_on() -> None:
    assert Use(500, 1000, reusable=400).room == 400
    assert Use(500, 1000, reusable=470).room == 0


def test_large_objects_that_were_dropped_are_not_in_use() -> None:
    reusable = Reusable()
    kept = [bytearray(MIB) for _ in range(20)]
    in_use, _ = reusable.measure()
    assert 19 * MIB < in_use < 25 * MIB
    kept.clear()
    in_use, _ = reusable.measure()
    assert in_use < 3 * MIB
