"""`tests.support.servers`: a server that ends leaves nothing that another test would be told of."""

import asyncio
import gc
import socket
import warnings
from collections.abc import Awaitable, Callable

from tests.support.servers import stop_accepting
from tests.support.waiting import passed


async def closed_as_it_accepts(stop: Callable[[asyncio.Server], Awaitable[None]], turns: int) -> None:
    """Have a connection accepted, and the server stopped `turns` of the loop after the connection was asked for."""
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()):
        for _ in range(turns):
            await asyncio.sleep(0)
        await stop(server)
        await passed(0)
    await passed(0.01)


def left_by(stop: Callable[[asyncio.Server], Awaitable[None]]) -> list[str]:
    """What is said of sockets left open, in whichever turn the server is stopped."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for turns in range(5):
            asyncio.run(closed_as_it_accepts(stop, turns))
            gc.collect()
    return [str(each.message) for each in said]


def test_a_connection_that_is_accepted_as_the_server_stops_is_not_left_open() -> None:
    assert left_by(stop_accepting) == []
