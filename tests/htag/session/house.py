"""A registry of sessions for tests: it notes what the observer is told, and is closed in the end."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from htag import Tag
from htag.app import App
from htag.limits import Limits
from htag.session.registry import SessionRegistry
from htag.session.session import Session
from htag.wire.codec import Codec
from tests.support.observers import RecordingObserver


class Page(Tag.App):
    def init(self) -> None:
        Tag.p("page", _id="p", _onclick=lambda event: "clicked")


class House:
    """A registry with a diary."""

    def __init__(self, make: Callable[[], App] = Page, pressure: Callable[[], str | None] | None = None, **limits: Any):
        self.diary = RecordingObserver()
        self.registry = SessionRegistry(limits=Limits(**limits), observer=self.diary, pressure=pressure)
        self._make = make

    def build(self, identity: str) -> Session:
        session = Session(identity, self._make(), Codec(), self.diary, self.registry.limits)
        session.start()
        return session

    def open(self, identity: str | None = None) -> Session:
        return self.registry.open(self.build, identity)


Build = Callable[..., House]


@pytest.fixture
async def house() -> AsyncIterator[Build]:
    """`house(new_seconds=1)`: a registry that is closed in the end."""
    houses: list[House] = []

    def build(*args: Any, **options: Any) -> House:
        houses.append(House(*args, **options))
        return houses[-1]

    yield build
    for each in houses:
        await each.registry.close()
