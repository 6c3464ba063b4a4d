"""WebSockets of clients that do not read: uvicorn keeps what it has written to them for as long as TCP does.

It closes a connection only after all that was written has left, which takes a quarter of an hour where the other side
sleeps or is gone, and for ever where it does not want to read. So a connection that is closed while its other side does
not read is cut.
"""

from collections.abc import Awaitable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

LEAVING = 10.0  # seconds for the last that was written to leave; uvicorn waits as long for the answer to a close frame


class CutsUnread(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, except that closing also frees what is not read."""

    def send(self, message: Any) -> Awaitable[None]:  # type: ignore[override]  # awaited, like a coroutine
        """Send `message`; but cut the connection where it should close and cannot be told."""
        if message["type"] == "websocket.close" and not self.writable.is_set():
            self.transport.abort()
            return _nothing()
        return super().send(message)

    def keepalive_timeout(self) -> None:
        """Cut the connection: no pong came, so our ping was not read."""
        super().keepalive_timeout()
        self.transport.abort()

    async def run_asgi(self) -> None:
        """Run the application. What it has written last has some time to leave."""
        await super().run_asgi()
        if self.transport.get_write_buffer_size():
            self.loop.call_later(LEAVING, self.transport.abort)


async def _nothing() -> None:
    """There is nothing to wait for."""
