"""htag in somebody's own program, run by a real server: its end, its restart, and several processes of it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from websockets.sync.client import connect

from htag import Tag, WebApp
from tests.support.ports import free_port
from tests.support.servers import UnsignalledServer
from tests.support.source import ROOT
from tests.support.waiting import PATIENCE, STACK_SECONDS, eventually, until

END = 3.0  # seconds for a process to end: what a person waits after Ctrl-C

APP = """
import asyncio, contextlib, sys
from htag import Tag, WebApp

class Page(Tag.App):
    def init(self):
        self <= Tag.button("WORD", _id="b", _onclick=lambda event: "clicked")
    def on_destroy(self):
        print("destroyed", flush=True)

class Slow(Page):
    async def on_destroy(self):
        await asyncio.sleep(0.3)
        print("destroyed", flush=True)
"""

STARLETTE = """
from starlette.applications import Starlette
from starlette.routing import Mount
web = WebApp(Slow)
app = Starlette(routes=[Mount("/htag", web.app)], lifespan=web.lifespan)
"""
COMPOSED = """
from starlette.applications import Starlette
from starlette.routing import Mount
web, other = WebApp(Slow), WebApp(Page)
@contextlib.asynccontextmanager
async def lifespan(application):
    print("host up", flush=True)
    async with web.lifespan(), other.lifespan():
        yield
    print("host down", flush=True)
app = Starlette(routes=[Mount("/htag", web.app), Mount("/other", other.app)], lifespan=lifespan)
"""
FASTAPI = """
import fastapi
web = WebApp(Slow)
app = fastapi.FastAPI(lifespan=web.lifespan)
app.mount("/htag", web.app)
"""
WITHOUT_LIFESPAN = """
import fastapi
app = fastapi.FastAPI()
app.mount("/htag", WebApp(Slow).app)
"""
ITSELF = "app = WebApp(Slow).app\n"
OBJECT = "app = WebApp(Slow)\n"
INSTANCE = "app = Slow().app\n"

PROGRAMS = {
    "Starlette": (STARLETTE, "/htag/"),
    "Starlette, two apps": (COMPOSED, "/htag/"),
    "FastAPI": (FASTAPI, "/htag/"),
    "no lifespan": (WITHOUT_LIFESPAN, "/htag/"),
    "WebApp.app": (ITSELF, "/"),
    "WebApp": (OBJECT, "/"),
    "App.app": (INSTANCE, "/"),
}


class Server:
    """A program of somebody's under a server of a command line, as they start it."""

    def __init__(self, folder: Path, program: str, base: str = "/", *options: str, word: str = "first") -> None:
        self.base = base
        self.client = httpx2.Client(timeout=PATIENCE)
        self.port = free_port()
        self.file = folder / "program.py"
        self._program = APP + program
        self.write(word)
        self.output = folder / "output"
        arguments = ["uvicorn", "program:app", "--port", str(self.port), "--log-level", "warning", *options]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        eventually(self.listens, "the server")

    def write(self, word: str) -> None:
        self.file.write_text(self._program.replace("WORD", word))

    @property
    def said(self) -> str:
        return self.output.read_text()

    def listens(self) -> bool:
        assert self.process.poll() is None, self.said
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, path: str = "", cookie: str = "", **headers: str) -> httpx2.Response:
        """The answer, whose body is still to be read."""
        said = {**headers, **({"cookie": cookie} if cookie else {})}
        url = f"http://127.0.0.1:{self.port}{self.base}{path}"
        return self.client.send(self.client.build_request("GET", url, headers=said), stream=True)

    def page(self) -> tuple[str, str]:
        """A first visit: the page, and the cookie to say from now on."""
        self.client.cookies.clear()
        answer = self.ask()
        return answer.read().decode(), answer.headers["set-cookie"].partition(";")[0]

    def shows(self, word: str) -> Callable[[], bool]:
        def look() -> bool:
            try:
                return f">{word}<" in self.page()[0]
            except httpx2.TransportError:
                return False

        return look

    def stream(self, cookie: str) -> Iterator[bytes]:
        """A tab on server-sent events that is connected: what else comes."""
        answer = self.ask("stream", cookie)
        assert answer.status_code == 200
        parts = answer.iter_raw()
        assert next(parts).startswith(b"data: ")
        return parts

    def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self.client.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def begin(*arguments: str, **options: str) -> Server:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Server(folder, *arguments, **options))
        return started[-1]

    yield begin
    for each in started:
        each.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_server_ends_with_tabs_open_and_on_destroy_has_run(
    start: Callable[..., Server], name: str, number: signal.Signals
) -> None:
    program, base = PROGRAMS[name]
    server = start(program, base)
    _, cookie = server.page()
    stream = server.stream(cookie)
    with connect(f"ws://127.0.0.1:{server.port}{base}ws", additional_headers={"Cookie": cookie}) as socket:
        assert json.loads(socket.recv(PATIENCE))["action"] == "update"
        server.process.send_signal(number)
        server.process.wait(END)
    assert server.said.count("destroyed\n") == 1
    assert "Traceback" not in server.said
    assert b"".join(stream) == b"", "the stream came to an orderly end"


