"""Many sessions opened, used and expired, again and again: where the server's memory settles."""

import asyncio
import http.client
import re
import time

from bench.environments import Candidate
from bench.server import Server
from bench.visitors import Visitor, open_page

GRACE_SECONDS = 2.0  # long enough that no session goes between its page and its WebSocket
GONE_SECONDS = 60.0  # then the sessions are not going to go


def memory_after_each_cycle(candidate: Candidate, sessions: int, cycles: int) -> list[int]:
    """Private bytes of the server: before the first cycle, then whenever all sessions of a cycle have expired."""
    with Server(candidate, "--grace", str(GRACE_SECONDS)) as server, asyncio.Runner() as runner:
        memory = [server.memory()]
        for _ in range(cycles):
            runner.run(_live_and_leave(server.port, sessions))
            _wait_until_all_are_gone(server)
            memory.append(server.memory())
        return memory


async def _live_and_leave(port: int, sessions: int) -> None:
    visitors = [await Visitor.connect(port, (await open_page(port)).cookie) for _ in range(sessions)]
    for visitor in visitors:
        await visitor.click()
    for visitor in visitors:
        visitor.close()


def _wait_until_all_are_gone(server: Server) -> None:
    deadline = time.monotonic() + GONE_SECONDS
    while left := _sessions(server.port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {GONE_SECONDS:.0f} s there are still {left} sessions")
        time.sleep(0.1)


def _sessions(port: int) -> int:
    """As the deployed program tells it, and `serve.py` where it serves something else."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        here = re.findall(r"^htag_sessions{state=\"(?!parked).*} (.*)$", text, re.MULTILINE)  # those take no memory
        return sum(int(float(number)) for number in here)
    finally:
        connection.close()
