"""uvicorn's HTTP protocol, without the reference cycle that an upgraded connection leaves."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class HttpProtocol(HttpToolsProtocol):
    """Speaks HTTP, until a WebSocket takes the connection over.

    An HTTP connection that ends lets go of everything. One that becomes a WebSocket never ends for its HTTP protocol,
    which stays behind with its parser: they refer to each other, 4 KiB for as long as the garbage collector does not
    look.
    """

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, and drop the parser: it refers to this protocol, and this protocol to it."""
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]  # as uvicorn itself does when a connection is lost
