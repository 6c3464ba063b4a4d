"""Contract, sections 18 and 22: `WebApp.run`, `ChromeApp`, `PyScript`."""

import contextlib
import inspect
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import webbrowser

import pytest
import uvicorn
from starlette.applications import Starlette
from websockets.sync.client import connect

from htag import ChromeApp, PyScript, Tag, WebApp
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE, eventually


class Page(Tag.App):
    def init(self):
        self <= Tag.button("x", _id="b", _onclick=lambda event: "clicked")


@pytest.fixture
def served(monkeypatch):
    """What `uvicorn.run` was called with, instead of serving."""
    calls = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: calls.append((app, options)))
    monkeypatch.delenv("HTAG_PORT", raising=False)
    monkeypatch.delenv("HTAG_RELOADER", raising=False)
    return calls


@pytest.fixture
def opened(monkeypatch):
    """The addresses that a browser was opened with."""
    addresses = []
    monkeypatch.setattr(webbrowser, "open", lambda url, *_, **__: addresses.append(url) or True)
    return addresses


# -- WebApp.run


def test_run_serves_its_app_through_uvicorn(served, opened):
    web = WebApp(Page)
    web.run(open_browser=False)
    ((app, options),) = served
    assert app is web.app
    assert options["host"] == "127.0.0.1"
    assert options["port"] == 8000


def test_run_passes_other_options_on(served, opened):
    WebApp(Page).run(host="0.0.0.0", port=1234, open_browser=False, log_level="warning")
    ((_, options),) = served
    assert (options["host"], options["port"], options["log_level"]) == ("0.0.0.0", 1234, "warning")


def test_the_parameters_of_run():
    parameters = inspect.signature(WebApp.run).parameters
    defaults = {name: each.default for name, each in parameters.items() if each.default is not inspect.Parameter.empty}
    assert defaults == {
        "host": "127.0.0.1",
        "port": 8000,
        "open_browser": True,
        "exit_on_disconnect": True,
        "reload": False,
    }


def test_port_zero_picks_a_free_port_and_keeps_it_in_the_environment(served, opened, monkeypatch):
    WebApp(Page).run(port=0, open_browser=False)
    ((_, options),) = served
    assert options["port"] > 0
    assert os.environ["HTAG_PORT"] == str(options["port"])
    monkeypatch.delenv("HTAG_PORT")


def test_port_zero_takes_the_port_of_the_environment(served, opened, monkeypatch):
    monkeypatch.setenv("HTAG_PORT", "4321")
    WebApp(Page).run(port=0, open_browser=False)
    ((_, options),) = served
    assert options["port"] == 4321


def test_the_browser_is_opened_after_a_second(served, opened):
    WebApp(Page).run(port=4321)
    assert opened == []
    eventually(lambda: opened, "a browser")
    assert [address.rstrip("/") for address in opened] == ["http://127.0.0.1:4321"]


def test_the_browser_stays_shut_when_told(served, opened):
    before = threading.active_count()
    WebApp(Page).run(open_browser=False)
    assert threading.active_count() == before
    assert opened == []


@pytest.mark.parametrize("wanted", [True, False])
def test_exit_on_disconnect_is_an_option_of_run(served, opened, wanted):
    web = WebApp(Page)
    web.run(open_browser=False, exit_on_disconnect=wanted)
    assert web.exit_on_disconnect is wanted


SCRIPT = """
from htag import Tag, WebApp

class Page(Tag.App):
    def init(self):
        self <= Tag.p("WORD")

if __name__ == "__main__":
    WebApp(Page).run(port={port}, open_browser=False, exit_on_disconnect={leave}, reload={reload})
"""


