"""Which container and slot served an answer: the header `X-Htag-Served-By: host:slot`, and nginx's name for it."""

import platform
import re
from hashlib import md5

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope

from htag_stack.slots import slot_of

HEADER = "X-Htag-Served-By"
ROUTE = "X-Htag-Route"
# A tab that does not want the slot that its cookie names (nginx/templates/htag.conf.template).
ASKS_FOR_A_SLOT = re.compile(rb"(?:^|&)(?:elsewhere|at)=")


class Place:
    """Finds where a request is served: the container's host name, and the slot by the port that the request came to."""

    def __init__(self, port: int, slots: int) -> None:
        """`port`: of the settings, one below the first slot's. `slots`: how many."""
        self.host = platform.node()
        self._port = port
        self._slots = slots

    def __call__(self, scope: Scope) -> tuple[str, int]:
        """(host name, slot) of the request that `scope` describes."""
        server = scope.get("server")
        return self.host, slot_of(server[1] if server else None, self._port, self._slots)

    def label(self, scope: Scope) -> str:
        """`host:slot`, the header's text."""
        host, slot = self(scope)
        return f"{host}:{slot}"


def add_header(message: Message, label: str) -> None:
    """Put the header into `message`, the first one of an answer or of a handshake's."""
    if message["type"] != "websocket.close":  # which has no headers
        message.setdefault("headers", [])
        MutableHeaders(scope=message)[HEADER] = label


def route_to_tell(scope: Scope) -> str | None:
    """The route that nginx is to bind the browser to; None: it is bound already, as nginx does it by itself.

    It is what nginx's sticky cookie calls the address to which it has connected.
    """
    if not ASKS_FOR_A_SLOT.search(scope["query_string"]) or (server := scope.get("server")) is None:
        return None
    host, port = server
    return md5(f"{host}:{port}".encode(), usedforsecurity=False).hexdigest()


def add_route(message: Message, route: str) -> None:
    """Put the route into `message`, the first one of an answer that serves: who is refused is not to be bound."""
    if message["type"] == "websocket.accept" or message.get("status") == 200:
        MutableHeaders(scope=message)[ROUTE] = route
