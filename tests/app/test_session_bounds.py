"""What one visitor can make a worker keep has a bound: a real server, and sockets that do not read."""

import contextlib
import http.client
import json
import socket
from collections.abc import Callable, Iterator

import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from htag.session.session import SESSION_TOO_LARGE
from tests.app.attack import MEMORY_COMES_BACK
from tests.app.processes import Server, Start
from tests.app.visiting import Visitor, get, is_live
from tests.support.waiting import PATIENCE, eventually

MIB = 1 << 20
MESSAGE = 900_000  # characters of a task: just below what a message may have
TABS = 20

UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: " + "A" * 22 + "==",
)


class Demo:
    """The demo served by one process, one visitor, and the memory of the server."""

    def __init__(self, server: Server, port: int, open_sockets: contextlib.ExitStack) -> None:
        self.server = server
        self.port = port
        self.visitor = Visitor(port)
        self._open = open_sockets
        self._process = psutil.Process(server.process.pid)
        self._began_with = self._process.memory_info().rss

    def growth(self) -> int:
        """MiB since the visitor came."""
        return int(self._process.memory_info().rss - self._began_with) // MIB

    def metric(self, name: str) -> float:
        lines = get(self.port, "/metrics").body.decode().splitlines()  # type: ignore[attr-defined]
        return float(next((line.split()[-1] for line in lines if line.startswith(name + " ")), 0))

    def ask(self, path: str) -> tuple[socket.socket, int]:
        """Ask for `path` and read the status, and nothing more."""
        asking = self._open.enter_context(socket.socket())
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what the kernel takes is not the server's
        asking.settimeout(PATIENCE)
        asking.connect(("127.0.0.1", self.port))
        upgrade = UPGRADE if path == "/ws" else ()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Cookie: {self.visitor.cookie}", *upgrade]
        asking.sendall("\r\n".join([*lines, "", ""]).encode())
        return asking, int(asking.recv(100).split()[1])


@pytest.fixture
def demo(start: Start, free_base: int) -> Iterator[Callable[..., Demo]]:
    with contextlib.ExitStack() as stack:

        def serve(**settings: str) -> Demo:
            server = start("htag_stack", HTAG_PORT=str(free_base), **MEMORY_COMES_BACK, **settings)
            eventually(lambda: is_live(free_base), "the port serves")
            return Demo(server, free_base, stack)

        yield serve


def add_tasks(demo: Demo, count: int, character: str = "x") -> None:
    """Type long texts into the demo's list of tasks, in a tab that reads, and wait until it shows each of them."""
    with demo.visitor.socket() as websocket:
        body = next(iter(json.loads(whole_frame(demo))["updates"]))
        websocket.send(json.dumps({"id": body, "event": "hashchange", "data": {"newURL": "http://x/#/tasks"}}))
        for number in range(count):
            text = character * MESSAGE + str(number)
            websocket.send(json.dumps({"id": "new-task", "event": "input", "data": {"value": text}}))
            websocket.send(json.dumps({"id": "add-task", "event": "click", "data": {}}))
            while f"{character}{number}</span>" not in str(websocket.recv(PATIENCE)):
                pass


def whole_frame(demo: Demo) -> str:
    """What a tab is sent first."""
    headers = {"cookie": demo.visitor.cookie}
    with connect(f"ws://127.0.0.1:{demo.port}/ws", additional_headers=headers, max_size=None) as websocket:
        return str(websocket.recv(PATIENCE))


@pytest.mark.parametrize(("path", "cut"), [("/ws", "websocket"), ("/stream", "sse"), ("/", None)])
def test_tabs_that_do_not_read_cost_a_bounded_amount_of_memory(
    demo: Callable[..., Demo], path: str, cut: str | None
) -> None:
    """Twenty pages of ten megabytes: 200 to 380 MiB stay without the bound, 30 to 60 with it, the session's own tree
    included. A tab that reads goes on meanwhile; those that others wait for are cut."""
    served = demo(HTAG_SESSION_BYTES=str(1 << 30))  # another bound, which would end the session
    add_tasks(served, 5)
    assert {served.ask(path)[1] for _ in range(TABS)} <= ({101} if path == "/ws" else {200, 503})
    add_tasks(served, 1)
    eventually(lambda: served.growth() < 130, lambda: f"what is kept to be less: {served.growth()} MiB")
    assert served.metric('htag_session_limits_total{bound="waiting"}') > 0
    if cut:
        eventually(lambda: served.metric(f'htag_connections{{transport="{cut}"}}') < TABS, "one is cut")


def type_on(websocket: ClientConnection, heard: list[str]) -> None:
    """Add tasks until the connection is closed."""
    for number in range(100):
        text = "x" * MESSAGE + str(number)
        websocket.send(json.dumps({"id": "new-task", "event": "input", "data": {"value": text}}))
        websocket.send(json.dumps({"id": "add-task", "event": "click", "data": {"callback_id": "c"}}))
        heard.append(str(websocket.recv(PATIENCE)))
        while "This page" in heard[-1]:
            heard.append(str(websocket.recv(PATIENCE)))


def test_a_session_that_grows_too_large_ends_and_its_page_is_told(demo: Callable[..., Demo]) -> None:
    served = demo(HTAG_SESSION_BYTES=str(4 * MIB))
    other = Visitor(served.port)
    with other.socket(), served.visitor.socket() as websocket:
        body = next(iter(json.loads(whole_frame(served))["updates"]))
        websocket.send(json.dumps({"id": body, "event": "hashchange", "data": {"newURL": "http://x/#/tasks"}}))
        heard: list[str] = []
        with pytest.raises(ConnectionClosed) as caught:
            type_on(websocket, heard)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == SESSION_TOO_LARGE
    assert any('"action":"error"' in str(frame) and "This page was closed" in str(frame) for frame in heard)
    assert served.metric('htag_sessions_closed_total{reason="too_large"}') == 1
    assert get(served.port, "/", cookie=other.cookie).getheader("set-cookie").startswith(other.cookie)  # type: ignore[union-attr]
    assert not (get(served.port, "/", cookie=served.visitor.cookie).getheader("set-cookie") or "").startswith(
        served.visitor.cookie
    )


def test_a_tab_too_many_works_over_plain_http(demo: Callable[..., Demo]) -> None:
    served = demo(HTAG_SESSION_TABS="3")
    tabs = [served.ask("/ws") for _ in range(5)] + [served.ask("/stream")]
    assert [status for _, status in tabs] == [101, 101, 101, 403, 403, 429]
    assert served.metric('htag_session_limits_total{bound="tabs"}') == 3
    headers = {"cookie": served.visitor.cookie, "x-htag-token": served.visitor.token, "x-htag-tab": "one"}
    message = json.dumps({"id": "click", "event": "click", "data": {"callback_id": "c"}, "fallback": True})
    answer = post(served.port, message, headers)
    assert '"callback_id\\":\\"c' in answer
    tabs[0][0].close()
    eventually(lambda: served.ask("/ws")[1] == 101, "the place is free again")


def post(port: int, body: str, headers: dict[str, str]) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request("POST", "/event", body, headers)
        return connection.getresponse().read().decode()
