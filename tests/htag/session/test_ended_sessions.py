"""A session that has ended is let go of at once: its memory is what makes room for the next visitor."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from htag import Tag
from htag.app import App
from htag.limits import Limits
from htag.observer import Observer
from htag.session.registry import SessionRegistry
from htag.session.session import Session
from htag.wire.codec import Codec
from tests.support.waiting import passed


class Page(Tag.App):
    def init(self) -> None:
        Tag.p("page")


class SaysGoodbye(Page):
    async def on_destroy(self) -> None:
        await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def without_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def opened(registry: SessionRegistry, make: type[App]) -> "weakref.ref[Session]":
    def build(identity: str) -> Session:
        session = Session(identity, make(), Codec(), Observer(), Limits())
        session.start()
        return session

    return weakref.ref(registry.open(build))


def ended(registry: SessionRegistry) -> None:
    for session in list(registry.sessions.values()):
        registry.end(session, "abandoned")


async def test_a_session_that_waits_to_be_measured_is_gone_when_it_ends() -> None:
    """A round of measuring held all sessions that had been there when it began: with 6 000, for six seconds after
    their end. Newcomers were refused meanwhile for memory that no session had."""
    registry = SessionRegistry(limits=Limits(), observer=Observer())
    sessions = [opened(registry, Page) for _ in range(5)]
    registry.usage.measure()  # a round begins
    ended(registry)
    assert [session() for session in sessions] == [None] * 5


async def test_a_session_whose_last_words_are_said_is_gone() -> None:
    """It was kept until another session ended."""
    registry = SessionRegistry(limits=Limits(), observer=Observer())
    session = opened(registry, SaysGoodbye)
    ended(registry)
    assert session() is not None
    async with asyncio.timeout(5):
        while session() is not None:
            await passed(0.01)


async def test_last_words_are_waited_for_when_the_registry_closes() -> None:
    said: list[Any] = []

    class Writes(Page):
        async def on_destroy(self) -> None:
            await asyncio.sleep(0.02)
            said.append(self)

    registry = SessionRegistry(limits=Limits(), observer=Observer())
    opened(registry, Writes)
    opened(registry, Writes)
    ended(registry)
    await registry.close()
    assert len(said) == 2


@pytest.mark.parametrize("late", [False, True])
async def test_a_session_whose_tabs_have_names_is_gone_when_it_ends(late: bool) -> None:
    """As those of all browsers have. Late: a tab that is heard of when the session is over already."""
    registry = SessionRegistry(limits=Limits(), observer=Observer())
    session = opened(registry, Page)
    (live,) = registry.sessions.values()
    if not late:
        live.tab("one")
    ended(registry)
    if late:
        live.tab("one")
    del live
    assert session() is None


async def test_a_large_message_that_comes_when_the_session_has_ended_keeps_nothing() -> None:
    """It was kept until it was measured: in an embedded app, where nothing measures, for ever."""
    registry = SessionRegistry(limits=Limits(), observer=Observer())
    session = opened(registry, Page)

    def late() -> None:
        (alive,) = registry.sessions.values()
        registry.end(alive, "expired")
        registry.usage.note_message(alive, 1000)

    late()
    assert session() is None
