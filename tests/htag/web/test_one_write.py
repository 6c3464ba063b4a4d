"""The head and the body of a page reach the connection in one write, whatever server there is around it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from htag import Tag, WebApp
from htag.web.one_write import Gathering, send_at_once

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}
BODY = {"type": "http.response.body", "body": b"body"}


class Page(Tag.App):
    def init(self) -> None:
        self.add(Tag.h1("A page"))


class Transport:
    """Notes what is written to it, as long as it is open."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written.append(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


def test_what_was_written_leaves_before_the_connection_closes() -> None:
    transport = Transport()
    gathering = Gathering(transport)
    gathering.write(b"head")
    gathering.write(b"body")
    assert transport.written == []
    gathering.close()
    assert transport.written == [b"headbody"]
    assert gathering.write_out() is transport
    assert transport.written == [b"headbody"]


def test_a_lost_connection_is_written_to_no_more() -> None:
    transport = Transport()
    gathering = Gathering(transport)
    gathering.write(b"head")
    transport.close()
    gathering.write_out()
    assert transport.written == []


def test_all_else_is_asked_of_the_transport() -> None:
    assert Gathering(Transport()).get_extra_info("peername") == "the peername"


async def test_a_send_of_another_server_gets_each_message() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await send_at_once(send, START, BODY)
    assert sent == [START, BODY]


@asynccontextmanager
async def writes(app: Any, http: str) -> AsyncIterator[tuple[int, list[bytes]]]:
    """uvicorn serves `app`: its port, and all that it writes to its connections."""
    written: list[bytes] = []
    config = uvicorn.Config(app, http=http, log_level="warning", lifespan="off")  # type: ignore[arg-type]  # one of its names, as a text
    config.load()
    base: Any = config.http_protocol_class

    class Noting(base):  # type: ignore[misc]  # a class that is chosen as the test runs
        def connection_made(self, transport: Any) -> None:
            super().connection_made(Noted(transport))

    class Noted:
        def __init__(self, transport: Any) -> None:
            self._transport = transport

        def write(self, data: bytes) -> None:
            written.append(data)
            self._transport.write(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._transport, name)

    config.http_protocol_class = Noting
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1], written
    finally:
        server.should_exit = True
        await serving


async def answer_to(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("http", ["httptools", "h11"])
async def test_a_page_leaves_uvicorn_in_one_write(http: str) -> None:
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    async with writes(WebApp(Page).app, http) as (port, written):
        kept = asyncio.create_task(answer_to(port, request + b"\r\n" + request + b"Connection: close\r\n\r\n"))
        answer = await asyncio.wait_for(kept, 60)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == answer.count(b"A page") == 2  # two, one after the other
    pages = [data for data in written if data.startswith(b"HTTP/1.1 200 OK")]
    assert [data.endswith(b"</html>") for data in pages] == [True, True]


@pytest.mark.parametrize("http", ["httptools", "h11"])
async def test_a_layer_in_between_gets_each_message(http: str) -> None:
    """A page in a program of other layers is complete, too."""
    page, kinds = WebApp(Page).app, []

    async def layer(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        async def noting(message: Any) -> None:
            kinds.append(message["type"])
            await send(message)

        await page(scope, receive, noting)

    async with writes(layer, http) as (port, _):
        answer = await answer_to(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"</html>")
    assert kinds == ["http.response.start", "http.response.body"]
