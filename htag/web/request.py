"""The request that a message came with: Starlette's object for the app, and what the address says of the tab."""

import re
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.websockets import WebSocket

from htag.web.asgi import Receive, Scope, Send, header
from htag.wire.messages import Hello

LONGEST_QUERY = 2000  # bytes that are looked at; a tab says 200, and 60 000 would take 7 ms each time
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
    name = header(scope["headers"], b"x-htag-tab") or "" if posted else _said(scope).get("tab", ("",))[0]
    return name if TAB_NAME.fullmatch(name) else ""


def hello(scope: Scope) -> Hello:
    """Return what the tab says of itself in the address. What is no number there counts as not said."""
    said = _said(scope)
    revision = _number(said, "rev")
    if _number(said, "v") != 2:
        return Hello(1, revision)
    oldest = max(1, _number(said, "from") or 1)
    following = max(oldest, _number(said, "next") or 1)
    done = _number(said, "done")
    session = said.get("session", ("",))[0]
    insists = _number(said, "insist") == 1
    return Hello(2, revision, oldest, following, oldest - 1 if done is None else done, insists, session)


def revision_shown(scope: Scope) -> int | None:
    """Return the revision that the tab's page shows, if it says so."""
    return _number(_said(scope), "rev")


def _said(scope: Scope) -> dict[str, list[str]]:
    return parse_qs(scope.get("query_string", b"")[:LONGEST_QUERY].decode("latin-1"))


def _number(said: dict[str, list[str]], name: str) -> int | None:
    """Return the first value of a parameter in the address, if that is a number."""
    value = said.get(name, ("",))[0]
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 16 else None
