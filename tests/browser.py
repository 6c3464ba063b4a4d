"""A browser without a window, in the test's own event loop.

It opens pages, keeps cookies, applies updates, fires events, over each of the three transports. It drives an ASGI
application directly, speaks wire version 1 as the contract has it, and knows nothing of what is inside htag.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from tests.dom import Element, apply, parse

DEADLINE = 5.0  # seconds any single wait may take; a hung server fails its test, not the run

Headers = dict[str, str]


class ServerError(AssertionError):
    """The server answered an event with an error message; the text is its traceback."""


class Refused(AssertionError):
    """The server closed a channel. `code` is the close code, `accepted` whether it had accepted it first."""

    def __init__(self, code: int, accepted: bool) -> None:
        super().__init__(f"closed with {code}, {'after' if accepted else 'before'} accept")
        self.code = code
        self.accepted = accepted


class Exchange:
    """One HTTP exchange or one WebSocket with an ASGI application."""

    def __init__(self, app: Any, scope: dict[str, Any]) -> None:
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task = asyncio.create_task(app(scope, self._inbox.get, self._outbox.put))

    def say(self, kind: str, **content: Any) -> None:
        self._inbox.put_nowait({"type": kind, **content})

    async def hear(self, seconds: float = DEADLINE) -> dict[str, Any]:
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
        return await self.request("GET", self.base if path is None else path, headers=headers)

    async def post(self, path: str, body: bytes | str, headers: Headers | None = None) -> Answer:
        return await self.request("POST", path, body, headers)

    async def websocket(self, path: str, headers: Headers | None = None) -> Socket:
        exchange = Exchange(self.app, self.scope("websocket", path, headers, subprotocols=[]))
        exchange.say("websocket.connect")
        first = await exchange.hear()
        if first["type"] == "websocket.close":
            await exchange.end()
            raise Refused(first.get("code", 1000), accepted=False)
        assert first["type"] == "websocket.accept", first
        return Socket(exchange, {key.decode(): value.decode() for key, value in first.get("headers", [])})

    async def stream(self, path: str, headers: Headers | None = None) -> Stream:
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
        message = await self._exchange.hear(seconds)
        if message["type"] == "websocket.close":
            self._exchange.say("websocket.disconnect", code=message.get("code", 1000))
            await self._exchange.end()
            raise Refused(message.get("code", 1000), accepted=True)
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


async def shut_down(web: Any) -> None:
    """What a server does at its end: all sessions end, and with them hooks that never came to run."""
    registry = getattr(web, "registry", None)
    if registry is not None:  # the published package, which these tests also run against, has none
        await registry.close()


TRANSPORTS = ("websocket", "sse", "http")


class Tab:
    """One page, open in a browser."""

    def __init__(self, site: Site, transport: str = "websocket") -> None:
        assert transport in TRANSPORTS
        self.site = site
        self.transport = transport
        self.messages: list[dict[str, Any]] = []
        self.js: list[str] = []
        self.statics: list[str] = []
        self.page = ""
        self.document = parse("")
        self.token = ""
        self.key: str | None = None
        self.app: Any = None  # the App instance, where the fixture that opened this tab knows it
        self._channel: Socket | Stream | None = None
        self._waiting: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)

    # -- opening and leaving

    async def load(self, query: str = "") -> Tab:
        """GET the page, as on a first visit or F5."""
        await self.leave()
        answer = await self.site.get(self.site.base + query)
        assert answer.status == 200, f"{answer.status}: {answer.text}"
        self.page = answer.text
        self.document = parse(_document(self.page))
        self.token = self._variable("HTAG_CSRF") or ""
        self.key = self._variable("PARANO")
        return self

    async def connect(self) -> Tab:
        """Open the channel and apply the first message (plain HTTP has neither)."""
        if self.transport == "websocket":
            self._channel = await self.site.websocket(self.site.base + "ws")
        elif self.transport == "sse":
            self._channel = await self.site.stream(self.site.base + "stream")
        if self._channel:
            await self.next()
        return self

    async def leave(self) -> None:
        if self._channel:
            await self._channel.close()
            self._channel = None

    def _variable(self, name: str) -> str | None:
        match = re.search(rf'window\.{name}\s*=\s*(?:"([^"]*)"|null)', self.page)
        assert match, f"the page does not set window.{name}"
        return match[1]

    # -- looking

    @property
    def body(self) -> Element:
        return self.document.one("body")

    @property
    def head(self) -> Element:
        return self.document.one("head")

    @property
    def title(self) -> str:
        return self.head.one("title").text

    def element(self, id: str) -> Element:
        found = self.document.find(id)
        assert found, f"nothing on the page has the id {id!r}"
        return found

    def text(self, id: str | None = None) -> str:
        return (self.element(id) if id else self.body).text

    def button(self, label: str) -> Element:
        return self.body.one("button", label)

    def field(self, name: str) -> Element:
        return self.body.one(None, name=name)

    # -- acting

    async def click(self, target: Element | str, **data: Any) -> Any:
        return await self.fire(target, "click", **data)

    async def type(self, target: Element | str, value: str) -> Any:
        return await self.fire(target, "input", value=value)

    async def submit(self, target: Element | str, **fields: Any) -> Any:
        return await self.fire(target, "submit", value=fields)

    async def fire(self, target: Element | str, event: str, **data: Any) -> Any:
        """An event on an element that handles it, as the inline handler reports it; returns the promise's value."""
        element = self.element(target) if isinstance(target, str) else target
        return await self.event(*element.call(event), data)

    async def event(self, id: Any, event: Any, data: dict[str, Any] | None = None) -> Any:
        """`htag_event(id, event, data)`: returns what the promise resolves to, raises `ServerError` for an error."""
        callback_id = f"cb{next(self._numbers)}"
        await self.send({"id": id, "event": event, "data": {**(data or {}), "callback_id": callback_id}})
        while True:
            message = await self.next()
            if message.get("callback_id") == callback_id:
                if message["action"] == "error":
                    raise ServerError(message["traceback"])
                return message["result"]

    async def send(self, message: dict[str, Any]) -> None:
        """One message, as it is, without waiting for anything over a channel."""
        if self.transport == "websocket":
            assert isinstance(self._channel, Socket)
            self._channel.send(self._encode(message))
            return
        fallback = {"fallback": True} if self.transport == "http" else {}
        answer = await self.post(self._encode({**message, **fallback}))
        assert answer.status == 200, f"{answer.status}: {answer.text}"
        self._waiting += [self._decode(payload) for payload in answer.json.get("payloads", [])]

    async def post(self, body: str) -> Answer:
        headers = {"content-type": "application/json", "x-htag-token": self.token}
        return await self.site.post(self.site.base + "event", body, headers)

    # -- hearing

    async def next(self, seconds: float = DEADLINE) -> dict[str, Any]:
        """The next message from the server, applied to the page."""
        if self._channel:
            message = self._decode(await self._channel.receive(seconds))
        else:
            deadline = asyncio.get_running_loop().time() + seconds
            while not self._waiting:
                if asyncio.get_running_loop().time() > deadline:
                    raise TimeoutError(f"the server said nothing for {seconds} s")
                await asyncio.sleep(0.02)
                await self.send({"action": "poll"})
            message = self._waiting.pop(0)
        self._apply(message)
        return message

    async def until(self, condition: Callable[[], object], seconds: float = DEADLINE) -> None:
        """Take in messages until the page shows what it should."""
        async with asyncio.timeout(seconds):
            while not condition():
                await self.next(seconds)

    async def quiet(self, seconds: float = 0.15) -> None:
        """The server has nothing to say (the default is three times the delay of a throttled push)."""
        try:
            message = await self.next(seconds)
        except TimeoutError:
            return
        raise AssertionError(f"there was to be silence, not {message}")

    def _apply(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if message["action"] == "update":
            for id, html in message["updates"].items():
                apply(self.document, id, html)
            self.statics += message.get("statics", [])
            self.js += message.get("js", [])

    def _encode(self, message: dict[str, Any]) -> str:
        return encode(message, self.key) if self.key else json.dumps(message)

    def _decode(self, text: str) -> dict[str, Any]:
        decoded: dict[str, Any] = decode(text, self.key) if self.key else json.loads(text)
        return decoded


def encode(message: Any, key: str) -> str:
    """The parano form of a message, exactly as the contract words it."""
    raw = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.b64encode(_cipher(raw, key)).decode()


def decode(text: str, key: str) -> Any:
    """The inverse of `encode`."""
    return json.loads(_cipher(base64.b64decode(text), key))


def _cipher(raw: bytes, key: str) -> bytes:
    return bytes(one ^ other for one, other in zip(raw, itertools.cycle(key.encode()), strict=False))


def _document(page: str) -> str:
    """The page without its doctype, which is not part of the tree."""
    return re.sub(r"^\s*<!doctype html>", "", page, flags=re.IGNORECASE).strip()
