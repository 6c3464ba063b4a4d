"""The apps are used as people use them: several browsers, each with its own session, on each of three transports; and
once more with each session moved after each of its events, as if its worker had been replaced."""

from collections.abc import Iterator
from typing import Any

import pytest

from htag.limits import Limits
from htag.stores.memory import MemoryStore
from tests.support.observers import RecordingObserver
from tests.support.visits import Serve, serve, transport, visits

__all__ = ["Serve", "serve", "transport", "visits"]


@pytest.fixture(params=["", "always"], ids=["stays", "moves"])
def move(request: pytest.FixtureRequest) -> str:
    """Whether sessions are moved."""
    how: str = request.param
    return how


@pytest.fixture
def observer() -> RecordingObserver:
    """Hears what happens in all sessions of a test."""
    return RecordingObserver()


@pytest.fixture
def operation(move: str, observer: RecordingObserver) -> Iterator[dict[str, Any]]:
    """How the apps are operated. Where they are to be moved, they were: else the tests prove nothing of that."""
    if not move:
        yield {}
        return
    yield {"store": MemoryStore(), "limits": Limits(moves_always=True), "observer": observer}
    events, moves = len(observer.told("event_handled")), len(observer.told("session_woken"))
    # the last event of each session may be too late for its move
    assert moves >= events - len(observer.told("session_opened")), f"{moves} moves after {events} events"
    assert set(observer.labels("session_restored")) <= {"same"}
    assert not {"pinned", "too_large"} & set(observer.labels("snapshot_made"))
