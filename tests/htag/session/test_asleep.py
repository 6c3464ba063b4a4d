"""A push that was asked for before a session is put to sleep, or meanwhile, is made when it wakes up."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from htag import State, Tag
from htag.session.stored import Stored, first_generation
from htag.snapshot.api import dump, load
from htag.tree.live import live_tree
from tests.support.lives import Life
from tests.support.waiting import passed


class Noted:
    """Takes note of nothing."""

    def note(self, session: object) -> None:
        """Nothing is saved."""


class Counter(Tag.App):
    """Shows a number."""

    def init(self) -> None:
        self.count = State(0)
        Tag.b(lambda: f"count {self.count.value}")


@pytest.fixture
async def failures() -> AsyncIterator[list[Any]]:
    """What the event loop says of callbacks that raise."""
    found: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: found.append(context))
    yield found
    loop.set_exception_handler(None)


@pytest.fixture
async def life(failures: list[Any]) -> Life:
    life = Life(Counter())
    life.session.stored = Stored(Noted(), first_generation())
    await passed(0.05)
    life.channel.frames.clear()
    return life


def fall_asleep(life: Life) -> bytes:
    app: Any = life.app
    app.count.value = 7
    life.session.request_push(0.0)
    payload = dump(app)
    live_tree(life.session.put_to_sleep(payload)).dispose()
    return payload


async def test_no_push_is_made_while_it_is_asleep(life: Life, failures: list[Any]) -> None:
    fall_asleep(life)
    await passed(0.05)
    assert failures == []


async def test_it_is_made_when_it_wakes_up(life: Life, failures: list[Any]) -> None:
    payload = fall_asleep(life)
    await passed(0.05)
    life.session.wake_up(load(payload, Counter).app)
    await passed(0.05)
    assert failures == []
    assert "count 7" in " ".join(life.channel.frames)


async def test_what_outlives_the_app_in_memory_pushes_nothing(life: Life) -> None:
    """A task of the app that has not ended yet, say."""
    fall_asleep(life)
    life.session.push()
    assert life.channel.frames == []
