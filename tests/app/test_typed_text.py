"""Nothing that a visitor types is in any line of any log, and no visitor can fill the logs: a real server, attacked."""

import contextlib
import json
import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from htag.log.reports import OF_A_SESSION
from tests.app.processes import Server, Start
from tests.app.visiting import Visitor, get, is_live
from tests.support.waiting import PATIENCE, eventually

APP = """
import asyncio, threading, weakref
from htag import State, Tag


class Refuses:
    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text

    def __del__(self):
        raise ValueError(self.text)  # said by sys.unraisablehook


class Hooked(Tag.p):
    async def on_mount(self):
        raise LookupError(self.root.typed)


class Leaving(Tag.p):
    def on_unmount(self):
        raise LookupError(self.root.typed)


class Page(Tag.App):
    def init(self):
        self.typed = ""
        self.shown = State(0)
        for name in ("plain", "later", "stepwise", "chained", "noted", "grouped", "deep", "task", "callback", "thread",
                     "unraisable", "rendered", "hooked", "unhooked", "returned", "kept", "blocked", "ok"):
            Tag.button(name, _id=name, _onclick=getattr(self, name))
        Tag.input(_id="field", _oninput=lambda event: int(event.value))
        Tag.p(self.shown)
        self.place = Tag.div()

    def ok(self, event):
        self.shown += 1

    def plain(self, event):
        int(event.value)

    async def later(self, event):
        await asyncio.sleep(0)
        {}[event.value]

    def stepwise(self, event):
        yield
        raise OSError(2, "no such file", event.value)

    def chained(self, event):
        try:
            int(event.value)
        except ValueError as error:
            raise RuntimeError("while reading " + event.value) from error

    def noted(self, event):
        error = ValueError()
        if hasattr(error, "add_note"):
            error.add_note("a note of " + event.value)
        raise error

    def grouped(self, event):
        raise ExceptionGroup("all of " + event.value, [ValueError(event.value), KeyError(event.value)])

    def deep(self, event):
        def even(text):
            odd(text)

        def odd(text):
            even(text)

        even(event.value)

    def task(self, event):
        text = event.value

        async def fails():
            raise ValueError(text)

        asyncio.get_running_loop().create_task(fails(), name=text)

    def callback(self, event):
        def fails(text):
            raise ValueError(text)

        asyncio.get_running_loop().call_soon(fails, event.value)

    def thread(self, event):
        threading.Thread(target=int, args=(event.value,), name=event.value).start()

    def unraisable(self, event):
        Refuses(event.value)

    def rendered(self, event):
        text = event.value
        self.place.clear(Tag.span(lambda: int(text)))

    def hooked(self, event):
        self.typed = event.value
        self.place.clear(Hooked())

    def unhooked(self, event):
        self.typed = event.value
        self.place.clear(Leaving())
        self.place.clear()

    def returned(self, event):
        return Refuses(event.value)

    def kept(self, event):
        self.kept_for = {event.value: (each for each in ())}  # what no snapshot can hold, under a key that says all

    def blocked(self, event):
        import time
        time.sleep(0.3)  # three times what the watchdog lets pass
"""
EVENTS = """plain later stepwise chained noted grouped deep task callback thread unraisable rendered hooked unhooked
returned kept"""
SECRET = "correct horse battery staple"


@pytest.fixture
def port(free_base: int, tmp_path: Path) -> int:
    (tmp_path / "page.py").write_text(APP)
    return free_base


Serve = Any


@pytest.fixture
def serve(start: Start, port: int) -> Serve:
    """Starts the program with one process and the given settings."""

    def serve_with(**settings: str) -> Server:
        server = start("htag_stack", HTAG_APP="page:Page", HTAG_PORT=str(port), **settings)
        eventually(lambda: is_live(port) or server.process.poll() is not None, "the port serves")
        assert server.process.poll() is None, server.stderr()
        return server

    return serve_with


