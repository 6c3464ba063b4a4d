"""A htag client without a browser: wire version 1 over WebSocket, SSE or plain HTTP.

    with Client("http://127.0.0.1:8000") as client:
        client.open()
        client.connect()
        client.click("inc")
        assert client.document.text("counter") == "1"

Nothing here is asynchronous: a call returns when its answer is there. What the server pushes is read by a thread, a
greenlet under locust. JavaScript is not run, only kept in `scripts`.
"""

import base64
import itertools
import json
import os
import random
import re
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.cookies import SimpleCookie
from types import TracebackType
from typing import Any, Literal, Protocol, Self, TypeVar

import requests
import websocket

from loadtest.document import Document, Element

Transport = Literal["websocket", "sse", "http"]

SERVED_BY = "X-Htag-Served-By"
LIMIT = "X-Htag-Limit"  # with a 429: which limit was met
LIMITS = {
    "newcomers": "the app's limit on new sessions from one address (HTAG_NEWCOMERS_PER_SECOND, HTAG_NEWCOMERS_BURST)",
    "pages": "nginx's limit on pages from one address (NGINX_VISITOR_RATE, NGINX_VISITOR_BURST)",
    "connections": "nginx's limit on connections from one address (NGINX_CONNECTIONS_PER_ADDRESS)",
}
UNKNOWN_SESSION = 4404  # the close code for a session that this worker does not have
LOST = 1006  # the close code of a connection that ended without one
POLL_SECONDS = 0.2  # plain HTTP has no push: how often to ask while waiting
PATIENCE = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between attempts to reconnect, each with jitter

T = TypeVar("T")


class ClientError(Exception):
    """Base of what can go wrong between this client and a server."""


class Refused(ClientError):
    """The server answered with another status than 200."""

    def __init__(self, what: str, status: int, body: str) -> None:
        super().__init__(f"{what} was answered with {status}: {body[:200]}")
        self.status = status


