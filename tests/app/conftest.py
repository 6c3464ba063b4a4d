"""Fixtures of the program's tests: an environment without settings, and real server processes."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from htag_stack import startup
from tests.app.processes import Server, Start
from tests.support.ports import free_run


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever runs the tests may have settings in their environment."""
    for name in os.environ:
        if name.startswith("HTAG_") or name in ("WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS"):
            monkeypatch.delenv(name)
    startup.prepare.cache_clear()
    yield
    startup.prepare.cache_clear()


@pytest.fixture
def free_base() -> int:
    """A port P for HTAG_PORT: P, P + 1 and P + 2 are free at this moment. Any, so that two runs rarely meet."""
    return free_run(3)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `python -m COMMAND …` in an empty folder with the given settings; ended with the test."""
    with contextlib.ExitStack() as stack:

        def start_one(*command: str, **settings: str) -> Server:
            server = Server(list(command), tmp_path, **settings)
            stack.callback(server.close)
            return server

        yield start_one
