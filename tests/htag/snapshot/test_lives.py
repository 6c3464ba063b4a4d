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
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_it_goes_on_as_the_one_that_stayed(name: str, seed: int) -> None:
    life = Life(entity_of(APPS[name])())
    await settled(life)
    await life.live(20, seed)
    payload = dump(life.app)
    expected = await life.live(40, seed + 100)
    number, page = live_tree(life.app).numbers.next, str(life.app)
    moved = await asyncio.to_thread(elsewhere, APPS[name], payload, 40, seed + 100)
    assert moved["outcome"] == "same"
    assert moved["frames"] == expected
    assert moved["next"] == number
    assert moved["page"] == page
    life.session.close()
    await life.session.finished()