class Disconnected(ClientError):
    """The channel is closed. `code` is the WebSocket's close code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the channel is closed ({code})")
        self.code = code


class Unanswered(ClientError):
    """What was waited for did not come in time."""


class ServerFailure(ClientError):
    """The server answered an event with an error; the message is its traceback, or a general remark."""


class Channel(Protocol):
    """A way to send messages; what arrives goes to the client that opened it."""

    def send(self, message: dict[str, Any]) -> None:
        """Send one message."""
        ...

    def close(self) -> None:
        """Leave; nothing arrives afterwards."""
        ...


class Client:
    """One tab of one visitor."""

    def __init__(
        self, url: str, transport: Transport = "websocket", *, seconds: float = 10.0, trusted: str | None = None
    ) -> None:
        """`url`: where the app is mounted. `seconds`: how long anything is waited for.

        `trusted`: a file with the certificates to trust over https, instead of the usual ones. Without it the file
        that the environment names in REQUESTS_CA_BUNDLE, if it does.
        """
        self.url = url.rstrip("/") + "/"
        self.transport = transport
        self.seconds = seconds
        self.document = Document()
        self.scripts: list[str] = []  # JavaScript that the server sent
        self.failures: list[str] = []  # errors that it sent, whether or not somebody waited
        self.served_by: str | None = None  # who served the first page
        self.moves: list[str] = []  # each who took over since: empty while stickiness holds
        self.bytes_received = 0  # of payloads
        self.trusted = trusted or os.environ.get("REQUESTS_CA_BUNDLE")
        self.http = requests.Session()
        self.http.verify = self.trusted or True
        self.http.trust_env = not trusted  # or the environment's file would win over the one that was asked for
        self._tab = secrets.token_hex(8)
        self._numbers = itertools.count(1)
        self._answers: dict[str, dict[str, Any]] = {}
        self._changed = threading.Condition()
        self._channel: Channel | None = None
        self._closed: int | None = None  # the close code, once the channel is closed
        self._revision: str | None = None  # what the page shows, until something changes it
        self._csrf = ""
        self._parano: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()
        self.http.close()

    # a visit

    def open(self, query: str = "") -> None:
        """Load the page, or reload it. Raises `Refused`, for example with status 503 when the server is full."""
        self.leave()
        response = self.http.get(self.url + query, timeout=self.seconds)
        self.check("the page", response)
        page = response.text
        self._csrf = _window(page, "HTAG_CSRF") or ""
        self._parano = _window(page, "PARANO")
        revision = re.search(r"window\.HTAG_REVISION\s*=\s*(\d+)", page)
        self._revision = revision[1] if revision else None
        self.document = Document(page)

    def connect(self) -> None:
        """Open the channel. Raises `Refused` or `Disconnected` if the server does not want us."""
        self.leave()
        self._closed = None
        said, self._revision = self._revision, None
        query = f"?rev={said}" if said else ""
        if self.transport == "http":
            self._channel = PlainHttp(self)
            return
        received = self.bytes_received
        self._channel = WebSocketChannel(self, query) if self.transport == "websocket" else EventStream(self, query)
        if not said:  # then the first message is the whole body
            self.wait_until(lambda: self.bytes_received > received, "the first message")

    def reconnect(self) -> None:
        """Come back as the browser's client does: to the same session, or to a new page where it is unknown."""
        failure: Exception | None = None
        for pause in PATIENCE:
            try:
                self.connect()
                if self.transport == "http":
                    self.poll()
                return
            except (ClientError, OSError, websocket.WebSocketException) as error:
                failure = error
            time.sleep(pause * random.uniform(0.5, 1.5))
            if _session_is_unknown(failure):
                self.open()
        raise Unanswered(f"no connection to {self.url} after {len(PATIENCE)} attempts") from failure

    def leave(self) -> None:
        """Close the channel, as a tab that goes away. The session stays for its grace time."""
        if self._channel is not None:
            channel, self._channel = self._channel, None
            channel.close()

    @property
    def connected(self) -> bool:
        """Whether the channel is open, as far as we know."""
        return self._channel is not None and self._closed is None

    @property
    def closed(self) -> int | None:
        """The close code, once the channel is closed, and not by us."""
        return self._closed

    # what a person does

    def click(self, target: str | Element) -> Any:
        """Click an element, given itself or its id. Returns the handler's result."""
        return self.event(target, "click")

    def type(self, target: str | Element, text: str) -> Any:
        """Fill in a field."""
        return self.event(target, "input", {"value": text})

    def tick(self, target: str | Element, checked: bool = True) -> None:
        """Tick a checkbox, or untick it: a browser reports it as up to three events."""
        box = self.document.find(target) if isinstance(target, str) else target
        for name in ("click", "input", "change"):
            if box.handler(name):
                self.event(box, name, {"value": checked, "checked": checked})

    def submit(self, target: str | Element, fields: dict[str, str]) -> Any:
        """Submit a form."""
        return self.event(target, "submit", {"value": fields})

    def navigate(self, path: str) -> Any:
        """Follow a link to `#path` of the app's router."""
        body = self.document.elements("body")[0]
        return self.event(body, "hashchange", {"newURL": f"{self.url}#{path}", "oldURL": self.url})

    def event(self, target: str | Element, name: str, data: dict[str, Any] | None = None) -> Any:
        """Send an event and wait for its answer: the handler's result. Raises `ServerFailure` if there is an error."""
        callback_id = f"{self._tab}-{next(self._numbers)}"
        id = target if isinstance(target, str) else target.handler(name) or target.id
        self.send({"id": id, "event": name, "data": {**(data or {}), "callback_id": callback_id}})
        answer = self.wait_until(lambda: self._answers.pop(callback_id, None), f"the answer to {name} on {id}")
        if answer["action"] == "error":
            raise ServerFailure(answer["traceback"])
        return answer["result"]

    def send(self, message: dict[str, Any]) -> None:
        """Send any message, waiting for nothing."""
        if self._channel is None or self._closed is not None:
            raise Disconnected(self._closed or LOST)
        self._channel.send(message)

    def poll(self) -> None:
        """Ask for what is pending: plain HTTP's way to get what the server pushes."""
        self.send({"action": "poll"})

    def wait_until(self, condition: Callable[[], T | None], what: str) -> T:
        """The first true value of `condition`, tried whenever something arrives."""
        deadline = time.monotonic() + self.seconds
        with self._changed:
            while not (value := condition()):
                if self._closed is not None:
                    raise Disconnected(self._closed)
                if time.monotonic() > deadline:
                    raise Unanswered(f"waited {self.seconds:g} s in vain for {what}")
                self._wait_for_news(deadline)
        return value

    # what the channels tell

    def served(self, name: str | None) -> None:
        """An answer came from the slot `name`."""
        if name is None:
            return
        if self.served_by is None:
            self.served_by = name
        elif name != (self.moves[-1] if self.moves else self.served_by):
            self.moves.append(name)

    def hear(self, payload: str) -> None:
        """A message of the server arrived."""
        message = self.decode(payload)
        with self._changed:
            self.bytes_received += len(payload)
            self._revision = None
            if message["action"] == "error":
                self.failures.append(message["traceback"])
            else:
                self.document.apply(message["updates"])
                self.scripts += message.get("js", [])
            if callback_id := message.get("callback_id"):
                self._answers[callback_id] = message
            self._changed.notify_all()

    def ended(self, code: int) -> None:
        """The channel was closed, not by us."""
        with self._changed:
            self._closed = code
            self._changed.notify_all()

    # the wire

    def encode(self, message: dict[str, Any]) -> str:
        """A message as it goes over the wire."""
        text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
        return base64.b64encode(_exclusive_or(text.encode(), self._parano)).decode() if self._parano else text

    def decode(self, payload: str) -> dict[str, Any]:
        """A message of the server."""
        raw = _exclusive_or(base64.b64decode(payload), self._parano) if self._parano else payload
        message: dict[str, Any] = json.loads(raw)
        return message

    def post(self, message: dict[str, Any]) -> str:
        """POST a message; the answer's body."""
        headers = {
            "Content-Type": "application/json",
            "Origin": self.origin,
            "X-HTAG-TOKEN": self._csrf,
            "X-HTAG-TAB": self._tab,
        }
        body = self.encode(message).encode()
        response = self.http.post(self.url + "event", body, headers=headers, timeout=self.seconds)
        self.check("an event", response)
        return response.text

    def check(self, what: str, response: requests.Response) -> None:
        """Note who served an answer. Raises `Refused` unless all went well."""
        self.served(response.headers.get(SERVED_BY))
        if response.status_code != 200:
            limit = LIMITS.get(response.headers.get(LIMIT, ""), "") if response.status_code == 429 else ""
            raise Refused(what, response.status_code, limit or response.text)

    @property
    def origin(self) -> str:
        """Scheme and host, as a browser names itself."""
        return "/".join(self.url.split("/", 3)[:3])

    @property
    def cookies(self) -> str:
        """The Cookie header."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies)

    def keep_cookies(self, header: str) -> None:
        """Take over the cookies of a WebSocket's handshake, which `requests` does not see."""
        known = {cookie.name: cookie for cookie in self.http.cookies}
        for name, morsel in SimpleCookie(header).items():
            if name in known:
                known[name].value = morsel.value
            else:
                self.http.cookies.set(name, morsel.value, path="/")

    def _wait_for_news(self, deadline: float) -> None:
        if self.transport == "http":
            self._changed.wait(POLL_SECONDS)
            self.poll()
        else:
            self._changed.wait(max(0.0, deadline - time.monotonic()))


