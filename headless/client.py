"""One tab of a visitor, over a network: wire version 1 over WebSocket, server-sent events or plain HTTP.

    with Client("http://127.0.0.1:8000") as client:
        client.open()
        client.connect()
        client.click("inc")
        assert client.document.text("counter") == "1"

Nothing here is asynchronous: a call returns when its answer is there. What the server pushes is read by a thread, a
greenlet under locust. JavaScript is not run, only kept in `scripts`.
"""

import random
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import websocket

from headless.channels import Channel, EventStream, PlainHttp, WebSocketChannel
from headless.document import Element
from headless.errors import ClientError, Disconnected, Refused, ServerError, Unanswered
from headless.http import HttpClient
from headless.protocol import LOST, UNKNOWN_SESSION, Transport
from headless.wire import Message

POLL_SECONDS = 0.2  # plain HTTP has no push: how often to ask while waiting
PATIENCE = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between attempts to reconnect, each with jitter

T = TypeVar("T")


class Client(HttpClient):
    """One tab of one visitor."""

    def __init__(
        self, url: str, transport: Transport = "websocket", *, seconds: float = 10.0, trusted: str | None = None
    ) -> None:
        """`url`: where the app is mounted. `seconds`: how long anything is waited for.

        `trusted`: a file with the certificates to trust over https, instead of the usual ones. Without it the file
        that the environment names in REQUESTS_CA_BUNDLE, if it does.
        """
        super().__init__(url, seconds=seconds, trusted=trusted)
        self.transport = transport
        self._answers: dict[str, Message] = {}
        self._changed = threading.Condition()
        self._channel: Channel | None = None
        self._closed: int | None = None  # the close code, once the channel is closed
        self._reason = ""  # and what the server said of it

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
        self.get_page(query)

    def connect(self) -> None:
        """Open the channel. Raises `Refused` or `Disconnected` if the server does not want us."""
        self.leave()
        self._closed = None
        said, self.revision = self.revision, None
        query = self.channel_query(said)
        if self.transport == "http":
            self._channel = PlainHttp(self, self.hear)
            return
        received = self.bytes_received
        pushed = WebSocketChannel if self.transport == "websocket" else EventStream
        self._channel = pushed(self, query, self.hear, self.ended)
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
        box = self.named(target)
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

    def event(self, target: str | Element, name: str, data: Message | None = None) -> Any:
        """Send an event and wait for its answer: the handler's result. Raises `ServerError` if there is an error."""
        id = target if isinstance(target, str) else target.handler(name) or target.id
        callback_id, report = self.report(id, name, data)
        self.send(report)
        answer = self.wait_until(lambda: self._answers.pop(callback_id, None), f"the answer to {name} on {id}")
        if answer["action"] == "error":
            raise ServerError(answer["traceback"])
        return answer["result"]

    def send(self, message: Message) -> None:
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
                    raise Disconnected(self._closed, reason=self._reason)
                if time.monotonic() > deadline:
                    raise Unanswered(f"waited {self.seconds:g} s in vain for {what}")
                self._wait_for_news(deadline)
        return value

    # what the channels tell

    def hear(self, payload: str) -> None:
        """A message of the server arrived."""
        with self._changed:
            message = self.receive(payload)
            if callback_id := message.get("callback_id"):
                self._answers[callback_id] = message
            self._changed.notify_all()

    def ended(self, code: int, reason: str) -> None:
        """The channel was closed, not by us."""
        with self._changed:
            self._closed, self._reason = code, reason
            self._changed.notify_all()

    def _wait_for_news(self, deadline: float) -> None:
        if self.transport == "http":
            self._changed.wait(POLL_SECONDS)
            self.poll()
        else:
            self._changed.wait(max(0.0, deadline - time.monotonic()))


def _session_is_unknown(failure: Exception) -> bool:
    if isinstance(failure, Refused):
        return failure.status == 404
    return isinstance(failure, Disconnected) and failure.code == UNKNOWN_SESSION
