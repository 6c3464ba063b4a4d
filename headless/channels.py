"""The three ways to a server over a network; what arrives goes to the client that opened the channel."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import requests
import websocket

from headless.errors import Disconnected, Refused
from headless.http import LIMIT, LIMITS, SERVED_BY, HttpClient
from headless.protocol import LOST
from headless.wire import Message

Hear = Callable[[str], None]  # a payload arrived
Ended = Callable[[int, str], None]  # the channel was closed, not by us; the close code, and the reason


class Channel(Protocol):
    """A way to send messages; what arrives goes to the client that opened it."""

    def send(self, message: Message) -> None:
        """Send one message."""
        ...

    def close(self) -> None:
        """Leave; nothing arrives afterwards."""
        ...


class WebSocketChannel:
    """Messages both ways over one WebSocket."""

    def __init__(self, client: HttpClient, query: str, hear: Hear, ended: Ended) -> None:
        self._client, self._hear, self._ended = client, hear, ended
        self._leaving = False
        self._socket = self._connect(query)
        headers = self._socket.getheaders() or {}
        client.served(headers.get(SERVED_BY.lower()))
        client.keep_cookies(headers.get("set-cookie", ""))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, message: Message) -> None:
        try:
            self._socket.send(self._client.encode(message))
        except (OSError, websocket.WebSocketException) as error:
            raise Disconnected(LOST) from error

    def close(self) -> None:
        self._leaving = True
        if self._socket.connected:
            self._socket.send_close(1001)  # going away
        self._socket.abort()  # type: ignore[no-untyped-call]  # the package is typed in part
        self._reader.join(self._client.seconds)

    def _connect(self, query: str) -> websocket.WebSocket:
        client = self._client
        url = client.url.replace("http", "ws", 1) + "ws" + query
        try:
            # the time limit is for the handshake; afterwards silence is nothing unusual
            connection = websocket.create_connection(
                url,
                timeout=client.connect_seconds,
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
        code, reason = LOST, ""
        try:
            while True:
                kind, data = self._socket.recv_data()
                if kind == websocket.ABNF.OPCODE_CLOSE:
                    code, reason = int.from_bytes(data[:2], "big"), data[2:].decode()
                    return
                self._hear(data.decode())
        except (OSError, websocket.WebSocketException):
            return  # the code says it: lost
        finally:
            self._socket.shutdown()  # type: ignore[no-untyped-call]  # likewise
            if not self._leaving:
                self._ended(code, reason)


class EventStream:
    """Messages to the server by POST, from it over server-sent events."""

    def __init__(self, client: HttpClient, query: str, hear: Hear, ended: Ended) -> None:
        self._client, self._hear, self._ended = client, hear, ended
        self._leaving = False
        self._stream = client.http.get(
            client.url + "stream" + query, stream=True, timeout=(client.connect_seconds, None)
        )
        client.check("the stream", self._stream)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, message: Message) -> None:
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
                    self._hear(line[len(b"data: ") :].decode())
        except requests.RequestException:
            return  # the code says it: lost
        finally:
            self._stream.close()
            if not self._leaving:
                self._ended(LOST, "")


class PlainHttp:
    """Messages to the server by POST, each answer with all that is pending."""

    def __init__(self, client: HttpClient, hear: Hear) -> None:
        self._client, self._hear = client, hear

    def send(self, message: Message) -> None:
        answer = json.loads(self._client.post({**message, "fallback": True}))
        for payload in answer["payloads"]:
            self._hear(payload)

    def close(self) -> None:
        return
