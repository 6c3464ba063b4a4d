"""A tab that speaks wire version 2 over a network: whatever becomes of connections and workers, each event counts once.

    with ResilientClient("http://127.0.0.1:8000") as client:
        client.open()
        client.connect()
        client.click("inc")  # also while the server's processes are killed

It comes back by itself, without loading the page again; `page_loads` says how often it had to.
"""

import json
import random
import secrets
import time
from typing import Any

import requests
import websocket

from headless.channels import EventStream, PlainHttp, WebSocketChannel
from headless.client import Client
from headless.document import Element
from headless.errors import ClientError, Disconnected, Refused, ServerError, SessionLost, Unanswered
from headless.numbers import Numbers
from headless.protocol import ELSEWHERE, LOST, UNKNOWN_SESSION, Transport
from headless.wire import Message

CONNECT_SECONDS = 2.0  # for a connection to open; beyond, another slot may be quicker
SILENT_SECONDS = 3.0  # without a word while an answer is waited for: then it is asked, and after as long given up
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds between attempts to connect, each with jitter
LOOK_SECONDS = 0.1  # between two looks whether the connection is still alive

TROUBLE = (ClientError, OSError, requests.RequestException, websocket.WebSocketException)


class ResilientClient(Client):
    """One tab of one visitor, which loses no event."""

    def __init__(
        self, url: str, transport: Transport = "websocket", *, seconds: float = 30.0, trusted: str | None = None
    ) -> None:
        """`seconds`: how long an answer is waited for, whatever happens meanwhile. The others as `Client` has them."""
        super().__init__(url, transport, seconds=seconds, trusted=trusted)
        self.version = 2
        self.connect_seconds = CONNECT_SECONDS
        self.reconnects = 0
        self._welcome: Message | None = None
        self._heard_at = 0.0
        self._asked = False  # whether it is still there

    # a visit

    def open(self, query: str = "") -> None:
        """Load the page: what was not saved of an earlier load is not sent again."""
        self.events, self.name = Numbers(), secrets.token_hex(8)
        super().open(query)

    def connect(self) -> None:
        """Open the channel, and send again what the server has not. Raises what went wrong with this attempt."""
        self.leave()
        self._closed, self._welcome, self._asked = None, None, False
        self.tries += 1
        self._heard_at = time.monotonic()
        query, self.at = self.channel_query(self.revision), None
        if self.transport == "http":
            self._channel = PlainHttp(self, self.hear)
            self._exchange({"action": "poll"})
        else:
            pushed = WebSocketChannel if self.transport == "websocket" else EventStream
            self._channel = pushed(self, query, self.hear, self.ended)
            welcome = self._welcomed()
            self._resend(welcome["last"], welcome["saved"])
        self.tries = self.elsewhere = 0

    def reconnect(self) -> None:
        """Come back to the same session. Raises `SessionLost` where it is gone."""
        self._come_back(time.monotonic() + self.seconds)

    def leave(self) -> None:
        """Close the channel, as a tab that goes away."""
        self.events.note_lost()
        super().leave()

    # what a person does

    def event(self, target: str | Element, name: str, data: Message | None = None) -> Any:
        """Send an event and wait for its answer: the handler's result. Raises `ServerError` if there is an error."""
        return self.answer(self.begin(target, name, data))

    def begin(self, target: str | Element, name: str, data: Message | None = None) -> int:
        """Send an event, if there is a connection. Returns its number."""
        id = target if isinstance(target, str) else target.handler(name) or target.id
        report = self.report(id, name, data)[1]
        number = self.events.add(report)
        if self.connected:
            try:
                self._say(report)
            except TROUBLE as error:
                self._note_trouble(error)
        return number

    def answer(self, number: int) -> Any:
        """Wait for the answer to an event, and come back as often as it takes. Raises `ServerError` if it is an error,
        `SessionLost` if the session is gone, `Unanswered` in the end."""
        deadline = time.monotonic() + self.seconds
        while number not in self.events.answers:
            if time.monotonic() > deadline:
                raise Unanswered(f"waited {self.seconds:g} s in vain for the answer to event {number}")
            if not self.connected:
                self._come_back(deadline)
            else:
                self._wait(number)
        answer = self.events.answers.pop(number)
        if answer["action"] == "error":
            raise ServerError(answer["traceback"])
        return answer["result"]

    def send(self, message: Message) -> None:
        """Send any message, waiting for nothing."""
        if not self.connected:
            raise Disconnected(self._closed or LOST)
        self._say(message)

    # what the channels tell

    def hear(self, payload: str) -> None:
        """A message of the server arrived."""
        with self._changed:
            message = self.receive(payload)
            self._heard_at, self._asked = time.monotonic(), False
            if message["action"] == "welcome":
                self._welcome = message
            self._changed.notify_all()

    # sending

    def _say(self, message: Message) -> None:
        """Send a message; it carries the number of what the page shows."""
        if "n" in message:
            self.events.note_sent(message["n"])
        if self.revision is not None:
            message = {**message, "got": int(self.revision)}
        if self.transport == "websocket":
            assert self._channel is not None
            self._channel.send(message)
        else:
            self._exchange(message)

    def _exchange(self, message: Message) -> None:
        """Send a message by POST, and take in the answer."""
        fallback = {"fallback": True} if self.transport == "http" else {}
        try:
            answer = json.loads(self.post({**message, **fallback}))
        except Refused as refused:
            if refused.status == 409 and json.loads(refused.body)["status"] == "gap":
                self._resend(json.loads(refused.body)["last"], 0)
                return
            raise
        self._heard_at, self._asked = time.monotonic(), False
        for payload in answer.get("payloads", ()):
            self.hear(payload)
        if "revision" in answer:
            self.revision = str(answer["revision"])
        pending = self.events.pending(answer["last"], answer["saved"])
        if message.get("action") == "poll":
            for each in pending:
                self._say(each)

    def _resend(self, last: int, saved: int) -> None:
        for message in self.events.pending(last, saved):
            self._say(message)

    # waiting

    def _welcomed(self) -> Message:
        deadline = time.monotonic() + self.connect_seconds
        with self._changed:
            while self._welcome is None:
                if self._closed is not None:
                    raise Disconnected(self._closed, reason=self._reason)
                if time.monotonic() > deadline:
                    raise Unanswered("no welcome")
                self._changed.wait(LOOK_SECONDS)
            return self._welcome

    def _wait(self, number: int) -> None:
        """Wait for a moment, and ask the server whether it is there if it says nothing for long."""
        with self._changed:
            if number not in self.events.answers and self._closed is None:
                self._changed.wait(LOOK_SECONDS)
        try:
            self._look_after_connection()
        except TROUBLE as error:
            self._note_trouble(error)

    def _look_after_connection(self) -> None:
        if self.transport == "http":
            self._exchange({"action": "poll"})
            return
        silent = time.monotonic() - self._heard_at
        if self._asked and silent > 2 * SILENT_SECONDS:
            raise Unanswered("the server is silent")
        if not self._asked and silent > SILENT_SECONDS:
            self._asked = True
            self._say({"action": "ping"})

    # coming back

    def _come_back(self, deadline: float) -> None:
        pause = SHORTEST_PAUSE
        while True:
            try:
                self.connect()
                self.reconnects += 1
                return
            except TROUBLE as error:
                self._note_trouble(error)
                if time.monotonic() > deadline:
                    raise Unanswered(f"no connection to {self.url} in {self.seconds:g} s") from error
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(2 * pause, LONGEST_PAUSE)

    def _note_trouble(self, error: Exception) -> None:
        """Note what an attempt, or a connection, ended with: that says where to go next. Raises `SessionLost`."""
        if _session_is_unknown(error):
            raise SessionLost(f"{self.url} does not know the session") from error
        self.leave()
        self._closed = LOST if self._closed is None else self._closed
        if isinstance(error, Disconnected) and error.code == ELSEWHERE:
            self.at = error.reason
        elif isinstance(error, Refused) and error.status == 409:
            self.at = json.loads(error.body)["at"]
        elif not isinstance(error, Disconnected) or error.code == LOST:
            self.elsewhere = self.elsewhere + 1 if self.elsewhere else random.randrange(1, 1_000_000)


def _session_is_unknown(error: Exception) -> bool:
    if isinstance(error, Refused):
        return error.status == 404
    return isinstance(error, Disconnected) and error.code == UNKNOWN_SESSION
