"""The request that a message came with: Starlette's object for the app, and what the address says of the tab."""

import re
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.websockets import WebSocket

from htag.web.asgi import Receive, Scope, Send, header

TAB_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # ours has 20 characters


class LazyRequest:
    """Makes Starlette's object for a connection when the app first asks for it, by `tag.request`."""

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


def tab_name(scope: Scope) -> str:
    """Return the name that the tab gave itself: in a header of its POST, or in the address of its connection. "": it
    gave none, as clients that know wire version 1 only, or one that cannot be a name."""
    posted = scope.get("method") == "POST"
    name = header(scope["headers"], b"x-htag-tab") or "" if posted else _query(scope, "tab")
    return name if TAB_NAME.fullmatch(name) else ""


def revision_shown(scope: Scope) -> int | None:
    """Return the revision that the tab's page shows, if it says so."""
    value = _query(scope, "rev")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 16 else None


def _query(scope: Scope, name: str) -> str:
    """Return the first value of a parameter in the address, or ""."""
    return parse_qs(scope.get("query_string", b"").decode("latin-1")).get(name, ("",))[0]
