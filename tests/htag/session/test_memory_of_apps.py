"""The estimate of what a session takes, beside what Python says it takes, for real apps in mid life."""

import gc
import tracemalloc

import pytest

from htag.session import memory
from tests.apps.chat import Chat, Room
from tests.support.lives import Life, entity_of
from tests.support.waiting import passed

APPS = {
    "todo": "tests.apps.todo:Todo",
    "signup": "tests.apps.signup:Signup",
    "gallery": "tests.apps.gallery:Gallery",
    "shop": "tests.apps.shop:Shop",
    "dashboard": "tests.apps.dashboard:Dashboard",
    "table": "tests.apps.table:Table",
    "chat": "tests.apps.chat:Chat",
    "demo": "htag_stack.demo:Demo",
    "65 tags": "bench.measured_app:Small",
    "3 000 tags": "bench.measured_app:Large",
}

CLOSE = 0.25


async def lived(path: str, events: int) -> Life:
    """A session whose tasks are over: they are not counted, and end some time."""
    life = Life(entity_of(path)())
    await life.live(events, 1)
    life.channel.frames.clear()
    clock = getattr(life.app, "clock", None)
    if clock is not None:
        clock.cancel()
    await passed(0.05)  # and a timer that was cancelled lies about until its time has come
    return life


@pytest.mark.parametrize("events", [0, 30])
@pytest.mark.parametrize("name", APPS)
async def test_it_is_within_a_quarter(name: str, events: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chat, "room", Room())
    first = await lived(APPS[name], events)  # what is made once for all
    first.session.close()
    await first.session.finished()
    monkeypatch.setattr(Chat, "room", Room())
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        life = await lived(APPS[name], events)
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    estimate = memory.of(life.app)
    life.session.close()
    await life.session.finished()
    assert abs(estimate - taken) < CLOSE * taken, f"{estimate} for {taken}"
