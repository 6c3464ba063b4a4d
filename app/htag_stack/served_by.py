"""The outermost ASGI layer: who served an answer, how long it took, and the path prefix of the app."""

import platform
import time
from collections.abc import Awaitable, Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from htag_stack.slots import slot_of

HEADER = "X-Htag-Served-By"
UNMATCHED = "unmatched"

Answered = Callable[[str, str, int, float], None]
"""Told of each answer as it begins: route name, method, status, seconds since the request."""


class Place:
    """Where a request is served: the container's host name and the slot, which the port tells that it came in by."""

    def __init__(self, port: int, slots: int) -> None:
        self.host = platform.node()
        self._port = port
        self._slots = slots

    def __call__(self, scope: Scope) -> tuple[str, int]:
        """(host name, slot)"""
        server = scope.get("server")
        return self.host, slot_of(server[1] if server else None, self._port, self._slots)


class ServedBy:
    """Adds `X-Htag-Served-By: host:slot` to HTTP answers and WebSocket handshakes, and tells `answered` of each.

    The same text is in `request.state.served_by`. `root_path` is set without touching the path, which Starlette
    understands whether or not the proxy has stripped the prefix.
    """

    def __init__(self, app: ASGIApp, place: Place, answered: Answered, root_path: str = "") -> None:
        self._app = app
        self._place = place
        self._answered = answered
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        host, slot = self._place(scope)
        served_by = f"{host}:{slot}"
        scope["state"] = {**scope.get("state", {}), "served_by": served_by}
        if self._root_path:
            scope["root_path"] = self._root_path

        begun = False

        def send_marked(message: Message) -> Awaitable[None]:  # it awaits nothing: a message has no frame more for it
            nonlocal begun
            if not begun:
                begun = True  # whatever comes first begins the answer
                self._mark(message, served_by)
                self._answered(
                    _route_name(scope), scope.get("method", "GET"), _status(message), time.perf_counter() - started
                )
            return send(message)

        await self._app(scope, receive, send_marked)

    def _mark(self, message: Message, served_by: str) -> None:
        if message["type"] != "websocket.close":  # which has no headers
            message.setdefault("headers", [])
            MutableHeaders(scope=message)[HEADER] = served_by


def _status(message: Message) -> int:
    """The status that a client sees when an answer begins with `message`."""
    if message["type"] == "websocket.accept":
        return 101
    return int(message.get("status", 403))  # a WebSocket that is closed before it is accepted


def _route_name(scope: Scope) -> str:
    """The name of the matched route; a mounted app's own routes replace the mount's as they match."""
    return getattr(scope.get("route"), "name", None) or UNMATCHED
