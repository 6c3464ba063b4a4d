"""What blocks the loop is named, wherever it stands, without a value; and a worker that is killed leaves its stack."""

import asyncio
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError

from htag import Tag
from htag_stack import watchdog
from htag_stack.stacks import format_stack, frames_of, name_of
from htag_stack.watchdog import Watchdog
from tests.app.processes import GUNICORN, Stack, Start
from tests.app.visiting import get, tab
from tests.support.waiting import PATIENCE, eventually, passed

APP = """
import asyncio, time
from htag import State, Tag


def block(text):
    time.sleep(0.4)
    return text


class Handler(Tag.div):
    def init(self):
        self.typed = "correct horse battery staple"
        for name in ("sync", "later", "steps", "forever", "counts", "grow", "push"):
            Tag.button(name, _id=name, _onclick=getattr(self, name))

    def sync(self, event):
        block(self.typed)

    async def later(self, event):
        await asyncio.sleep(0)
        block(self.typed)

    def steps(self, event):
        yield
        block(self.typed)

    async def forever(self, event):
        typed = self.typed
        time.sleep(600)

    async def counts(self, event):
        typed = self.typed
        sum(range(10**13))  # holds the interpreter, too

    def grow(self, event):
        self <= Hooked()

    def push(self, event):
        self.root.shown.set(True)


class Hooked(Tag.p):
    async def on_mount(self):
        await asyncio.sleep(0)
        block(self)


class Rendered(Tag.p):
    def init(self):
        Tag.b(lambda: self.root.shown.get() and self.text())

    def text(self):
        return block("shown")


class Shop(Tag.App):
    def init(self):
        self.shown = State(False)
        Handler()
        Rendered()


class Slow(Tag.App):
    def init(self):
        block("a page")
"""


