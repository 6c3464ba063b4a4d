"""Any ASGI application on a real port, in the test's own event loop, to be stopped, killed and started again there."""

import asyncio
import socket
from typing import Any

import uvicorn

from tests.support.servers import UnsignalledServer, stop_accepting
from tests.support.waiting import until


class Serving:
    """`app` on a port of its own, under `prefix` as the app itself has it."""

    def __init__(self, app: Any, prefix: str = "") -> None:
        self.app = app
        self.prefix = prefix
        self.port = 0

    async def start(self) -> None:
        """Listen: the first time on a free port, then on the same one."""
        config = uvicorn.Config(
            self.app, interface="asgi3", log_config=None, lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = UnsignalledServer(config)
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        await until(lambda: self._server.started)

    async def stop(self) -> None:
        """Orderly: WebSockets are closed with 1012. A second stop does nothing."""
        self._server.should_exit = True
        await self._task

    async def die(self) -> None:
        """As after `kill -9`: connections break without a word, and none is served from then on."""
        for listening in self._server.servers:
            await stop_accepting(listening)  # or a page that comes again at once would be served by a dead server
        self._server.should_exit = True
        while not self._task.done():
            self.cut()  # also what was being accepted
            await asyncio.sleep(0.01)
        await self._task

    def cut(self) -> None:
        """Break all connections, go on listening."""
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()

    @property
    def stopping(self) -> bool:
        """Whether streams should end."""
        return self._server.should_exit

    @property
    def url(self) -> str:
        """Of the page."""
        return f"http://127.0.0.1:{self.port}{self.prefix}/"
