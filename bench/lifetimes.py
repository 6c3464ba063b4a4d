"""Many sessions opened, used and expired, again and again: where the server's memory settles."""

import asyncio
import http.client
import re
import time

from bench.environments import Candidate
from bench.server import Server
from bench.visitors import Visitor, open_page

GRACE_SECONDS = 2.0  # long enough that no session goes between its page and its WebSocket
STORED_SECONDS = 3.0  # for which the store keeps a session, where it is to forget those of a cycle before the next
GONE_SECONDS = 60.0  # then the sessions are not going to go


def memory_after_each_cycle(candidate: Candidate, sessions: int, cycles: int, *, forgets: bool = True) -> list[int]:
    """Private bytes of the server: before the first cycle, then whenever all sessions of a cycle have expired.

    `forgets`: the store of the deployed program, which is in its memory, has forgotten them as well. Else it keeps them
    for a day, as it does by itself.
    """
    options = ["--stored", str(STORED_SECONDS)] if forgets else []
    with Server(candidate, "--grace", str(GRACE_SECONDS), *options) as server, asyncio.Runner() as runner:
        memory = [server.memory()]
        for _ in range(cycles):
            runner.run(_live_and_leave(server.port, sessions))
            _wait_until_all_are_gone(server, parked_too=forgets)
            memory.append(server.memory())
        return memory


async def _live_and_leave(port: int, sessions: int) -> None:
    visitors = [await Visitor.connect(port, (await open_page(port)).cookie) for _ in range(sessions)]
    for visitor in visitors:
        await visitor.click()
    for visitor in visitors:
        visitor.close()


def _wait_until_all_are_gone(server: Server, *, parked_too: bool) -> None:
    deadline = time.monotonic() + GONE_SECONDS
    while left := _sessions(server.port, parked_too=parked_too):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {GONE_SECONDS:.0f} s there are still {left} sessions")
        time.sleep(0.1)


def _sessions(port: int, *, parked_too: bool) -> int:
    """As the deployed program tells it, and `serve.py` where it serves something else. `parked_too`: those count that
    are in the store only."""
    states = r".*" if parked_too else r"(?!parked).*"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        here = re.findall(rf"^htag_sessions{{state=\"{states}}} (.*)$", text, re.MULTILINE)
        return sum(int(float(number)) for number in here)
    finally:
        connection.close()
