"""Free ports for servers that tests start."""

import contextlib
import random
import socket

RANGE = range(22000, 30000, 4)  # below the ports that the kernel hands out by itself


def free_port() -> int:
    """Return a port that no server listens on at this moment."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return `count` different ports that no server listens on at this moment."""
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(listener.getsockname()[1]) for listener in listeners]


def free_run(count: int) -> int:
    """Return a port P, chosen at random: P to P + `count` - 1 are free at this moment. At most four."""
    assert count <= RANGE.step
    for first in random.sample(RANGE, 20):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + count):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            return first
    raise RuntimeError(f"no {count} free ports in a row")
