"""The apps are used as people use them: several browsers, each with its own session, on each of three transports; and
once more with each session moved after each of its events, as if its worker had been replaced."""

from typing import Any

import pytest

from htag.limits import Limits
from htag.stores.memory import MemoryStore
from tests.support.visits import Serve, serve, transport, visits

__all__ = ["Serve", "serve", "transport", "visits"]


@pytest.fixture(params=["", "always"], ids=["stays", "moves"])
def move(request: pytest.FixtureRequest) -> str:
    """Whether sessions are moved."""
    how: str = request.param
    return how


@pytest.fixture
def operation(move: str) -> dict[str, Any]:
    """How the apps are operated."""
    return {"store": MemoryStore(), "limits": Limits(moves_always=True)} if move else {}
