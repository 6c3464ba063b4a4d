"""`htag_stack.connections`: nothing of a connection outlives it, though the garbage collector never looks."""

import asyncio
import gc
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import pytest
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.server import ServerProtocol

from htag import Tag, WebApp
from htag.websocket_protocol import FairWebSocketProtocol
from htag_stack.connections import HttpProtocol
from tests.support.servers import served_in_loop
from tests.support.waiting import patience, until

KINDS = (HttpToolsProtocol, WebSocketsSansIOProtocol, ServerProtocol)
TIMES = 3
CLICK = b"\x81\x80\0\0\0\0"  # an empty text: not a message of ours, and answered by nothing
GOODBYE = b"\x88\x82\0\0\0\0\x03\xe8"
NONSENSE = b"\xff\xff\xff\xff\xff\xff"
NOT_UTF8 = b"\x81\x82\0\0\0\0\xff\xfe"


class Page(Tag.App):
    """One page for all."""

    def init(self) -> None:
        self.add(Tag.button("+", _onclick=lambda event: None))


class Connection:
    """The client's side."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> "Connection":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._writer.close()

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    def abort(self) -> None:
        self._writer.transport.abort()

    async def ask(self, path: str, *headers: str) -> bytes:
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}", f"Origin: http://127.0.0.1:{self._port}"]
        self.write("\r\n".join([*lines, *headers, "", ""]).encode())
        return await self._reader.readuntil(b"\r\n\r\n")

    async def upgrade(self, *headers: str, version: int = 13) -> bytes:
        key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
        asks = ("Upgrade: websocket", "Connection: Upgrade", key, f"Sec-WebSocket-Version: {version}")
        return await self.ask("/ws", *asks, *headers)

    async def heard(self) -> None:
        await self._reader.read(1000)


async def cookie_of_a_visitor(port: int) -> str:
    async with Connection(port) as connection:
        head = (await connection.ask("/")).decode()
        return "Cookie: " + head.partition("set-cookie: ")[2].partition(";")[0]


async def asks_and_leaves(port: int) -> None:
    async with Connection(port) as connection:
        for _ in range(3):
            await connection.ask("/nothing")


async def stops_in_the_middle(port: int) -> None:
    async with Connection(port) as connection:
        connection.write(b"GET / HTTP/1.1\r\nHo")


async def has_no_session(port: int) -> None:
    async with Connection(port) as connection:
        assert b" 403 " in await connection.upgrade()


async def has_an_unknown_session(port: int) -> None:
    async with Connection(port) as connection:
        assert b" 101 " in await connection.upgrade("Cookie: htag_sid=made_up")
        await connection.heard()
        connection.write(GOODBYE)
        await connection.heard()


async def speaks_another_version(port: int) -> None:
    async with Connection(port) as connection:
        assert b" 400 " in await connection.upgrade(version=7)


def speaks_and(last: bytes) -> Callable[[int], Awaitable[None]]:
    async def visit(port: int) -> None:
        async with Connection(port) as connection:
            assert b" 101 " in await connection.upgrade(await cookie_of_a_visitor(port))
            await connection.heard()
            connection.write(CLICK + last)
            if last:
                await connection.heard()

    return visit


async def is_cut_off(port: int) -> None:
    async with Connection(port) as connection:
        assert b" 101 " in await connection.upgrade(await cookie_of_a_visitor(port))
        await connection.heard()
        connection.abort()


VISITS = {
    "HTTP": asks_and_leaves,
    "half a request": stops_in_the_middle,
    "a refused handshake": has_no_session,
    "an unknown session": has_an_unknown_session,
    "another version": speaks_another_version,
    "a closed WebSocket": speaks_and(GOODBYE),
    "a dropped WebSocket": speaks_and(b""),
    "frames that are none": speaks_and(NONSENSE),
    "text that is none": speaks_and(NOT_UTF8),
    "an aborted WebSocket": is_cut_off,
}


@pytest.fixture(autouse=True)
def never_collected(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.CRITICAL, "uvicorn.error")
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def here() -> Counter[str]:
    """How many there are of each kind, subclasses included, looked at or set aside."""
    gc.unfreeze()
    return Counter(kind.__name__ for each in gc.get_objects() for kind in KINDS if isinstance(each, kind))


async def left_by(
    visit: Callable[[int], Awaitable[None]], http: type[asyncio.Protocol], ws: type[asyncio.Protocol]
) -> Counter[str]:
    app = WebApp(Page, manage_gc=False).app
    async with served_in_loop(app, http=http, ws=ws) as server:
        before = here()
        for _ in range(TIMES):
            await visit(server.port)
        with suppress(TimeoutError):  # what has not gone by then stays
            await until(lambda: not (server.server_state.connections or here() - before), patience(2))
        return here() - before


def left(
    visit: str, http: type[asyncio.Protocol] = HttpProtocol, ws: type[asyncio.Protocol] = FairWebSocketProtocol
) -> Counter[str]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(left_by(VISITS[visit], http, ws))


@pytest.mark.parametrize("visit", VISITS)
def test_nothing_of_a_connection_is_left(visit: str) -> None:
    assert not left(visit)


@pytest.mark.parametrize("visit", ["a refused handshake", "a closed WebSocket", "a dropped WebSocket"])
def test_under_uvicorn_s_own_classes_what_htag_can_reach_is_not_left_either(visit: str) -> None:
    assert set(left(visit, HttpToolsProtocol, WebSocketsSansIOProtocol)) <= {"HttpToolsProtocol"}


def test_uvicorn_s_own_class_for_http_is_left_by_a_websocket() -> None:
    """Or ours is not needed any more."""
    assert left("a closed WebSocket", HttpToolsProtocol, WebSocketsSansIOProtocol) == {"HttpToolsProtocol": TIMES}
