"""Fixtures of the program's tests: an environment without settings, and real server processes."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from htag_stack import startup
from tests.support.ports import free_run
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
STACK = ROOT / "app" / "htag_stack"
SECRET = "a secret of more than thirty-two characters"


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


class Server:
    """A server process of ours and all that it said."""

    def __init__(self, command: list[str], folder: Path, apps: str | None = None, **settings: str) -> None:
        """`apps`: the folder with the app's module, `folder` itself if it is not given."""
        path = [str(ROOT), str(ROOT / "app"), apps or str(folder)]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(path), **settings}
        self.out = (folder / "stdout").open("w+")
        self.err = (folder / "stderr").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=environment,
            stdout=self.out,
            stderr=self.err,
            start_new_session=True,
        )

    def stdout(self) -> str:
        self.out.seek(0)
        return self.out.read()

    def stderr(self) -> str:
        self.err.seek(0)
        return self.err.read()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Wait for the end; the exit code."""
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # its own session: the arbiter and its workers, nothing else
        self.process.wait()
        self.out.close()
        self.err.close()


Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `python -m COMMAND …` in an empty folder with the given settings; ended with the test."""
    with contextlib.ExitStack() as stack:

        def start_one(*command: str, **settings: str) -> Server:
            server = Server(list(command), tmp_path, **settings)
            stack.callback(server.close)
            return server

        yield start_one
