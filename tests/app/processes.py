"""The deployed program as real processes: a server and all that it says, gunicorn with its workers."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.app.visiting import is_live
from tests.support.source import ROOT
from tests.support.waiting import PATIENCE, eventually

STACK = ROOT / "app" / "htag_stack"
SECRET = "a secret of more than thirty-two characters"
GUNICORN = ("gunicorn", "--config", "python:htag_stack.gunicorn_conf")


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


class Stack:
    """gunicorn with two workers, once both serve."""

    def __init__(self, server: Server, base: int) -> None:
        self.server = server
        self.ports = [base + 1, base + 2]
        for port in self.ports:
            eventually(lambda port=port: is_live(port) or server.process.poll() is not None, f"port {port} serves")
        assert server.process.poll() is None, server.stderr()
