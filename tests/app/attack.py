"""Attackers against one real worker, and the visitor beside them whose clicks tell what that costs the others.

A click's cost is the time that the worker's event loop was running while the click waited: what else this machine does
is no part of it, unlike of the seconds on the clock.
"""

import base64
import http.client
import json
import os
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import psutil
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect

from tests.app.processes import Server, Start
from tests.support.waiting import PATIENCE, eventually

APP = """
from htag import Tag


class Victim(Tag.App):
    def init(self):
        self.number = 0
        self.shown = Tag.span("0")
        Tag.button("+", _id="more", _onclick=self.more)
        Tag.input(_id="field", _name="field", _oninput=lambda event: None)
        Tag.div(lambda: [Tag.p(f"row {row}", _onclick=self.more) for row in range(30)])

    def more(self, event):
        self.number += 1
        self.shown.text = str(self.number)
"""
# What is freed leaves the process at once, whatever lies beside it: else it is chance whether a hundred megabytes of
# garbage are part of a number, since glibc raises this threshold to 32 MiB by itself.
MEMORY_COMES_BACK = {"MALLOC_MMAP_THRESHOLD_": str(128 << 10), "MALLOC_ARENA_MAX": "2"}
SETTINGS = {
    "HTAG_APP": "victim:Victim",
    "HTAG_STORE": "memory://",
    "WEB_CONCURRENCY": "1",
    "HTAG_SESSION_NEW_SECONDS": "1",
    "HTAG_SESSION_GRACE_SECONDS": "1",
    **MEMORY_COMES_BACK,
}
GUNICORN = ("gunicorn", "--config", "python:htag_stack.gunicorn_conf")
MOST_SECONDS = 0.05  # of the event loop's time, that a click of somebody else may wait


def frame(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    """One frame as a browser sends it."""
    return Frame(opcode, data, fin).serialize(mask=True)


class Worker:
    """One worker behind gunicorn, and what it does with its processor and its memory."""

    def __init__(self, start: Start, folder: Path, base: int, **settings: str) -> None:
        (folder / "victim.py").write_text(APP)
        self.port = base + 1
        self.server: Server = start(*GUNICORN, **{**SETTINGS, "HTAG_PORT": str(base), **settings})
        eventually(lambda: self.is_live() or self.server.process.poll() is not None, "the worker serves")
        assert self.server.process.poll() is None, self.server.stderr()
        self.process = psutil.Process(self.pid())

    def is_live(self) -> bool:
        """Whether it answers."""
        with suppress(OSError):
            return self.get("/health/live").status == 200
        return False

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        """The answer to a GET, its body read into `.text`."""
        return self.request("GET", path, None, headers)

    def request(self, method: str, path: str, body: Any, headers: dict[str, str]) -> http.client.HTTPResponse:
        """The answer to a request, its body read into `.text`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.text = response.read().decode()  # type: ignore[attr-defined]
            return response
        finally:
            connection.close()

    def pid(self) -> int:
        """The process that answers."""
        return int(json.loads(self.get("/health").text)["worker"]["pid"])  # type: ignore[attr-defined]

    def visit(self) -> tuple[str, str]:
        """A new session: its cookie, and the token that a POST must bring."""
        response = self.get("/")
        assert response.status == 200
        token = response.text.partition('HTAG_CSRF = "')[2].partition('"')[0]  # type: ignore[attr-defined]
        return (response.getheader("set-cookie") or "").partition(";")[0], token

    def loop_seconds(self) -> float:
        """How long its main thread, which is its event loop, has been running on a processor."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9

    def memory(self) -> int:
        """Resident bytes."""
        return int(self.process.memory_info().rss)

    def sessions(self) -> int:
        """How many there are."""
        states: dict[str, int] = json.loads(self.get("/health").text)["sessions"]  # type: ignore[attr-defined]
        return sum(number for state, number in states.items() if state != "parked")  # those take no memory

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = self.get("/metrics").text.splitlines()  # type: ignore[attr-defined]
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))

    def heard(self) -> float:
        """How many messages it has handled or refused."""
        return self.metric("htag_events_total") + self.metric("htag_messages_refused_total")

    def assert_unharmed(self) -> None:
        """It is the same process, and nothing in its log is an error of ours."""
        assert self.pid() == self.process.pid
        assert "Traceback" not in self.server.stderr(), self.server.stderr()[-3000:]


class Visitor:
    """Somebody who clicks, one click after the other."""

    def __init__(self, worker: Worker, websocket: ClientConnection) -> None:
        self._worker = worker
        self._websocket = websocket
        self._number = 0
        self.waited: list[float] = []  # for each click, the seconds that the event loop was running meanwhile

    @classmethod
    @contextmanager
    def of(cls, worker: Worker) -> "Iterator[Self]":
        """A visitor with an open page."""
        cookie, _ = worker.visit()
        headers = {"cookie": cookie}
        with connect(f"ws://127.0.0.1:{worker.port}/ws", additional_headers=headers, max_size=None) as websocket:
            websocket.recv(PATIENCE)
            yield cls(worker, websocket)

    def click(self) -> None:
        """Click, and wait for the answer."""
        self._number += 1
        name = f"c{self._number}"
        before = self._worker.loop_seconds()
        self._websocket.send(json.dumps({"id": "more", "event": "click", "data": {"callback_id": name}}))
        while json.loads(self._websocket.recv(PATIENCE)).get("callback_id") != name:
            pass
        self.waited.append(self._worker.loop_seconds() - before)

    def clicks(self, seconds: float, at_least: int = 1) -> None:
        """Click fifty times a second, or as often as answers come: for `seconds`, and until there are so many."""
        deadline, most = time.monotonic() + seconds, len(self.waited) + at_least
        while time.monotonic() < deadline or len(self.waited) < most:
            self.click()
            time.sleep(0.02)

    def assert_served(self) -> None:
        """No click waited for what somebody else had the event loop do."""
        told = f"median {statistics.median(self.waited):.4f}, max {max(self.waited):.4f} of {len(self.waited)}"
        assert statistics.median(self.waited) < MOST_SECONDS / 5, told
        assert max(self.waited) < MOST_SECONDS, told


class RawSocket:
    """A WebSocket by hand: sends whatever bytes it is given, and reads only when told to."""

    def __init__(self, worker: Worker, cookie: str, path: str = "/ws", *, receives: int | None = None) -> None:
        """`receives`: bytes that the kernel takes on its behalf without being asked for; it takes megabytes unless told
        otherwise."""
        self.socket = socket.socket()
        if receives is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", worker.port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{worker.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nCookie: {cookie}\r\n\r\n".encode("latin-1")
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = self.socket.recv(4096)
            if not part:
                break
            answer += part
        self.status = int((answer.split() or [b"", b"0"])[1])

    def send(self, data: bytes) -> bool:
        """Send `data`; False if the other side has closed, or does not read."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def read(self) -> None:
        """Throw away what has come."""
        self.socket.settimeout(0)
        with suppress(OSError):
            while self.socket.recv(1 << 16):
                pass
        self.socket.settimeout(PATIENCE)

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


@contextmanager
def beside(*attacks: Callable[[threading.Event], Any]) -> Iterator[list[Future[Any]]]:
    """Run each of `attacks` in a thread until the block ends; what they raise is raised here. Each is given an event
    that says when to stop, and has to look at it at least once a second. Yields what tells whether they are done."""
    over = threading.Event()
    with ThreadPoolExecutor(len(attacks)) as pool:
        running = [pool.submit(attack, over) for attack in attacks]
        try:
            yield running
        finally:
            over.set()
        for each in running:
            each.result(PATIENCE)
