"""What happens to workers: killed, frozen, thawed. From inside of their container, as children of process 1."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.engine import docker

_CHILDREN = """
import os
def parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[1]
def command(pid):
    with open(f"/proc/{pid}/cmdline") as file:
        return file.read()
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        if parent(pid) == "1" and "gunicorn" in command(pid):
            print(pid)
    except OSError:
        pass  # it has ended meanwhile
"""


def workers(container: str) -> list[int]:
    """The pids of a container's workers, as the container numbers them."""
    return sorted(map(int, docker("exec", container, "python", "-c", _CHILDREN).split()))


def send(container: str, pid: int, number: str) -> None:
    """Send a signal, such as KILL. One that has ended meanwhile is what was wanted."""
    program = (
        f"import os, signal, contextlib as c\nwith c.suppress(ProcessLookupError): os.kill({pid}, signal.SIG{number})"
    )
    docker("exec", container, "python", "-c", program)


def kill_any(containers: list[str]) -> None:
    """`kill -9` a worker, whichever."""
    container = random.choice(containers)
    if pids := workers(container):
        send(container, random.choice(pids), "KILL")


@contextmanager
def frozen(container: str, pid: int) -> Iterator[None]:
    """A worker that does nothing meanwhile, while its kernel goes on accepting for it."""
    send(container, pid, "STOP")
    try:
        yield
    finally:
        send(container, pid, "CONT")


VALKEY = "valkey/valkey:8.1"  # as docker-compose.yml has it


def keep_a_copy(valkey: str) -> None:
    """Copy what the container `valkey` has stored, beside it."""
    docker("exec", valkey, "cp", "-a", "/data/appendonlydir", "/data/earlier")


def put_the_copy_back(valkey: str) -> None:
    """Let the container, which does not run, have stored what it had when the copy was made; as its own user."""
    swap = "rm -r /data/appendonlydir && mv /data/earlier /data/appendonlydir"
    docker("run", "--rm", "--user", "valkey", "--volumes-from", valkey, VALKEY, "sh", "-c", swap)