@pytest.mark.parametrize("parano", ["0", "1"])
@pytest.mark.parametrize("log_format", ["plain", "json"])
def test_no_line_holds_what_a_visitor_typed(serve: Serve, port: int, log_format: str, parano: str) -> None:
    server = serve(HTAG_LOG_FORMAT=log_format, HTAG_LOG_LEVEL="debug", HTAG_PARANO=parano)
    visitor = Visitor(port)
    with visitor.socket() as websocket:
        for name in EVENTS.split():
            visitor.fire(websocket, name, SECRET)
        visitor.fire(websocket, "field", SECRET)
        for error in (f"JS Eval Error: {SECRET}\nat https://x/{SECRET}?{SECRET}:1:2", [SECRET], {"stack": SECRET}):
            websocket.send(visitor.encode({"action": "log_error", "error": error}))
        websocket.send("no JSON: " + SECRET)
        websocket.send(b"no JSON: " + SECRET.encode())
    broken = Visitor(port)
    with broken.socket() as websocket, contextlib.suppress(ConnectionClosed):
        websocket.send(broken.encode({"id": "ok", "event": "click"}))
        websocket.send(SECRET.encode() + b"\xff", text=True)
        websocket.recv(PATIENCE)
        websocket.recv(PATIENCE)
    get(port, "/?q=" + SECRET.replace(" ", "+"))
    get(port, "/ws?q=" + SECRET.replace(" ", "+"))
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as raw:
        raw.sendall(f"NONSENSE {SECRET} HTTP/1.1\r\n\r\n".encode())
        raw.recv(1000)
    server.process.terminate()
    server.ended()
    output = server.stdout() + server.stderr()
    assert [line for line in output.splitlines() if "horse" in line] == []
    for kind in ("ValueError", "KeyError", "OSError", "RuntimeError", "RecursionError", "LookupError"):
        assert kind in output, f"{kind}: types and frames are what an operator needs"
    assert "page.py" in output
    assert "JS Eval Error" in output
    assert "Page.kept_for[…]: the generator" in output


def test_with_debug_on_messages_are_shown(serve: Serve, port: int) -> None:
    server = serve(HTAG_DEBUG="1")
    visitor = Visitor(port)
    with visitor.socket() as websocket:
        visitor.fire(websocket, "chained", SECRET)
    eventually(lambda: f"while reading {SECRET}" in server.stdout(), "the message is logged")


def test_text_that_is_not_utf8_makes_no_traceback(serve: Serve, port: int) -> None:
    server = serve()
    for _ in range(5):
        visitor = Visitor(port)
        with visitor.socket() as websocket:
            for _ in range(3):
                websocket.send(json.dumps({"id": "ok", "event": "click", "data": {}}))
            websocket.send(b"\xff\xfe", text=True)
            with pytest.raises(ConnectionClosed) as caught:
                all(websocket.recv(PATIENCE) for _ in range(10))
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1007
    time.sleep(0.2)
    assert "Traceback" not in server.stdout()


def attack(visitor: Visitor, messages: list[Any]) -> None:
    with visitor.socket() as websocket:
        for message in messages:
            websocket.send(visitor.encode(message))
        websocket.send(visitor.encode({"id": "ok", "event": "click", "data": {"callback_id": "last"}}))
        while json.loads(websocket.recv(PATIENCE)).get("callback_id") != "last":
            pass


@pytest.mark.parametrize("kind", ["log_error", "plain", "deep", "rendered", "blocked"])
def test_one_visitor_cannot_fill_the_log(serve: Serve, port: int, kind: str) -> None:
    server = serve()
    if kind == "log_error":
        message: Any = {"action": "log_error", "error": "x" * 100_000}
    else:
        message = {"id": kind, "event": "click", "data": {"value": "x" * 1000}}
    if kind == "blocked":  # the watchdog names a function at most once in ten seconds, whoever calls it
        attack(Visitor(port), [message] * (OF_A_SESSION + 2))
        eventually(lambda: "blocked held up" in server.stdout(), "the watchdog's line, which its own thread writes")
        assert server.stdout().count("blocked held up") <= OF_A_SESSION
        return
    number = 60 if kind == "log_error" else 400  # the former count as 25 messages each, and are read at a limited rate
    attack(Visitor(port), [message] * number)
    assert len(server.stdout()) < 100_000
    assert server.stdout().count("ERROR") == OF_A_SESSION
    metrics = get(port, "/metrics").body.decode()  # type: ignore[attr-defined]
    left_out = re.search(r"^htag_reports_left_out_total (\d+)", metrics, re.MULTILINE)
    refused = re.search(r'^htag_session_limits_total\{bound="reports"\} (\d+)', metrics, re.MULTILINE)
    told = [int(each[1]) for each in (left_out, refused) if each]  # the latter of a page that reports ever more errors
    assert sum(told) == number - OF_A_SESSION


def test_broken_requests_cannot_fill_the_log(serve: Serve, port: int) -> None:
    server = serve()
    for _ in range(300):
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as raw:
            raw.sendall(b"NONSENSE\r\n\r\n")
            raw.recv(1000)
    assert 1 <= server.stdout().count("Invalid HTTP request") <= 50
