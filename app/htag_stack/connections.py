"""uvicorn's protocols, without the circles of garbage that a connection leaves.

An HTTP connection that ends lets go of everything. One that becomes a WebSocket never ends for its HTTP protocol: that
stays behind with its parser, which refer to each other, 4 KiB for as long as the garbage collector does not look. So do
5 KiB of the WebSocket itself when it ends; where it was refused for an error, 15 KiB with all that was going on.
"""

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from htag.websocket_protocol import FairWebSocketProtocol

if TYPE_CHECKING:
    _Protocol = FairWebSocketProtocol
else:
    _Protocol = object


class HttpProtocol(HttpToolsProtocol):
    """HTTP, until a WebSocket takes the connection over."""

    def handle_websocket_upgrade(self) -> None:
        """The parser has done its work: it would keep this protocol, and this the parser."""
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]  # as uvicorn itself does when a connection is lost


class EndsWhole(_Protocol):
    """For a WebSocket protocol: nothing of a connection outlives it."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Every connection ends here, whether it was refused or closed."""
        super().connection_lost(exc)
        self.conn.parser.close()  # a generator that waits for more, and refers to the connection that holds it
        for error in (self.conn.handshake_exc, self.conn.parser_exc):
            if error is not None:
                error.__traceback__ = None  # it holds frames, and one of them the error


class WebSocketProtocol(EndsWhole, FairWebSocketProtocol):
    """A WebSocket."""
