"""Real servers: within the test's own process, in a thread or in the test's event loop; and whether one answers."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import requests
import uvicorn

from tests.support.waiting import PATIENCE, eventually, passed, until


def serves(url: str) -> bool:
    """Whether a GET of `url` is answered with 200; False too where nothing listens yet."""
    try:
        return requests.get(url, timeout=10).status_code == 200
    except requests.ConnectionError:
        return False


async def stop_accepting(server: asyncio.Server) -> None:
    """Close `server`, but not in the turn of the loop in which it has accepted a connection.

    asyncio of Python 3.11 makes that connection's transport a turn later, refuses to since the server is closed, and
    leaves it to the garbage collector: its warning of a socket that was not closed is an error in some later test.
    """
    loop = asyncio.get_running_loop()
    if isinstance(loop, asyncio.SelectorEventLoop):  # uvloop makes the transport at once
        for listener in server.sockets:
            loop.remove_reader(listener.fileno())
        await passed(0)
    server.close()


class UnsignalledServer(uvicorn.Server):
    """A uvicorn that leaves the process's signals to pytest, and says which port it has."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting first: tests ask again and again until a server has ended."""
        for server in self.servers:
            await stop_accepting(server)
        await super().shutdown(sockets)

    @property
    def port(self) -> int:
        return int(self.servers[0].sockets[0].getsockname()[1])


@contextmanager
def served_in_thread(app: Any, port: int = 0) -> Iterator[str]:
    """Serve `app` from a thread, on a free port if none is given. Yields the URL, without a slash at its end."""
    config = uvicorn.Config(
        app,
        port=port,
        ws="websockets-sansio",
        log_level="critical",  # a stream that is cut at shutdown is logged as an error
        timeout_graceful_shutdown=1,  # without it, an open stream keeps the server from ending
    )
    server = UnsignalledServer(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive(), "the server")
        assert thread.is_alive(), "the server ended while it started"
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
    assert not thread.is_alive(), "the server has not ended"


@asynccontextmanager
async def served_in_loop(app: Any, **options: Any) -> AsyncIterator[UnsignalledServer]:
    """Serve `app` from this event loop, on a free port; `options` go to `uvicorn.Config`. Yields the server."""
    server = UnsignalledServer(uvicorn.Config(app, **{"port": 0, "log_config": None, "lifespan": "off", **options}))
    serving = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started)
        yield server
    finally:
        server.should_exit = True
        await serving
