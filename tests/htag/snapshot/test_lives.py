"""The test worth most: an app that moved to another process goes on, to the last byte, as if it had never moved."""

import asyncio

import pytest

from htag.snapshot.api import dump
from htag.tree.live import live_tree
from tests.support.lives import Life, elsewhere, entity_of

APPS = {
    "todo": "tests.apps.todo:Todo",
    "signup": "tests.apps.signup:Signup",
    "gallery": "tests.apps.gallery:Gallery",
    "shop": "tests.apps.shop:Shop",
    "dashboard": "tests.apps.dashboard:Dashboard",
    "table": "tests.apps.table:Table",
    "demo": "htag_stack.demo:Demo",
    "65 tags": "bench.measured_app:Small",
    "3 000 tags": "bench.measured_app:Large",
}


async def settled(life: Life) -> None:
    """Whatever ticks in the app is stopped: a clock goes its own way in each process."""
    clock = getattr(life.app, "clock", None)
    if clock is not None:
        clock.cancel()
    await asyncio.sleep(0)


@pytest.mark.parametrize("name", APPS)
async def test_it_goes_on_as_the_one_that_stayed(name: str) -> None:
    """Three lives of each app: they go on in one other process, since to start it takes longer than to live there."""
    payloads, stayed = {}, {}
    for seed in (1, 2, 3):
        payloads[seed + 100], stayed[seed + 100] = await lived(name, seed)
    moved = await asyncio.to_thread(elsewhere, APPS[name], payloads, 40)
    assert moved.keys() == stayed.keys()
    for seed, (frames, number, page) in stayed.items():
        assert moved[seed]["outcome"] == "same"
        assert moved[seed]["frames"] == frames
        assert moved[seed]["next"] == number
        assert moved[seed]["page"] == page


async def lived(name: str, seed: int) -> tuple[bytes, tuple[list[str], int, str]]:
    """A life's payload in its midst, and what it was afterwards: its frames, its next number, its page."""
    life = Life(entity_of(APPS[name])())
    await settled(life)
    await life.live(20, seed)
    payload = dump(life.app)
    frames = await life.live(40, seed + 100)
    after = frames, live_tree(life.app).numbers.next, str(life.app)
    life.session.close()
    await life.session.finished()
    return payload, after
