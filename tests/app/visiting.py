"""Visitors of a server process: requests, a tab with its WebSocket, and what the server says of itself."""

import contextlib
import http.client
import json
from collections.abc import Iterator
from typing import Any

from websockets.sync.client import ClientConnection, connect

from htag.wire.parano import Cipher
from tests.support.waiting import PATIENCE


def get(port: int, path: str = "/", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.body = response.read()  # type: ignore[attr-defined]
        return response
    finally:
        connection.close()


def health(port: int) -> Any:
    return json.loads(get(port, "/health").body)  # type: ignore[attr-defined]


def pid_of(port: int) -> int:
    return int(health(port)["worker"]["pid"])


def is_live(port: int) -> bool:
    try:
        return get(port, "/health/live").status == 200
    except OSError:
        return False


@contextlib.contextmanager
def tab(port: int) -> Iterator[ClientConnection]:
    """A browser's tab: the page, then its WebSocket."""
    cookie = (get(port).getheader("set-cookie") or "").partition(";")[0]
    with connect(f"ws://127.0.0.1:{port}/ws", additional_headers={"cookie": cookie}) as websocket:
        json.loads(websocket.recv(PATIENCE))  # the whole page once more
        yield websocket


def click(websocket: ClientConnection) -> Any:
    websocket.send(json.dumps({"id": "more", "event": "click", "data": {"callback_id": "1"}}))
    return json.loads(websocket.recv(PATIENCE))


class Visitor:
    """A page with its cookie, its token, and its parano key where there is one."""

    def __init__(self, port: int) -> None:
        answer = get(port)
        self.port = port
        self.cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
        text = answer.body.decode()  # type: ignore[attr-defined]
        self.token = text.partition('HTAG_CSRF = "')[2].partition('"')[0]
        self.key = text.partition('PARANO = "')[2].partition('"')[0] if 'PARANO = "' in text else ""

    @contextlib.contextmanager
    def socket(self) -> Iterator[ClientConnection]:
        headers = {"cookie": self.cookie}
        with connect(f"ws://127.0.0.1:{self.port}/ws", additional_headers=headers, max_size=None) as websocket:
            websocket.recv(PATIENCE)
            yield websocket

    def encode(self, message: Any) -> str:
        text = json.dumps(message)
        return Cipher(self.key).conceal(text.encode()) if self.key else text

    def fire(self, websocket: ClientConnection, name: str, value: str) -> None:
        """Fire an event and wait until it was answered."""
        for what in (name, "ok"):
            data = {"value": value, "callback_id": what, "anything": [value]}
            websocket.send(self.encode({"id": what, "event": "input" if what == "field" else "click", "data": data}))
        websocket.recv(PATIENCE)
        with contextlib.suppress(TimeoutError):
            while True:
                websocket.recv(0.05)
