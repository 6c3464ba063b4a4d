"""A candidate's server process, and what it used: CPU seconds and private memory."""

import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from bench.environments import Candidate

SCRIPTS = Path(__file__).parent
START_SECONDS = 30.0  # importing everything on a busy two-core machine takes two to five


class Server:
    """Runs while it is entered. `options` go to the candidate's script."""

    def __init__(self, candidate: Candidate, *options: str) -> None:
        self.port = free_port()
        script = str(SCRIPTS / candidate.script)
        own = [*candidate.options, *options]
        self._command = [candidate.python, script, candidate.serves, "--port", str(self.port), *own]

    def __enter__(self) -> Self:
        # away from the project's root: published htag's Python must not find our htag/ there
        self._process = psutil.Popen(self._command, cwd="/")
        wait_until_it_listens(self._process, self.port, self._command)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def cpu_seconds(self) -> float:
        """What the process has used so far, user and system: as the scheduler counts it, in nanoseconds, where it says
        so; the usual count is one of ticks of 10 ms, as long as twenty small pages."""
        try:
            threads = Path(f"/proc/{self._process.pid}/task").iterdir()
            return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
        except FileNotFoundError:
            used = self._process.cpu_times()
            return float(used.user + used.system)

    def memory(self) -> int:
        """Bytes that would be free if the process ended: private pages, so no shared library counts."""
        return int(self._process.memory_full_info().uss)


def wait_until_it_listens(process: psutil.Popen, port: int, command: list[str]) -> None:
    """Wait until `process` accepts connections. Raises where it ends instead, or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if (code := process.poll()) is not None:
            raise subprocess.CalledProcessError(code, command)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{command} did not listen within {START_SECONDS:.0f} s")


def free_port() -> int:
    """Return a free port of the loopback interface. The bench runs without tests/, so not by tests/support/ports.py."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
