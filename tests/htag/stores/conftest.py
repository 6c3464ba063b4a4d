"""The stores, each as often opened as a test wants: as several workers do."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from htag.stores import SESSION_SECONDS, open_store
from htag.stores.base import Store
from htag.stores.memory import MemoryStore
from tests.support.engine import need_engine
from tests.support.stores import Opener
from tests.support.valkey import ValkeyServer


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[ValkeyServer]:
    """One server for all tests that do it no harm."""
    need_engine()
    server = ValkeyServer()
    yield server
    server.end()


@pytest.fixture
def valkey_url(valkey_server: ValkeyServer) -> str:
    return valkey_server.url


@pytest.fixture
async def openers(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[dict[str, Callable[[], Opener]]]:
    """By kind of store."""
    async with AsyncExitStack() as stack:

        def at(url: str) -> Opener:
            def open_one(seconds: float = SESSION_SECONDS) -> Store:
                store = open_store(url, seconds)
                stack.push_async_callback(store.close)
                return store

            return open_one

        def memory() -> Opener:
            shared = MemoryStore()
            return lambda seconds=SESSION_SECONDS: shared

        yield {
            "memory": memory,
            "sqlite": lambda: at(f"sqlite:///{tmp_path}/data/sessions.db"),
            "valkey": lambda: at(request.getfixturevalue("valkey_url")),
        }


@pytest.fixture(params=["memory", "sqlite", "valkey"])
def opened(request: pytest.FixtureRequest, openers: dict[str, Callable[[], Opener]]) -> Opener:
    return openers[request.param]()


@pytest.fixture(params=["sqlite", "valkey"])
def persistent(request: pytest.FixtureRequest, openers: dict[str, Callable[[], Opener]]) -> Opener:
    """The stores that another process can open."""
    return openers[request.param]()


@pytest.fixture
def store(opened: Opener) -> Store:
    return opened()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A session id of this test's own: the tests share one Valkey."""
    return f"{request.node.name}-{time.time_ns()}"
