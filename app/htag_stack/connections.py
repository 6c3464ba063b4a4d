"""uvicorn's HTTP protocol, without the circle of garbage that a connection leaves."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class HttpProtocol(HttpToolsProtocol):
    """HTTP, until a WebSocket takes the connection over.

    An HTTP connection that ends lets go of everything. One that becomes a WebSocket never ends for its HTTP protocol,
    which stays behind with its parser: they refer to each other, 4 KiB for as long as the garbage collector does not
    look.
    """

    def handle_websocket_upgrade(self) -> None:
        """The parser has done its work: it would keep this protocol, and this the parser."""
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]  # as uvicorn itself does when a connection is lost