def test_sessions_end_before_the_hosts_own_lifespan(start: Callable[..., Server]) -> None:
    server = start(COMPOSED, "/htag/")
    server.page()
    server.process.send_signal(signal.SIGINT)
    server.process.wait(END)
    assert server.said.splitlines()[:3] == ["host up", "destroyed", "host down"]


def test_reload_restarts_although_a_stream_is_open(start: Callable[..., Server]) -> None:
    server = start(FASTAPI, "/htag/", "--reload")
    eventually(server.shows("first"), "the first page")
    server.stream(server.page()[1])
    eventually(lambda: server.write("second") or "detected changes" in server.said, "a reload")  # once it has seen all
    eventually(server.shows("second"), "the second page")


def test_a_limit_on_requests_ends_streams_too(start: Callable[..., Server]) -> None:
    server = start(STARLETTE, "/htag/", "--limit-max-requests", "2")
    _, cookie = server.page()
    server.stream(cookie)
    server.page()
    server.process.wait(END)


class Destroyed(Tag.App):
    ends: list[str] = []  # noqa: RUF012 - of all instances

    def on_destroy(self) -> None:
        self.ends.append("destroyed")


def test_a_server_in_a_thread_ends_with_a_stream_open() -> None:
    Destroyed.ends.clear()
    server = UnsignalledServer(uvicorn.Config(WebApp(Destroyed).app, port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started, "the server")
    with httpx2.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE) as client:
        client.get("/")
        with client.stream("GET", "/stream") as tab:
            parts = tab.iter_raw()
            assert next(parts).startswith(b"data: ")
            server.should_exit = True
            thread.join(END)
            assert list(parts) == []
    assert not thread.is_alive()
    assert Destroyed.ends == ["destroyed"]


def test_uvicorns_own_prefix_for_a_proxy_that_strips_it(start: Callable[..., Server]) -> None:
    server = start(FASTAPI, "/htag/", "--root-path", "/demo")
    answer = server.ask()
    answer.read()
    assert "Path=/demo/htag/" in answer.headers["set-cookie"]
    server.stream(answer.headers["set-cookie"].partition(";")[0])


@contextlib.asynccontextmanager
async def served(app: Any, lifespan: Literal["on", "off"] = "on") -> AsyncIterator[None]:
    """A server in this event loop, with a tab on a stream when it ends."""
    server = UnsignalledServer(uvicorn.Config(app, port=0, log_config=None, lifespan=lifespan))
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE) as client:
        assert (await client.get("/")).status_code == 200
        async with client.stream("GET", "/stream") as tab:
            parts = tab.aiter_raw()
            assert (await anext(parts)).startswith(b"data: ")
            yield
            server.should_exit = True
            assert [part async for part in parts] == []
            await asyncio.wait_for(task, END)


def host(web: WebApp) -> Any:
    """A host application that does not run our lifespan."""
    return Starlette(routes=[Mount("/", web.app)])


@pytest.mark.parametrize("arrange", [lambda web: web.app, host])
async def test_one_web_app_is_served_again_and_again_on_one_event_loop(arrange: Callable[[WebApp], Any]) -> None:
    web = WebApp(Destroyed)
    for life in (1, 2, 3):
        Destroyed.ends.clear()
        async with served(arrange(web)):
            assert len(web.instances) == 1, life
        assert Destroyed.ends == ["destroyed"]


@pytest.mark.parametrize("arrange", [lambda web: web.app, host])
async def test_of_two_servers_on_one_event_loop_each_ends_its_own(arrange: Callable[[WebApp], Any]) -> None:
    webs = WebApp(Destroyed), WebApp(Destroyed)
    Destroyed.ends.clear()
    async with served(arrange(webs[0])):
        async with served(arrange(webs[1])):
            assert [len(web.instances) for web in webs] == [1, 1]
        assert [len(web.instances) for web in webs] == [1, 0]
    assert Destroyed.ends == ["destroyed"] * 2


async def test_sessions_outlive_a_server_that_is_told_to_run_no_lifespan() -> None:
    web = WebApp(Destroyed)
    Destroyed.ends.clear()
    for life in (1, 2):
        async with served(web.app, "off"):
            assert len(web.instances) == life
    assert Destroyed.ends == []
    await web.registry.close()


# -- several processes


WARNING = "2 processes serve this WebApp behind one port"


