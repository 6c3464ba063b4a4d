"""The load: visitors who fetch a page, open its WebSocket and click. Made to cost little beside the server.

One visitor is a socket and a few counters. Frames are found by their length and not parsed, a click is the same
bytes each time; the WebSocket mask is four zero bytes, which leaves the payload as it is.
"""

import asyncio
import http.client
import io
import json
from dataclasses import dataclass
from typing import Self, cast

CLICK_ANSWER = "c1"
CLICK = {"id": "inc", "event": "click", "data": {"callback_id": CLICK_ANSWER}}
ANSWER_SECONDS = 60.0  # a page of 3000 tags takes published htag half a second; then the machine may be busy

TEXT_FRAME = 0x81
CLOSE_FRAME = 0x88
PING_FRAME = 0x89


@dataclass(frozen=True, slots=True)
class Page:
    """The first load: the cookie that it set, and its body's bytes."""

    cookie: str
    size: int


async def open_page(port: int) -> Page:
    """A new visitor's GET of the page, on a connection of its own as a browser's would be."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        return await asyncio.wait_for(_read_page(reader), ANSWER_SECONDS)
    finally:
        writer.close()


async def _read_page(reader: asyncio.StreamReader) -> Page:
    status = await reader.readline()
    headers = http.client.parse_headers(io.BytesIO(await reader.readuntil(b"\r\n\r\n")))
    body = await reader.readexactly(int(headers["content-length"]))
    if b" 200 " not in status:
        raise ConnectionError(f"the page answered {status!r}: {body[:200]!r}")
    cookies = headers.get_all("set-cookie", [])
    return Page("; ".join(cookie.partition(";")[0] for cookie in cookies), len(body))


class Visitor(asyncio.Protocol):
    """One WebSocket. `answers` and `received` count text frames and the bytes of their payloads."""

    def __init__(self) -> None:
        self.answers = 0
        self.received = 0
        self.last = b""
        self._buffer = b""
        self._arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._clicking_until = 0.0
        self._upgraded = False

    @classmethod
    async def connect(cls, port: int, cookie: str = "", *, greeted: bool = True) -> Self:
        """A visitor whose socket is open and, if the server speaks first (`greeted`), who has heard it."""
        visitor = await cls._dial(port)
        await visitor._open(port, cookie, greeted=greeted)
        return visitor

    @classmethod
    async def _dial(cls, port: int) -> Self:
        _, visitor = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return visitor

    async def _open(self, port: int, cookie: str, *, greeted: bool, query: str = "") -> None:
        self._transport.write(handshake(port, cookie, query))
        await self._next()
        while greeted and not self.answers:
            await self._next()

    async def click(self) -> bytes:
        """One click; its answer's payload."""
        self._arrival = asyncio.get_running_loop().create_future()
        self._transport.write(self._click_frame())
        await self._next()
        return self.last

    async def click_for(self, seconds: float) -> int:
        """Click, wait for the answer, click again, for so long. The number of answers."""
        loop = asyncio.get_running_loop()
        before = self.answers
        self._arrival = loop.create_future()
        self._clicking_until = loop.time() + seconds
        self._transport.write(self._click_frame())
        await asyncio.sleep(seconds)
        await self._next()  # the last click is answered after the time is up, and wakes us
        return self.answers - before

    def close(self) -> None:
        """Leave as a closed tab does, without a word."""
        self._transport.close()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded and not self._read_handshake():
            return
        while found := _first_frame(self._buffer):
            kind, start, end = found
            payload, self._buffer = self._buffer[start:end], self._buffer[end:]
            self._frame_arrived(kind, payload)

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"the connection is lost: {error}")

    def _read_handshake(self) -> bool:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        if b" 101 " not in head.partition(b"\r\n")[0]:
            self._fail(f"no WebSocket: {head[:200]!r}")
            return False
        self._upgraded, self._buffer = True, rest
        self._wake()
        return True

    def _frame_arrived(self, kind: int, payload: bytes) -> None:
        if kind == PING_FRAME:
            self._transport.write(frame(0x8A, payload))
        elif kind == CLOSE_FRAME:
            self._fail(f"closed by the server: {payload!r}")
        else:
            self._text_arrived(payload)

    def _text_arrived(self, payload: bytes) -> None:
        self.answers += 1
        self.received += len(payload)
        self.last = payload
        self._answered()

    def _answered(self) -> None:
        if asyncio.get_running_loop().time() < self._clicking_until:
            self._transport.write(self._click_frame())
        else:
            self._wake()

    def _click_frame(self) -> bytes:
        return _CLICK_FRAME

    def _wake(self) -> None:
        if not self._arrival.done():
            self._arrival.set_result(None)

    def _fail(self, reason: str) -> None:
        if not self._arrival.done():
            self._arrival.set_exception(ConnectionError(reason))
            self._arrival.exception()  # whoever waits gets it; if nobody does, it is we who left

    async def _next(self) -> None:
        await asyncio.wait_for(self._arrival, ANSWER_SECONDS)
        self._arrival = asyncio.get_running_loop().create_future()


def _first_frame(buffer: bytes) -> tuple[int, int, int] | None:
    """The first frame if it is there whole: its first byte, and where its payload starts and ends."""
    if len(buffer) < 2:
        return None
    length, start = buffer[1], 2
    if length >= 126:
        start = 4 if length == 126 else 10
        length = int.from_bytes(buffer[2:start], "big")
    end = start + length
    return (buffer[0], start, end) if start <= len(buffer) and end <= len(buffer) else None


def frame(kind: int, payload: bytes) -> bytes:
    """A short frame of a browser, whose mask changes nothing."""
    assert len(payload) < 126, "a click is short"
    return bytes([kind, 0x80 | len(payload), 0, 0, 0, 0]) + payload


def handshake(port: int, cookie: str, query: str) -> bytes:
    """What asks for a WebSocket."""
    lines = [
        f"GET /ws{query} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
        f"Origin: http://127.0.0.1:{port}",
        f"Cookie: {cookie}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


_CLICK_FRAME = frame(TEXT_FRAME, json.dumps(CLICK, separators=(",", ":")).encode())
