"""What stands between a browser and a server: a link that breaks or falls silent, a proxy that buffers, a login."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from tests.support.servers import stop_accepting
from tests.support.waiting import until

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
CHUNK = 1 << 16  # bytes


class Link:
    """A TCP proxy on a port of its own. `state`: "works", "refuses" (new connections end at once) or "silent"."""

    def __init__(self, target: int) -> None:
        self.state = "works"
        self._target = target
        self._streams: set[asyncio.StreamWriter] = set()
        self._carried = 0  # connections
        self._silent: set[asyncio.StreamWriter] = set()  # what comes over them is dropped for ever

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        await stop_accepting(self._server)
        self.refuse()
        await until(lambda: not self._carried)  # what is left open is told of in another test

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def cut(self) -> None:
        """Break all connections."""
        for stream in [*self._streams]:
            stream.transport.abort()

    def refuse(self) -> None:
        """Break all connections, and each that comes."""
        self.state = "refuses"
        self.cut()

    def fall_silent(self) -> None:
        """Nothing arrives any more, at either end, and neither end is told; new connections likewise."""
        self.state = "silent"
        self.forget()

    def forget(self) -> None:
        """Connections that are open stay silent for ever, as after a change of the network; new ones work."""
        self._silent |= self._streams

    def work(self) -> None:
        """New connections work."""
        self.state = "works"

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._carried += 1
        try:
            if self.state == "refuses":
                raise ConnectionRefusedError
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            await self._join({writer, back}, self._pump(reader, back), self._pump(there, writer))
        except OSError:
            writer.transport.abort()
        finally:
            self._carried -= 1

    async def _join(self, ends: set[asyncio.StreamWriter], *pumps: Coroutine[Any, Any, None]) -> None:
        self._streams |= ends
        if self.state == "silent":
            self._silent |= ends
        if self.state == "refuses":
            self.cut()
        try:
            await asyncio.gather(*pumps)
        finally:
            self._streams -= ends
            self._silent -= ends
            for end in ends:
                end.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(CHUNK):
                if writer not in self._silent:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            writer.transport.abort()
        if writer not in self._silent:
            writer.close()


class WithoutSockets:
    """A proxy that knows no WebSockets, while `blocks`."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.blocks = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and self.blocks:
            await receive()
            await send({"type": "websocket.close"})
        else:
            await self._app(scope, receive, send)


class Buffering(WithoutSockets):
    """A proxy that knows no WebSockets, and passes an answer on when it is whole: a stream never is."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept: list[dict[str, Any]] = []

        async def keep(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body":
                kept.append(message)
                if message.get("more_body"):
                    return
                for each in kept:
                    await send(each)
            else:
                await send(message)

        await super().__call__(scope, receive, keep if scope["type"] == "http" and self.blocks else send)


class Login:
    """Asks for a login while `expired`: redirects to a form, or where `answers` is 401 gives the page alone."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.expired = False
        self.answers = 302
        self.forms = 0  # that were shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/login":
            self.forms += 1
            await respond(send, 200, b"<!DOCTYPE html><title>login</title><form id=login>password</form>")
        elif not self.expired or (self.answers == 401 and scope["path"] == "/"):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})
        elif self.answers == 401:
            await respond(send, 401, b"<!DOCTYPE html><title>who are you?</title>")
        else:
            await respond(send, 302, b"", [(b"location", b"/login")])


async def respond(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    """Answer with HTML."""
    headers = [(b"content-type", b"text/html"), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