class WebSocketChannel:
    """Messages both ways over one WebSocket."""

    def __init__(self, client: Client, query: str) -> None:
        self._client = client
        self._leaving = False
        self._socket = self._connect(query)
        headers = self._socket.getheaders() or {}
        client.served(headers.get(SERVED_BY.lower()))
        client.keep_cookies(headers.get("set-cookie", ""))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, message: dict[str, Any]) -> None:
        try:
            self._socket.send(self._client.encode(message))
        except (OSError, websocket.WebSocketException) as error:
            raise Disconnected(LOST) from error

    def close(self) -> None:
        self._leaving = True
        if self._socket.connected:
            self._socket.send_close(1001)  # going away
        self._socket.abort()  # type: ignore[no-untyped-call]
        self._reader.join(self._client.seconds)

    def _connect(self, query: str) -> websocket.WebSocket:
        client = self._client
        url = client.url.replace("http", "ws", 1) + "ws" + query
        try:
            # the time limit is for the handshake; afterwards silence is nothing unusual
            connection = websocket.create_connection(
                url,
                timeout=client.seconds,
                cookie=client.cookies,
                origin=client.origin,
                skip_utf8_validation=True,
                sslopt={"ca_certs": client.trusted} if client.trusted else None,
            )
        except websocket.WebSocketBadStatusException as error:
            limit = LIMITS.get((error.resp_headers or {}).get(LIMIT.lower(), ""))
            raise Refused("the WebSocket", error.status_code, limit or str(error)) from error
        connection.settimeout(None)
        return connection

    def _read(self) -> None:
        code = LOST
        try:
            while True:
                kind, data = self._socket.recv_data()
                if kind == websocket.ABNF.OPCODE_CLOSE:
                    code = int.from_bytes(data[:2], "big")
                    return
                self._client.hear(data.decode())
        except (OSError, websocket.WebSocketException):
            return  # the code says it: lost
        finally:
            self._socket.shutdown()  # type: ignore[no-untyped-call]
            if not self._leaving:
                self._client.ended(code)


