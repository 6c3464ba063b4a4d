"""An app inside a page, where there is no server."""

import asyncio
import json
import sys
import types

import pytest

from htag import State, Tag
from htag.runners import PyScript
from tests.support.waiting import until


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
    transport, _, client, _ = pyodide.scripts
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
