"""htag.runners: what the contract (test_contract_runners.py) does not say, and what is mended."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import types
import webbrowser

import pytest
import uvicorn

from htag import State, Tag
from htag.limits import Limits
from htag.observer import Observer
from htag.runners import ChromeApp, PyScript, WebApp, chrome, reloader, serving
from htag.session.registry import SessionRegistry
from htag.session.session import Session
from htag.session.usage import HTTP_SECONDS
from htag.wire.codec import Codec
from tests.support.waiting import PATIENCE, eventually, until


class Page(Tag.App):
    def init(self):
        self <= Tag.p("x")


@pytest.fixture
def served(monkeypatch):
    """What `uvicorn.run` was called with, instead of serving."""
    calls = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: calls.append(options))
    monkeypatch.setenv("HTAG_PORT", "")
    monkeypatch.delenv("HTAG_RELOADER", raising=False)
    return calls


@pytest.fixture
def opened(monkeypatch):
    """The addresses that a browser was opened with, and a port on which it finds somebody at once."""
    addresses = []
    monkeypatch.setattr(webbrowser, "open", addresses.append)
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        opened = types.SimpleNamespace(addresses=addresses, port=somebody.getsockname()[1])
        yield opened


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


def test_chrome_app_hands_options_to_the_server_and_to_the_web_app(served):
    app = ChromeApp(Page, kiosk=False, parano=True)
    app.run(log_level="warning", nonsense=1)
    assert served[0]["log_level"] == "warning"
    assert app.web.parano_key is not None


# -- stopping when the last tab has left


class Visited:
    """A registry with one session, whose tabs a test opens and closes."""

    def __init__(self, leave=True):
        self.registry = SessionRegistry(limits=Limits(), observer=Observer())
        self.session = self.registry.open(self._build)
        self.session.app.exit_on_disconnect = leave

    def _build(self, identity):
        return Session(identity, Page(), Codec(), Observer(), Limits())


async def test_nobody_has_left_before_anybody_came():
    assert not serving.is_left(Visited().registry)


@pytest.mark.parametrize("leave", [True, False])
async def test_the_app_decides_whether_everybody_has_left(leave):
    visited = Visited(leave)
    visited.session.attach_once(client := object())
    assert not serving.is_left(visited.registry)
    visited.session.detach(client)
    assert serving.is_left(visited.registry) is leave


async def test_a_tab_on_plain_http_is_there_while_it_polls():
    visited = Visited()
    visited.session.attach_once(client := object())
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
        visited.session.attach_once(client := object())
        await asyncio.sleep(0.05)
        visited.session.detach(client)
        await asyncio.sleep(0.05)
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


# -- reloading


def test_only_files_that_somebody_edits_are_watched(tmp_path):
    for name in ("a.py", "sub/b.py", "c.txt", ".git/d.py", "node_modules/e.py", "env/f.py", "__pycache__/g.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "env/pyvenv.cfg").touch()
    watched = {os.path.relpath(path, tmp_path) for path, _ in reloader.stamps(tmp_path)}
    assert watched == {"a.py", os.path.join("sub", "b.py")}


def test_a_file_that_appears_or_changes_is_noticed_once(tmp_path):
    file = tmp_path / "a.py"
    watcher = reloader.Reloader(tmp_path)
    assert not watcher._changed()
    file.touch()
    assert watcher._changed()
    os.utime(file, (1, 1))  # an older version, from version control, is another version as well
    assert watcher._changed()
    assert not watcher._changed()
    file.unlink()  # in the middle of being replaced
    assert not watcher._changed()


def test_installed_modules_are_not_watched():
    own = reloader.own_modules()
    assert reloader.__file__ in own
    assert uvicorn.__file__ not in own
    assert json.__file__ not in own


def test_a_script_is_started_again_as_it_was(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["shop.py", "--fast"])
    assert reloader.command() == [sys.executable, "shop.py", "--fast"]


def test_a_module_is_started_again_as_a_module(monkeypatch):
    main = types.ModuleType("__main__")
    main.__file__ = "/src/shop/__main__.py"
    main.__spec__ = types.SimpleNamespace(name="shop.__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr(sys, "argv", ["/src/shop/__main__.py", "--fast"])
    assert reloader.command() == [sys.executable, "-m", "shop", "--fast"]


def test_a_crash_is_tried_again_until_the_program_ends_well(tmp_path, monkeypatch):
    monkeypatch.setattr(reloader, "CRASH_SECONDS", 0.01)
    monkeypatch.setattr(reloader, "POLL_SECONDS", 0.01)
    script = tmp_path / "program"  # no .py: what it writes must not look like an edit
    script.write_text(
        "import os, pathlib, sys\n"
        f"log = pathlib.Path({str(tmp_path / 'log')!r})\n"
        "log.open('a').write(os.environ['HTAG_RELOADER'])\n"
        "sys.exit(len(log.read_text()) < 3)\n"
    )
    monkeypatch.setattr(sys, "argv", [str(script)])
    reloader.Reloader(tmp_path).run()
    assert (tmp_path / "log").read_text() == "111"


def test_a_child_that_does_not_listen_is_killed(monkeypatch):
    monkeypatch.setattr(reloader, "STOP_SECONDS", 0.1)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    with child.stdout:
        child.stdout.readline()
    reloader.stop(child)
    assert child.returncode == -signal.SIGKILL


# -- the window


@pytest.fixture
def at_exit(monkeypatch):
    """What is to be done at the end of the program."""
    registered = []
    monkeypatch.setattr(chrome, "atexit", types.SimpleNamespace(register=lambda *call: registered.append(call)))
    return registered


def test_the_window_and_its_profile_go_with_the_program(at_exit, monkeypatch):
    commands = []

    def launch(command, **options):
        commands.append(command)
        if len(commands) == 1:
            raise FileNotFoundError(command[0])
        return real_popen([sys.executable, "-c", "import time; time.sleep(60)"])

    real_popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", launch)
    chrome.open_window(640, 480, "http://127.0.0.1:1")
    assert [command[0] for command in commands] == list(chrome.COMMANDS[:2])
    ((close, window, profile),) = at_exit
    assert f"--user-data-dir={profile.name}" in commands[-1]
    assert os.path.isdir(profile.name)
    close(window, profile)
    assert window.returncode is not None
    assert not os.path.exists(profile.name)


def test_without_chrome_nothing_is_left_behind(at_exit, monkeypatch):
    profiles, opened = [], []

    def launch(command, **options):
        profiles.append(command[3].partition("=")[2])
        raise FileNotFoundError(command[0])

    monkeypatch.setattr(subprocess, "Popen", launch)
    monkeypatch.setattr(webbrowser, "open", opened.append)
    chrome.open_window(640, 480, "http://127.0.0.1:1")
    assert opened == ["http://127.0.0.1:1"]
    assert len(profiles) == len(list(chrome.programs()))
    assert not os.path.exists(profiles[0])
    assert at_exit == []


# -- inside the page


class Loop(asyncio.SelectorEventLoop):
    """An event loop with the two habits of Pyodide's: the past is refused, and a timer does not say when it is due."""

    def call_later(self, delay, callback, *args, context=None):
        if delay < 0:
            raise ValueError("Can't schedule in the past")
        timer = super().call_at(self.time() + delay, callback, *args, context=context)
        return types.SimpleNamespace(cancel=timer.cancel)

    def call_at(self, when, callback, *args, context=None):
        return self.call_later(when - self.time(), callback, *args, context=context)