class EventStream:
    """Messages to the server by POST, from it over server-sent events."""

    def __init__(self, client: Client, query: str) -> None:
        self._client = client
        self._leaving = False
        self._stream = client.http.get(client.url + "stream" + query, stream=True, timeout=(client.seconds, None))
        client.check("the stream", self._stream)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, message: dict[str, Any]) -> None:
        self._client.post(message)

    def close(self) -> None:
        self._leaving = True
        with suppress(ValueError, RuntimeError):  # what urllib3 raises if the stream has ended by itself
            self._stream.raw.shutdown()  # wakes the reader
        self._reader.join(self._client.seconds)

    def _read(self) -> None:
        try:
            for line in self._stream.iter_lines():
                if line.startswith(b"data: "):
                    self._client.hear(line[len(b"data: ") :].decode())
        except requests.RequestException:
            return  # the code says it: lost
        finally:
            self._stream.close()
            if not self._leaving:
                self._client.ended(LOST)


class PlainHttp:
    """Messages to the server by POST, each answer with all that is pending."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def send(self, message: dict[str, Any]) -> None:
        answer = json.loads(self._client.post({**message, "fallback": True}))
        for payload in answer["payloads"]:
            self._client.hear(payload)

    def close(self) -> None:
        return


def _window(page: str, name: str) -> str | None:
    """The string that the page's script assigns to `window.name`; None: null, or nothing."""
    assigned = re.search(rf'window\.{name}\s*=\s*"([^"]+)"', page)
    return assigned[1] if assigned else None


def _exclusive_or(raw: bytes, key: str) -> bytes:
    return bytes(a ^ b for a, b in zip(raw, itertools.cycle(key.encode()), strict=False))


def _session_is_unknown(failure: Exception) -> bool:
    if isinstance(failure, Refused):
        return failure.status == 404
    return isinstance(failure, Disconnected) and failure.code == UNKNOWN_SESSION