@pytest.fixture
def shop(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(APP)


def started(start: Start, base: int, app: str, *options: str, **settings: str) -> Stack:
    return Stack(start(*GUNICORN, *options, HTAG_APP=f"shop:{app}", HTAG_PORT=str(base), **settings), base)


def press(websocket: Any, name: str) -> None:
    websocket.send(json.dumps({"id": name, "event": "click", "data": {"callback_id": "1"}}))


BLOCKING = [
    ("sync", "Handler.sync"),
    ("later", "Handler.later"),
    ("steps", "Handler.steps"),
    ("grow", "Hooked.on_mount"),
    ("push", "Rendered.text"),
]


def test_what_blocks_is_named_in_handlers_hooks_and_renders(start: Start, free_base: int, shop: None) -> None:
    stack = started(start, free_base, "Shop")
    port = stack.ports[0]
    with tab(port) as websocket:
        for event, name in BLOCKING:
            press(websocket, event)
            eventually(lambda name=name: f"{name} held up all" in stack.server.stdout(), f"{name} is named")  # type: ignore[misc]
    lines = [line for line in stack.server.stdout().splitlines() if ":block < shop.py:" in line]
    assert len(lines) == len(BLOCKING)  # and whatever else takes long on this machine
    for line in lines:
        found = re.search(r"for (\d+\.\d+) s: .* shop.py:\d+:block < shop.py:\d+:\w+\.\w+ < ", line)
        assert found, line
        assert float(found[1]) > 0.3
    assert "horse" not in stack.server.stdout()
    counted = re.search(r"^htag_blocked_handlers_total (\d+)", get(port, "/metrics").body.decode(), re.MULTILINE)  # type: ignore[attr-defined]
    assert counted
    assert int(counted[1]) >= len(BLOCKING)


def test_a_page_that_blocks_is_named(start: Start, free_base: int, shop: None) -> None:
    stack = started(start, free_base, "Slow")
    get(stack.ports[0])
    eventually(lambda: "Slow.init held up all sessions" in stack.server.stdout(), "the page's app is named")


@pytest.mark.parametrize("event", ["forever", "counts"])
def test_a_worker_that_is_killed_for_its_timeout_leaves_its_stack(
    start: Start, free_base: int, shop: None, event: str
) -> None:
    stack = started(start, free_base, "Shop", "--timeout", "3", HTAG_LOG_FORMAT="json")
    with tab(stack.ports[0]) as websocket:
        press(websocket, event)
        with pytest.raises((OSError, ConnectionClosedError)):
            websocket.recv(PATIENCE)
    eventually(lambda: "Worker exiting" in stack.server.stdout() or "was sent" in stack.server.stdout(), "it is gone")
    said = stack.server.stderr()
    assert "Fatal Python error: Aborted" in said
    assert re.search(rf'File ".*shop.py", line \d+ in {event}\n', said)
    assert "WORKER TIMEOUT" in stack.server.stdout()
    assert "horse" not in said + stack.server.stdout()
    if event == "forever":  # what holds the interpreter lets no thread look
        assert "Handler.forever has held up all sessions of this worker for 1 s so far" in stack.server.stdout()


# ---- in this process


class Told(list[tuple[str, float]]):
    def __call__(self, name: str, seconds: float) -> None:
        self.append((name, seconds))


async def test_only_what_takes_longer_than_the_limit_is_told(caplog: pytest.LogCaptureFixture) -> None:
    told = Told()
    with Watchdog(told, limit=1.0):
        for seconds in (0.0, 0.1, 1.3, 0.1):
            await passed(0.2)
            time.sleep(seconds)  # noqa: ASYNC251 - blocking is the point
        await passed(0.2)
    ((name, seconds),) = told
    assert name == "test_only_what_takes_longer_than_the_limit_is_told"
    assert 0.5 < seconds < 5
    assert caplog.text.count("held up") == 1


async def test_a_function_that_blocks_often_is_told_each_time_and_logged_seldom(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    with Watchdog(told):
        for number in range(4):
            await passed(0.2)
            if number == 3:
                monkeypatch.setattr(watchdog, "QUIET_SECONDS", 0.0)
            time.sleep(0.3)  # noqa: ASYNC251 - blocking is the point
        await passed(0.2)
    assert len(told) == 4
    first, last = caplog.messages
    assert "more times" not in first
    assert "(and 2 more times since this was last said)" in last


async def test_while_it_goes_on_it_is_said_at_growing_intervals(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "STILL_SECONDS", (0.2, 0.6))
    monkeypatch.setattr(watchdog, "QUIET_BELOW", 0.0)
    with Watchdog(Told()):
        await passed(0.1)
        time.sleep(1.2)  # noqa: ASYNC251 - blocking is the point
        await passed(0.2)
    assert [" so far" in message for message in caplog.messages] == [True, True, False]


async def test_a_loop_that_waits_blocks_nobody(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after the machine slept: the loop is late, and there is nothing that could be named."""
    told = Told()
    with Watchdog(told) as dog:
        monkeypatch.setattr(watchdog, "BEAT_SECONDS", 60.0)
        await passed(0.2)
        dog._due = time.monotonic() - 5
        await passed(0.2)
    assert told == []
    assert caplog.messages == []


async def test_it_ends_with_its_block() -> None:
    with Watchdog(Told()) as dog:
        await asyncio.sleep(0)
    assert not dog._thread.is_alive()


# ---- names


class Component(Tag.div):
    def look(self) -> Any:
        return here()

    def look_from_a_lambda(self) -> Any:
        return (lambda: self and here())()

    def wait(self) -> Any:
        return json.loads("1", parse_int=lambda _: here())  # through Python's own code


class Heir(Component): ...


def here() -> tuple[str, str]:
    frames = frames_of(sys._getframe())
    return name_of(frames), format_stack(frames)


def rendered(child: Any) -> tuple[str, str]:
    found = []

    class App(Tag.App):
        def init(self) -> None:
            Tag.p(lambda: found.append(child(self)) or "text")

    str(App())
    return found[0]


def test_names() -> None:
    assert Component().look()[0] == "Component.look"
    assert Component().look_from_a_lambda()[0] == "Component.look_from_a_lambda.<locals>.<lambda>"
    assert Component().wait()[0] == "Component.wait"
    assert Heir().look()[0] == "Component.look of Heir"
    assert here()[0] == "here"
    assert rendered(lambda app: here())[0].endswith("App.init.<locals>.<lambda>")


def test_a_stack_is_files_lines_and_functions() -> None:
    _, stack = Component().look()
    own = r"tests/app/test_watchdog\.py:\d+:"
    assert re.match(rf"{own}here < {own}Component\.look < {own}test_a_stack_is_files_lines_and_functions < ", stack)


def test_of_a_recursion_both_ends_are_shown() -> None:
    def deep(left: int) -> tuple[str, str]:
        return deep(left - 1) if left else here()

    _, stack = deep(500)
    assert len(stack) < 10_000
    assert re.search(r" < … \d+ more … < ", stack)