class Window:
    """A page that takes down what is done with it."""

    def __init__(self):
        self.scripts = []
        self.payloads = []
        self.taken = None
        self.JSON = types.SimpleNamespace(parse=json.loads)
        self.eval = self.scripts.append
        self.handle_payload = self.payloads.append

    def htag_take_page(self, identity, title):
        self.taken = (identity, title)


@pytest.fixture
def pyodide(monkeypatch):
    """The modules by which one knows that one runs in a page."""
    page = Window()
    ffi = types.ModuleType("pyodide.ffi")
    ffi.create_proxy = lambda function: function  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "js", page)
    monkeypatch.setitem(sys.modules, "pyodide", types.ModuleType("pyodide"))
    monkeypatch.setitem(sys.modules, "pyodide.ffi", ffi)
    return page


class Local(Tag.App):
    statics = (Tag.script(r"a = `${1}\n`"), Tag.style(".a{}"), Tag.title("Here"))

    def init(self):
        self.count = State(0)
        self <= Tag.button(self.count, _id="b", _onclick=self.click)
        self.call_js("queued()")

    def click(self, event):
        self.count.value += 1
        return "clicked"

    async def on_mount(self):
        for _ in range(3):
            await asyncio.sleep(0.06)  # more than the time between two pushes
            self.count.value += 5
            self.count.value += 5


def in_page(work):
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(work())


def test_the_page_is_the_apps_from_the_start(pyodide):
    async def work():
        PyScript(Local).run()
        await asyncio.sleep(0)

    in_page(work)
    transport, client = pyodide.scripts
    assert "HTAG_EXT_INIT = true" in transport
    assert "handle_payload" in client
    identity, title = pyodide.taken
    assert title == "Here"
    first = pyodide.payloads[0]
    assert first["updates"][identity].startswith("<body")
    assert first["statics"] == [str(Local.statics[0]), str(Local.statics[1])]


def test_waiting_scripts_and_async_hooks_need_no_event(pyodide):
    async def work():
        PyScript(Local).run()
        await until(lambda: ">30<" in str(pyodide.payloads[-1].get("updates")))

    in_page(work)
    assert [payload["js"] for payload in pyodide.payloads if payload.get("js")] == [["queued()"]]


def test_events_are_answered_in_the_page(pyodide):
    async def work():
        PyScript(Local).run()
        pyodide.py_htag_event(json.dumps({"id": "b", "event": "click", "data": {"callback_id": "c"}}))

    in_page(work)
    answer = pyodide.payloads[-1]
    assert answer["callback_id"] == "c"
    assert answer["result"] == "clicked"
    assert ">1<" in answer["updates"]["b"]


def test_another_window_may_be_given(pyodide):
    window = Window()

    async def work():
        PyScript(Local()).run(window)

    in_page(work)
    assert window.payloads
    assert not pyodide.payloads


def test_debug_is_for_the_app_unless_it_has_set_its_own(pyodide):
    class Own(Local):
        def init(self):
            self.debug = True

    apps = [Local(), Own()]

    async def work():
        for app in apps:
            PyScript(app, debug=False).run()

    in_page(work)
    assert [app.debug for app in apps] == [False, True]


def test_elsewhere_there_is_a_sentence():
    with pytest.raises(RuntimeError, match="PyScript/Pyodide environment"):
        PyScript(Local)