@pytest.mark.parametrize("name", ["FastAPI", "WebApp.app"])
def test_several_processes_behind_one_port_say_at_start_that_this_cannot_work(
    start: Callable[..., Server], name: str
) -> None:
    server = start(*PROGRAMS[name], "--workers", "2")
    eventually(lambda: WARNING in server.said, "the warning")
    assert "secret" in server.said
    assert "sticky" in server.said


def test_they_say_it_at_the_first_page_where_the_host_does_not_run_our_lifespan(start: Callable[..., Server]) -> None:
    server = start(WITHOUT_LIFESPAN, "/htag/", "--workers", "2")
    server.page()
    eventually(lambda: WARNING in server.said, "the warning")


STORED = """
from htag.stores import open_store
web = WebApp(Page, secret="s" * 32, store=open_store("sqlite:///sessions.db"))
"""
REFUSAL = "2 processes behind one port would share the sessions of this WebApp"


def test_with_a_store_several_processes_behind_one_port_are_refused_at_start(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(APP + STORED + "app = web.app\n")
    arguments = ["uvicorn", "program:app", "--port", str(free_port()), "--workers", "2"]
    ended = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=STACK_SECONDS,
        check=False,
    )
    assert REFUSAL in ended.stderr, "and it has ended"
    assert "sticky" in ended.stderr


def test_they_are_refused_at_each_page_where_the_host_does_not_run_our_lifespan(start: Callable[..., Server]) -> None:
    mounted = 'import fastapi\napp = fastapi.FastAPI()\napp.mount("/htag", web.app)\n'
    server = start(STORED + mounted, "/htag/", "--workers", "2")
    for _ in range(3):
        assert server.ask().status_code == 500
    assert REFUSAL in server.said


@pytest.mark.parametrize("options", [(), ("--reload",)])
def test_one_process_with_a_store_is_served(start: Callable[..., Server], options: tuple[str, ...]) -> None:
    server = start(STORED + "app = web.app\n", "/", *options)
    eventually(server.shows("first"), "the first page")
    assert "processes" not in server.said


@pytest.mark.parametrize("options", [(), ("--reload",)])
def test_one_process_says_nothing(start: Callable[..., Server], options: tuple[str, ...]) -> None:
    server = start(STARLETTE, "/htag/", *options)
    eventually(server.shows("first"), "the first page")
    assert "processes serve" not in server.said


GUNICORN = ["gunicorn", "program:app", "--worker-class", "uvicorn_worker.UvicornWorker", "--workers", "2"]


@pytest.mark.parametrize(("secret", "warns"), [("", True), (", secret='the same for all of them'", False)])
def test_gunicorns_workers_say_it_unless_there_is_a_secret(tmp_path: Path, secret: str, warns: bool) -> None:
    (tmp_path / "program.py").write_text(APP + f"app = WebApp(Page{secret}).app\nprint('imported', flush=True)\n")
    port = free_port()
    output = tmp_path / "output"
    with output.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *GUNICORN, "--bind", f"127.0.0.1:{port}", "--no-control-socket"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: output.read_text().count("Application startup complete") == 2, "both workers")
    finally:
        process.terminate()
        process.wait(PATIENCE)
    assert (WARNING in output.read_text()) is warns


def test_gunicorns_uvicorn_worker_ends_with_a_stream_open(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(APP + FASTAPI)
    port = free_port()
    output = tmp_path / "output"
    with output.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *GUNICORN[:-1], "1", "--bind", f"127.0.0.1:{port}", "--no-control-socket"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: "Application startup complete" in output.read_text(), "the worker")
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}/htag", timeout=PATIENCE) as client:
            client.get("/")
            with client.stream("GET", "/stream") as tab:
                parts = tab.iter_raw()
                assert next(parts).startswith(b"data: ")
                process.terminate()
                process.wait(END)
                assert list(parts) == []
    finally:
        process.kill()
        process.wait(PATIENCE)
    assert output.read_text().count("destroyed\n") == 1


STICKY = "app = WebApp(Page, secret='one secret for all of them').app\n"


def test_processes_with_one_secret_behind_a_sticky_proxy(start: Callable[..., Server]) -> None:
    """Each on a port of its own; the proxy shows both the same `Host`, and sends a browser where it was before."""
    servers = [start(STICKY), start(STICKY)]
    for home, other in (servers, servers[::-1]):
        cookie = asked(home, "")["set-cookie"]
        assert cookie.startswith("htag_sid="), "behind the proxy, all have its address"
        assert asked(home, "", cookie)["set-cookie"] == cookie, "the session of before"
        assert [asked(server, "stream", cookie)["status"] for server in (home, other)] == ["200", "404"]
        assert asked(other, "", cookie)["set-cookie"] != cookie, "its home is gone: a new session there, and no error"


def asked(server: Server, path: str, cookie: str = "") -> dict[str, str]:
    server.client.cookies.clear()
    answer = server.ask(path, cookie.partition(";")[0], host="app.example")
    answer.close()
    return {**answer.headers, "status": str(answer.status_code)}
