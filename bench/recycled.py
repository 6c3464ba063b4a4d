"""A crowd comes and leaves at one worker of the program under gunicorn, which is replaced; and the crowd comes back.

    .venv/bin/python -m bench.recycled [--sessions 5000] [--times 2]

Told is the private memory of the worker: before, with the crowd, when all are parked, and after a fresh one took the
place of one that was mostly empty (`HTAG_RECYCLE_SECONDS`). Then all click once more, and their counters must have gone
on.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import uvloop

from bench.environments import ROOT
from bench.parked import Crowd
from bench.server import free_port, wait_until_it_listens

COMMAND = [sys.executable, "-m", "gunicorn", "--config", "python:htag_stack.gunicorn_conf"]
SETTINGS = {
    "HTAG_APP": "measured_app:Small",
    "WEB_CONCURRENCY": "1",
    "HTAG_SESSION_NEW_SECONDS": "30",
    "HTAG_SESSION_GRACE_SECONDS": "1",
    "HTAG_RECYCLE_SECONDS": "5",
    "HTAG_MAX_SESSIONS": "20000",
    "HTAG_NEWCOMERS_PER_SECOND": "10000",
    "HTAG_NEWCOMERS_BURST": "10000",
}
REPLACED_SECONDS = 60.0  # the patience is up to 7.5, and memory is looked at now and then
SETTLED_SECONDS = 5.0  # after its start, a worker has done what it does once
WARM_UP = 50
MIB = 1 << 20


class Worker:
    """The only worker of a gunicorn, whichever process it is just now."""

    def __init__(self, gunicorn: psutil.Popen, port: int) -> None:
        self.port = port  # of its slot
        self._gunicorn = gunicorn

    @property
    def process(self) -> psutil.Process:
        """The process that serves: the latest."""
        return max(self._gunicorn.children(), key=psutil.Process.create_time)

    def memory(self) -> int:
        """Bytes of private memory."""
        return int(self.process.memory_full_info().uss)

    async def replaced(self, former: int) -> None:
        """Wait until another process than `former` serves. Raises TimeoutError."""
        async with asyncio.timeout(REPLACED_SECONDS):
            while self.process.pid == former or len(self._gunicorn.children()) > 1:  # noqa: ASYNC110 — other processes set no event
                await asyncio.sleep(0.2)
        await asyncio.sleep(SETTLED_SECONDS)


@contextmanager
def served() -> Iterator[Worker]:
    """The program, with the small measured app and a SQLite file as its store."""
    base = free_port()
    path = os.pathsep.join(str(ROOT / folder) for folder in ("", "app", "bench"))
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        store = {"HTAG_STORE": f"sqlite:///{folder}/htag.db", "HTAG_PORT": str(base), "PYTHONPATH": path}
        gunicorn = psutil.Popen(COMMAND, cwd=folder, env={**os.environ, **SETTINGS, **store}, stdout=log, stderr=log)
        try:
            wait_until_it_listens(gunicorn, base + 1, COMMAND)
            yield Worker(gunicorn, base + 1)
        finally:
            gunicorn.terminate()
            gunicorn.wait()


async def measure(worker: Worker, sessions: int, times: int) -> None:
    """Print a line for each time. Raises where a session has not come back as it was."""
    crowd = Crowd(worker)
    await crowd.arrive(WARM_UP)
    await crowd.leave()
    await asyncio.sleep(SETTLED_SECONDS)
    start = worker.memory()
    print(f"MiB before: {start / MIB:.1f}")
    await crowd.arrive(sessions)
    for time_ in range(1, times + 1):
        full, former = worker.memory(), worker.process.pid
        await crowd.leave()
        parked, began = worker.memory(), time.monotonic()
        await worker.replaced(former)
        left = worker.memory()
        told = f"{full / MIB:.1f} with {sessions:,}, {parked / MIB:.1f} when they are parked"
        print(f"time {time_}: {told}, {left / MIB:.1f} = {left / start:.2f} x after {time.monotonic() - began:.0f} s")
        await crowd.come_back(time_ + 1)
    print(f"all {sessions:,} came back {times} times, and their counters had gone on")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.recycled", description=__doc__)
    parser.add_argument("--sessions", type=int, default=5000)
    parser.add_argument("--times", type=int, default=2)
    chosen = parser.parse_args()
    with served() as worker:
        uvloop.run(measure(worker, chosen.sessions, chosen.times))


if __name__ == "__main__":
    main()
