"""An ASGI application as one browser sees it, without a network: requests, WebSockets, event streams, cookies."""

from __future__ import annotations

import asyncio
import json
import os
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from headless.errors import Disconnected

# seconds any single wait may take: a hung server fails its test, not the run; a slow machine can stretch it
DEADLINE = 5.0 * float(os.environ.get("HTAG_TEST_PATIENCE", "1"))

Headers = dict[str, str]


class Exchange:
    """One HTTP exchange or one WebSocket with an ASGI application."""

    def __init__(self, app: Any, scope: dict[str, Any]) -> None:
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task = asyncio.create_task(app(scope, self._inbox.get, self._outbox.put))

    def say(self, kind: str, **content: Any) -> None:
        """Send the application one ASGI message."""
        self._inbox.put_nowait({"type": kind, **content})

    async def hear(self, seconds: float = DEADLINE) -> dict[str, Any]:
        """Return the application's next message. Raises TimeoutError, or what the application raised."""
        heard = asyncio.create_task(self._outbox.get())
        await asyncio.wait({heard, self._task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not heard.done() and self._task.done() and self._outbox.empty():
            heard.cancel()
            self._task.result()
            raise AssertionError("the application returned without an answer")
        if not heard.done():
            await asyncio.wait({heard}, timeout=0)
        if not heard.done():
            heard.cancel()
            raise TimeoutError(f"the application said nothing for {seconds} s")
        return heard.result()

    async def end(self) -> None:
        """Wait until the application returns. Raises TimeoutError."""
        _, pending = await asyncio.wait({self._task}, timeout=DEADLINE)
        if pending:
            self._task.cancel()
            raise TimeoutError("the application did not notice that its client left")


class Answer:
    """An HTTP answer."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = dict(headers)
        self.set_cookies = [value for key, value in headers if key == "set-cookie"]
        self.body = body

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Site:
    """An ASGI application as one browser sees it: requests with a cookie jar."""

    def __init__(self, app: Any, *, base: str = "/", cookies: dict[str, str] | None = None) -> None:
        self.app = app
        self.base = base
        self.cookies = dict(cookies or {})

    def scope(self, kind: str, path: str, headers: Headers | None = None, **more: Any) -> dict[str, Any]:
        """Return the ASGI scope of a request of this browser, its cookies included."""
        split = urlsplit(path)
        sent = {"host": "testserver", **({"cookie": self._cookie()} if self.cookies else {}), **(headers or {})}
        return {
            "type": kind,
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "http" if kind == "http" else "ws",
            "server": ("testserver", 80),
            "client": ("127.0.0.1", 50000),
            "root_path": "",
            "path": split.path,
            "raw_path": split.path.encode(),
            "query_string": split.query.encode(),
            "headers": [(key.lower().encode(), value.encode("latin-1")) for key, value in sent.items()],
            "state": {},
            **more,
        }

    def _cookie(self) -> str:
        return "; ".join(f"{key}={value}" for key, value in self.cookies.items())

    async def request(self, method: str, path: str, body: bytes | str = b"", headers: Headers | None = None) -> Answer:
        """Make a request and keep the cookies that the answer sets. Returns the whole answer, whatever its status."""
        exchange = Exchange(self.app, self.scope("http", path, headers, method=method))
        exchange.say("http.request", body=body.encode() if isinstance(body, str) else body, more_body=False)
        start = await exchange.hear()
        received = [(key.decode("latin-1"), value.decode("latin-1")) for key, value in start["headers"]]
        chunks = []
        while True:
            part = await exchange.hear()
            chunks.append(part.get("body", b""))
            if not part.get("more_body"):
                break
        exchange.say("http.disconnect")
        await exchange.end()
        answer = Answer(start["status"], received, b"".join(chunks))
        self._keep(answer)
        return answer

    def _keep(self, answer: Answer) -> None:
        for line in answer.set_cookies:
            for key, morsel in SimpleCookie(line).items():
                self.cookies[key] = morsel.value

    async def get(self, path: str | None = None, headers: Headers | None = None) -> Answer:
        """GET `path`; None: the page."""
        return await self.request("GET", self.base if path is None else path, headers=headers)

    async def post(self, path: str, body: bytes | str, headers: Headers | None = None) -> Answer:
        """POST `body` as it is."""
        return await self.request("POST", path, body, headers)

    async def websocket(self, path: str, headers: Headers | None = None) -> Socket:
        """Open a WebSocket. Raises `Disconnected` if it is closed before it is accepted."""
        exchange = Exchange(self.app, self.scope("websocket", path, headers, subprotocols=[]))
        exchange.say("websocket.connect")
        first = await exchange.hear()
        if first["type"] == "websocket.close":
            await exchange.end()
            raise Disconnected(first.get("code", 1000), accepted=False)
        assert first["type"] == "websocket.accept", first
        return Socket(exchange, {key.decode(): value.decode() for key, value in first.get("headers", [])})

    async def stream(self, path: str, headers: Headers | None = None) -> Stream:
        """Open an event stream, whatever its status."""
        exchange = Exchange(self.app, self.scope("http", path, headers, method="GET"))
        exchange.say("http.request", body=b"", more_body=False)
        start = await exchange.hear()
        return Stream(exchange, start["status"], {key.decode(): value.decode() for key, value in start["headers"]})


class Socket:
    """An open WebSocket."""

    def __init__(self, exchange: Exchange, headers: Headers) -> None:
        self._exchange = exchange
        self.headers = headers

    async def receive(self, seconds: float = DEADLINE) -> str:
        """Return the next text. Raises `Disconnected` if the server closes, TimeoutError if it is silent."""
        message = await self._exchange.hear(seconds)
        if message["type"] == "websocket.close":
            self._exchange.say("websocket.disconnect", code=message.get("code", 1000))
            await self._exchange.end()
            raise Disconnected(message.get("code", 1000), accepted=True, reason=message.get("reason", ""))
        text: str = message["text"]
        return text

    def send(self, text: str) -> None:
        self._exchange.say("websocket.receive", text=text)

    def send_bytes(self, data: bytes) -> None:
        self._exchange.say("websocket.receive", bytes=data)

    async def close(self) -> None:
        self._exchange.say("websocket.disconnect", code=1001)
        await self._exchange.end()


class Stream:
    """An open event stream."""

    def __init__(self, exchange: Exchange, status: int, headers: Headers) -> None:
        self._exchange = exchange
        self._text = ""
        self.status = status
        self.headers = headers

    async def receive(self, seconds: float = DEADLINE) -> str:
        """The payload of the next message (comments, which keep proxies awake, are skipped)."""
        while True:
            while "\n\n" not in self._text:
                self._text += (await self._exchange.hear(seconds))["body"].decode()
            block, self._text = self._text.split("\n\n", 1)
            if block.startswith("data: "):
                assert "\n" not in block, f"a message of more than one line: {block!r}"
                return block.removeprefix("data: ")
            assert block.startswith(":"), f"neither data nor a comment: {block!r}"

    async def close(self) -> None:
        self._exchange.say("http.disconnect")
        await self._exchange.end()
