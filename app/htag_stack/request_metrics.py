"""What is counted of each answer: its route's name, its method and its status, at the moment in which it begins."""

import time
from collections.abc import Callable

from starlette.types import Message, Scope

UNMATCHED = "unmatched"

Answered = Callable[[str, str, int, float], None]
"""Called with each answer as it begins: route name, method, status, seconds since the request."""


def report(answered: Answered, scope: Scope, message: Message, started: float) -> None:
    """Call `answered` for the answer that begins with `message`. `started`: the request's time.perf_counter()."""
    method = scope.get("method", "GET")  # a WebSocket's handshake is a GET
    answered(_route_name(scope), method, _status(message), time.perf_counter() - started)


def _route_name(scope: Scope) -> str:
    """The name of the matched route; a mounted app's own routes replace the mount's as they match."""
    return getattr(scope.get("route"), "name", None) or UNMATCHED


def _status(message: Message) -> int:
    """The status that a client sees when an answer begins with `message`."""
    if message["type"] == "websocket.accept":
        return 101
    return int(message.get("status", 403))  # a WebSocket that is closed before it is accepted
