"""The end of a WebSocket under uvicorn, of which a circle of garbage would stay: 5 KiB for each connection.

Its parser is a generator, which waits for more to come and refers to the connection that holds it. Nothing tells it
that nothing will. (A circle with a generator in it is not among what `gc.DEBUG_SAVEALL` shows.)
"""

import asyncio
from types import GeneratorType
from typing import Any

FIRST_SECONDS = 0.5  # a browser's end of the connection is closed within a round trip
LAST_SECONDS = 32.0  # uvicorn gives a browser that does not answer ten, and is asked again at 0.5, 1, 2, … seconds


def end_parser(receive: Any) -> None:
    """To be called with a WebSocket's `receive` when the application is through with it.

    Where that is not uvicorn's own (another server, a layer in between, a protocol of ours), it does nothing.
    """
    protocol = getattr(receive, "__self__", None)
    if hasattr(protocol, "connection_ends_whole"):
        return  # waiting for its end would keep it
    if type(_parser(protocol)) is GeneratorType and hasattr(protocol, "disconnected"):
        asyncio.get_running_loop().call_soon(_end_if_lost, protocol, FIRST_SECONDS)


def _end_if_lost(protocol: Any, seconds: float) -> None:
    """End the parser as soon as there is nothing more to parse: the other side may not have said good-bye yet."""
    if protocol.disconnected:
        _parser(protocol).close()
    elif seconds <= LAST_SECONDS:
        asyncio.get_running_loop().call_later(seconds, _end_if_lost, protocol, 2 * seconds)


def _parser(protocol: Any) -> Any:
    return getattr(getattr(protocol, "conn", None), "parser", None)
