"""The request that a message came with: Starlette's object for the app, and what the address says of the tab."""

from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.websockets import WebSocket

from htag.web.asgi import Receive, Scope, Send


class LazyRequest:
    """What `tag.request` is: Starlette's object for the connection, made when the app first asks for it."""

    __slots__ = ("_made", "_receive", "_scope", "_send")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._made: WebSocket | Request | None = None

    def __call__(self) -> WebSocket | Request:
        if self._made is None:
            kind = WebSocket if self._scope["type"] == "websocket" else Request
            self._made = kind(self._scope, self._receive, self._send)
        return self._made

    def close(self) -> None:
        """Let go of the closed connection: the session may keep this, but not what the server had for it."""
        self._receive = self._send = _closed


async def _closed(*message: Any) -> Any:
    raise RuntimeError("this connection is closed")


def revision_shown(scope: Scope) -> int | None:
    """The revision that the tab's page shows, if it says so."""
    values = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("rev", ())
    return int(values[0]) if values and values[0].isascii() and values[0].isdecimal() and len(values[0]) < 16 else None
