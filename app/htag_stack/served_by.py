"""Which container and slot served an answer: the header `X-Htag-Served-By: host:slot`."""

import platform

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope

from htag_stack.slots import slot_of

HEADER = "X-Htag-Served-By"


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