class Program:
    """A script of somebody's, run as they run it."""

    def __init__(self, folder, *, leave=False, reload=False):
        self.path = folder / "program.py"
        self.port = free_port()
        self.text = SCRIPT.format(port=self.port, leave=leave, reload=reload)
        self.write("first")
        root = os.path.dirname(os.path.dirname(inspect.getfile(sys.modules["htag"])))
        environment = {key: value for key, value in os.environ.items() if not key.startswith("HTAG_")}
        environment["PYTHONPATH"] = root
        # a session of its own, so that what the program starts can be found, and ended, with it
        self.process = subprocess.Popen(
            [sys.executable, str(self.path)], cwd=folder, env=environment, start_new_session=True
        )

    def write(self, word):
        self.path.write_text(self.text.replace("WORD", word))

    def page(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as answer:
                self.cookie = answer.headers["set-cookie"].partition(";")[0]  # name=value, as a browser keeps it
                return answer.read().decode()
        except OSError:
            return ""

    def shows(self, word):
        return lambda: f">{word}<" in self.page()

    def end(self):
        """The program and whatever it started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2)


@pytest.fixture
def program(tmp_path):
    started = []

    def start(**options):
        started.append(Program(tmp_path, **options))
        return started[-1]

    yield start
    for each in started:
        each.end()


def test_the_process_ends_when_the_last_client_has_left(program):
    running = program(leave=True)
    eventually(running.shows("first"), "the page")
    headers = {"Cookie": running.cookie}
    with connect(f"ws://127.0.0.1:{running.port}/ws", additional_headers=headers) as channel:
        assert json.loads(channel.recv(PATIENCE))["action"] == "update"
    running.process.wait(PATIENCE)


def test_a_page_that_is_reloaded_does_not_end_the_process(program):
    running = program(leave=True)
    eventually(running.shows("first"), "the page")
    headers = {"Cookie": running.cookie}
    address = f"ws://127.0.0.1:{running.port}/ws"
    with connect(address, additional_headers=headers):
        pass
    with connect(address, additional_headers=headers) as channel:
        channel.recv(PATIENCE)
        with pytest.raises(subprocess.TimeoutExpired):
            running.process.wait(1.2)  # the process leaves half a second after the last client


def test_without_it_the_process_stays(program):
    running = program(leave=False)
    eventually(running.shows("first"), "the page")
    with connect(f"ws://127.0.0.1:{running.port}/ws", additional_headers={"Cookie": running.cookie}):
        pass
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(1.2)
    assert running.shows("first")()


def test_reload_restarts_the_program_when_a_file_changes(program):
    running = program(reload=True)
    eventually(running.shows("first"), "the page")
    assert "window.HTAG_RELOAD = true;" in running.page()
    running.write("second")
    eventually(running.shows("second"), "the page of the changed program")


@pytest.mark.mended
def test_ending_the_watcher_ends_the_program(program):
    running = program(reload=True)
    eventually(running.shows("first"), "the page")
    running.process.terminate()
    running.process.wait(PATIENCE)
    eventually(lambda: running.page() == "", "silence on the port")


# -- ChromeApp

BROWSERS = {
    *("google-chrome-stable", "google-chrome", "chromium-browser", "chromium", "chrome", "microsoft-edge"),
    "brave-browser",
}


@pytest.fixture
def launched(monkeypatch):
    """The command lines of the browsers that were launched."""
    commands = []

    class Launched:
        returncode = 0
        pid = 0

        def __init__(self, command, *_, **__):
            commands.append([str(part) for part in command])

        def poll(self):
            return 0

        def wait(self, timeout=None):
            return 0

        def terminate(self):
            return None

    monkeypatch.setattr("shutil.which", lambda name, *_, **__: f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "Popen", Launched)
    return commands


def test_chrome_app_serves_and_opens_a_window_of_its_own(served, opened, launched):
    ChromeApp(Page, width=640, height=480).run(port=4321)
    ((app, options),) = served
    assert isinstance(app, Starlette)
    assert (options["host"], options["port"]) == ("127.0.0.1", 4321)
    eventually(lambda: launched, "a browser")
    name, *switches = launched[0]
    assert os.path.basename(name) == "google-chrome-stable"
    joined = " ".join(switches)
    assert "--app=http://127.0.0.1:4321" in joined
    assert "--window-size=640,480" in joined
    assert "--user-data-dir=" in joined
    assert "--no-first-run" in joined
    assert "--no-default-browser-check" in joined
    assert opened == []


def test_without_any_chrome_the_usual_browser_opens(served, opened, monkeypatch):
    tried = []

    def missing(command, *_, **__):
        tried.append(os.path.basename(str(command[0])))
        raise FileNotFoundError(command[0])

    monkeypatch.setattr("shutil.which", lambda name, *_, **__: None)
    monkeypatch.setattr(subprocess, "Popen", missing)
    ChromeApp(Page).run(port=4321)
    eventually(lambda: opened, "a browser")
    assert opened[0].startswith("http://127.0.0.1:4321")
    assert set(tried) <= BROWSERS


def test_chrome_app_without_kiosk_launches_no_chrome(served, opened, launched):
    ChromeApp(Page, kiosk=False).run(port=4321)
    assert served
    time.sleep(1.3)  # a browser would have been opened after a second
    assert launched == []


def test_the_parameters_of_chrome_app():
    parameters = inspect.signature(ChromeApp).parameters
    defaults = {name: each.default for name, each in parameters.items() if each.default is not inspect.Parameter.empty}
    assert defaults == {"kiosk": True, "width": 800, "height": 600, "debug": True}


def test_chrome_app_accepts_and_ignores_other_options(served, opened, launched):
    ChromeApp(Page, kiosk=False).run(port=4321, nonsense=True)
    ((_, options),) = served
    assert "nonsense" not in options


async def test_instances_of_a_chrome_app_exit_on_disconnect(served, opened, launched):
    from headless.asgi import Site

    born = []

    class Noting(Page):
        def init(self):
            super().init()
            born.append(self)

    ChromeApp(Noting, kiosk=False).run(port=4321)
    ((app, _),) = served
    await Site(app).get()
    assert born[0].exit_on_disconnect is True
    born[0].exit_on_disconnect = False


# -- PyScript


def test_pyscript_outside_a_browser_is_refused():
    with pytest.raises(RuntimeError, match=r"(?i)py(script|odide)"):
        PyScript(Page)


# Pyodide is a platform, there from the first import on: so the app runs in an interpreter that believes it is there.
IN_PYODIDE = """
import asyncio, inspect, json, sys, types

scripts, payloads = [], []
body = types.SimpleNamespace(outerHTML="", appendChild=lambda child: None)

class Window:
    _error_overlay = None

    def handle_payload(self, payload, source=None):
        payloads.append(json.loads(payload) if isinstance(payload, str) else payload)

    def __getattr__(self, name):  # what a script has defined, had it been run
        return lambda *arguments: None

window = Window()
window.document = types.SimpleNamespace(body=body)
window.JSON = types.SimpleNamespace(parse=json.loads)
window.eval = scripts.append
js = types.ModuleType("js")
js.window, js.document, js.eval, js.JSON = window, window.document, scripts.append, window.JSON
ffi = types.ModuleType("pyodide.ffi")
ffi.create_proxy, ffi.to_js = lambda value: value, lambda value, **options: value
pyodide = types.ModuleType("pyodide")
pyodide.ffi = ffi
sys.modules.update({"js": js, "pyodide": pyodide, "pyodide.ffi": ffi})
sys.platform = "emscripten"

from htag import PyScript, Tag

mounted = []

class Local(Tag.App):
    statics = Tag.style(".local{}")

    def init(self):
        self <= Tag.button("x", _id="b", _onclick=lambda event: "clicked")

    def on_mount(self):
        mounted.append(self)

async def main():
    PyScript(Local).run(window)
    answer = window.py_htag_event(json.dumps({"id": "b", "event": "click", "data": {"callback_id": "c"}}))
    if inspect.isawaitable(answer):
        await answer
    async with asyncio.timeout(5):
        while not any("callback_id" in payload for payload in payloads):
            await asyncio.sleep(0.01)

asyncio.run(main())
print(json.dumps({"mounted": len(mounted), "body": body.outerHTML, "scripts": scripts, "payloads": payloads}))
"""


@pytest.fixture(scope="module")
def in_pyodide():
    root = os.path.dirname(os.path.dirname(inspect.getfile(sys.modules["htag"])))
    finished = subprocess.run(
        [sys.executable, "-c", IN_PYODIDE],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_pyscript_builds_the_app_in_the_browser(in_pyodide):
    assert in_pyodide["mounted"] == 1
    shown = [in_pyodide["body"]]
    shown += [html for payload in in_pyodide["payloads"] for html in payload["updates"].values()]
    assert any(html.startswith("<body") and 'id="b"' in html for html in shown)


def test_pyscript_tells_the_client_not_to_connect_before_it_is_loaded(in_pyodide):
    scripts = in_pyodide["scripts"]
    told = next(at for at, script in enumerate(scripts) if "HTAG_EXT_INIT = true" in script)
    loaded = next(at for at, script in enumerate(scripts) if "new WebSocket" in script)
    assert told <= loaded


def test_pyscript_injects_statics(in_pyodide):
    statics = [static for payload in in_pyodide["payloads"] for static in payload.get("statics", [])]
    assert any(".local{}" in told for told in statics + in_pyodide["scripts"])


def test_pyscript_dispatches_events_through_the_same_app(in_pyodide):
    (answer,) = [payload for payload in in_pyodide["payloads"] if payload.get("callback_id") == "c"]
    assert answer["action"] == "update"
    assert answer["result"] == "clicked"
