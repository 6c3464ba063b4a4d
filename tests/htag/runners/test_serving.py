"""The port, the browser, the server's options, and its end when the last tab has left."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from htag.limits import Limits
from htag.observer import Observer
from htag.runners import WebApp, reloader, serving
from htag.session.registry import SessionRegistry
from htag.session.session import Session
from htag.session.usage import HTTP_SECONDS
from htag.wire.codec import Codec
from tests.htag.runners.pages import Page
from tests.support.waiting import PATIENCE, eventually, passed


class Client:
    """Stands for the channel of a tab."""

    version = 1


# -- the port


def test_a_second_app_gets_a_port_of_its_own(served):
    WebApp(Page).run(port=0, open_browser=False)
    first = served[0]["port"]
    with socket.create_server(("127.0.0.1", first)):
        WebApp(Page).run(port=0, open_browser=False)
    assert served[1]["port"] not in (0, first)


def test_a_reloaded_app_keeps_its_port(served):
    WebApp(Page).run(port=0, open_browser=False)
    WebApp(Page).run(port=0, open_browser=False)
    assert served[0]["port"] == served[1]["port"] == int(os.environ["HTAG_PORT"])


def test_a_port_that_was_in_use_a_moment_ago_is_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not serving.is_free("127.0.0.1", port)
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()  # this end closes first: the port waits for stray packets
    assert serving.is_free("127.0.0.1", port)


# -- the browser


def test_the_browser_opens_as_soon_as_the_server_answers(served, opened):
    started = time.monotonic()
    WebApp(Page).run(port=opened.port)
    eventually(lambda: opened.addresses, "a browser")
    assert time.monotonic() - started < serving.BROWSER_SECONDS
    assert opened.addresses == [f"http://127.0.0.1:{opened.port}"]


def test_a_server_on_all_addresses_is_visited_at_one(served, opened):
    WebApp(Page).run(host="0.0.0.0", port=opened.port)
    assert eventually(lambda: opened.addresses, "a browser") == [f"http://127.0.0.1:{opened.port}"]


def test_with_a_certificate_the_address_says_so(served, opened):
    WebApp(Page).run(port=opened.port, ssl_certfile="cert.pem")
    assert eventually(lambda: opened.addresses, "a browser") == [f"https://127.0.0.1:{opened.port}"]


def test_a_restart_opens_no_second_tab(served, opened, monkeypatch):
    monkeypatch.setenv("HTAG_RELOADER", "1")
    before = threading.active_count()
    WebApp(Page).run(port=opened.port, reload=True)
    assert len(served) == 1
    assert threading.active_count() == before


def test_the_watcher_opens_the_browser_and_serves_nothing(served, opened, monkeypatch):
    monkeypatch.setattr(reloader.Reloader, "run", lambda self: None)
    web = WebApp(Page)
    web.run(port=opened.port, reload=True)
    assert eventually(lambda: opened.addresses, "a browser") == [f"http://127.0.0.1:{opened.port}"]
    assert served == []
    assert web.reload is True


# -- the server


def test_a_frozen_program_logs_to_no_console(served, monkeypatch):
    WebApp(Page).run(open_browser=False)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    WebApp(Page).run(open_browser=False)
    assert served[0]["log_config"]["version"] == 1
    assert served[1]["log_config"] is None


def test_an_open_event_stream_does_not_hold_up_the_end(served):
    WebApp(Page).run(open_browser=False)
    WebApp(Page).run(open_browser=False, timeout_graceful_shutdown=20)
    assert [options["timeout_graceful_shutdown"] for options in served] == [serving.SHUTDOWN_SECONDS, 20]


# -- stopping when the last tab has left


class Visited:
    """A registry with one session, whose tabs a test opens and closes."""

    def __init__(self, leave=True):
        self.registry = SessionRegistry(limits=Limits(), observer=Observer())
        self.session = self.registry.open(self._build)
        self.session.app.exit_on_disconnect = leave

    def _build(self, identity):
        return Session(identity, Page(), Codec(), Observer(), Limits())


async def test_the_last_tab_has_not_left_before_the_first_came():
    assert not serving.is_left(Visited().registry)


@pytest.mark.parametrize("leave", [True, False])
async def test_the_app_decides_whether_everybody_has_left(leave):
    visited = Visited(leave)
    visited.session.attach_once(client := Client())
    assert not serving.is_left(visited.registry)
    visited.session.detach(client)
    assert serving.is_left(visited.registry) is leave


async def test_a_tab_on_plain_http_is_there_while_it_polls():
    visited = Visited()
    visited.session.attach_once(client := Client())
    visited.session.detach(client)
    visited.session.last_poll_at = time.monotonic()
    assert not serving.is_left(visited.registry)
    visited.session.last_poll_at -= HTTP_SECONDS
    assert serving.is_left(visited.registry)


async def test_a_tab_that_comes_back_keeps_the_server(monkeypatch):
    stopped = []
    monkeypatch.setattr(signal, "raise_signal", stopped.append)
    monkeypatch.setattr(serving, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(serving, "LINGER_SECONDS", 0.1)
    visited = Visited()
    watch = asyncio.create_task(serving.stop_when_left(visited.registry))
    for _ in range(3):
        visited.session.attach_once(client := Client())
        await passed(0.05)
        visited.session.detach(client)
        await passed(0.05)
    assert stopped == []
    await asyncio.wait_for(watch, PATIENCE)
    assert stopped == [signal.SIGINT]


LEAVING = """
import asyncio, sys
from htag import Tag
from htag.runners import WebApp, serving

class Page(Tag.App):
    async def on_destroy(self):
        print("destroyed", flush=True)

web = WebApp(Page)
serving.is_left = lambda registry: bool(registry.sessions)  # who asks for the page has left at once
web.run(port=int(sys.argv[1]), open_browser=False, log_level="warning")
print("returned", flush=True)
"""


def test_run_returns_after_all_sessions_have_ended(tmp_path):
    port = serving.free_port("127.0.0.1")
    program = subprocess.Popen([sys.executable, "-c", LEAVING, str(port)], stdout=subprocess.PIPE, text=True)
    try:
        eventually(lambda: program.poll() is None and serving.is_listening("127.0.0.1", port), "the server")
        with socket.create_connection(("127.0.0.1", port)) as page:
            page.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert page.recv(100).startswith(b"HTTP/1.1 200")
        output, _ = program.communicate(timeout=PATIENCE)
    finally:
        program.kill()
    assert output.split() == ["destroyed", "returned"]
    assert program.returncode == 0
