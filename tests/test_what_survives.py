"""docs/what-survives.md keeps its word: its examples run, what it says pins does pin, what it says is kept is kept."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import socket
import sqlite3
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from htag import State, Tag
from htag.events import Event
from htag.snapshot.api import dump, load
from htag.snapshot.errors import Moved, Pinned
from htag.testing import AppSession, htag_session
from tests.support.source import ROOT

__all__ = ["htag_session"]

Open = Callable[..., AppSession]

PAGE = (ROOT / "docs/what-survives.md").read_text()
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"^ *```python\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)]


def block(begin: str) -> str:
    """The example that contains `begin`."""
    (found,) = [each for each in BLOCKS if begin in each]
    return found


@pytest.fixture
def documented(tmp_path: Path) -> Iterator[Callable[[str], ModuleType]]:
    """Makes a module of a text: code that is kept by its place needs one."""
    names: list[str] = []

    def make(text: str) -> ModuleType:
        name = f"documented_{len(names)}_{tmp_path.name}"
        file = tmp_path / f"{name}.py"
        file.write_text(text)
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        names.append(name)
        spec.loader.exec_module(module)
        return module

    yield make
    for name in names:
        del sys.modules[name]


def app_with(body: str, init: str = "pass") -> str:
    """A module with an app that has `body` among its methods."""
    lines = ["from types import SimpleNamespace", "from htag import State, Tag", "ROOM = SimpleNamespace(guests=[])"]
    lines += [
        "class Documented(Tag.App):",
        textwrap.indent(f"def init(self):\n{textwrap.indent(init, '    ')}", "    "),
    ]
    return "\n".join([*lines, textwrap.indent(body, "    ")])


# -- the examples


def test_registering_in_on_mount_leaves_one_entry(htag_session: Open, documented: Callable[[str], ModuleType]) -> None:
    module = documented(app_with(block("ROOM.guests.append")))
    session = htag_session(module.Documented)
    for move in (session.move, session.crash):
        move()
        assert module.ROOM.guests == [session.app]


def test_a_component_that_opens_its_file_again(
    htag_session: Open, documented: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    (tmp_path / "read.txt").write_text("first\nsecond\n")
    text = f"from htag import Tag\n{block('class Explorer')}\nclass Files(Tag.App):\n    def init(self, path=''):\n"
    module = documented(f"{text}        self.explorer = Explorer({str(tmp_path / 'read.txt')!r})\n")
    session = htag_session(module.Files)
    assert session.app.explorer.handle.readline() == "first\n"
    session.app.explorer.handle.close()
    session.move()
    assert session.app.explorer.handle.readline() == "first\n"
    session.app.explorer.handle.close()


def test_the_test_of_the_cart_is_one(htag_session: Open, documented: Callable[[str], ModuleType]) -> None:
    text = "from htag import State, Tag\nclass Shop(Tag.App):\n    def init(self):\n        self.count = State(0)\n"
    text += "        Tag.button('buy', _class='buy', _onclick=self.buy)\n"
    text += "        Tag.p(lambda: f'{self.count} of tea', _id='cart')\n"
    text += "    def buy(self, event):\n        self.count += 1\n"
    module = documented(text + block("test_the_cart_survives"))
    module.test_the_cart_survives(htag_session)


def test_the_fixture_is_imported_as_it_is_said() -> None:
    names: dict[str, Any] = {}
    exec(block("from htag.testing"), names)
    assert names["htag_session"] is htag_session


class Order(Tag.App):
    """Orders in a database."""

    def init(self) -> None:
        self.item = State("tea")


def test_what_is_done_outside_twice_is_there_once(documented: Callable[[str], ModuleType]) -> None:
    module = documented(block("on conflict (key) do nothing"))
    app = Order()
    app.__dict__["db"] = database = sqlite3.connect(":memory:")
    database.execute("create table orders (key text primary key, item text)")
    for key in ("a:b:1", "a:b:1", "a:b:2"):
        module.order(app, SimpleNamespace(idempotency_key=key))
    assert database.execute("select count(*) from orders").fetchone() == (2,)
    database.close()
    assert isinstance(vars(Event)["idempotency_key"], property)


# -- what pins


class Holder(Tag.App):
    """Holds what a test gives it."""

    def init(self) -> None:
        self.held: Any = None


def generator() -> Iterator[int]:
    yield 1


def begun() -> Any:
    under_way = generator()
    next(under_way)
    return under_way


def held_lock() -> Any:
    lock = threading.Lock()
    lock.acquire()
    return lock


def made_by_exec() -> Any:
    names: dict[str, Any] = {}
    exec("def made(): pass", names)
    return names["made"]


PINNING: dict[str, Callable[[], Any]] = {
    "an open file": lambda: open(__file__),  # noqa: SIM115 - the test closes it
    "a socket": socket.socket,
    "a database connection": lambda: sqlite3.connect(":memory:"),
    "a lock": held_lock,
    "a thread": lambda: threading.Thread(target=generator),
    "a generator": begun,
    "another session's app": Holder,
    "a function made by exec": made_by_exec,
}


@pytest.mark.parametrize("what", PINNING)
def test_what_the_page_says_pins_does(htag_session: Open, what: str) -> None:
    session = htag_session(Holder)
    session.app.held = held = PINNING[what]()
    with pytest.raises(Pinned, match=r"Holder\.held"):
        session.move()
    session.app.held = None
    session.move()
    if hasattr(held, "close"):
        held.close()


# -- what is kept


class Keeping(Tag.App):
    """Has one of each kind."""

    def init(self) -> None:
        self.shared = [1]
        self.also_shared = self.shared
        self.count = State(0)
        self.module_s = ROOM
        self.task: Any = None
        self.begin = Tag.button("begin", _onclick=self.start)
        count = 0

        def more() -> int:
            nonlocal count
            count += 1
            return count

        self.more, self.seen = more, lambda: count

    async def start(self, event: Any) -> None:
        self.task = asyncio.ensure_future(asyncio.sleep(60))


ROOM: dict[str, Any] = {}


def test_what_the_page_says_is_kept_is(htag_session: Open) -> None:
    session = htag_session(Keeping)
    session.app.more()
    session.move()
    app = session.app
    assert app.module_s is ROOM
    assert app.shared is app.also_shared
    assert app.more() == app.seen() == 2


def test_a_task_in_an_attribute_is_a_cancelled_one(htag_session: Open) -> None:
    session = htag_session(Keeping)
    session.click(session.app.begin)
    assert not session.app.task.done()
    session.move()
    assert session.app.task.cancelled()


class Versioned(Tag.App):
    """An app with a version of its own."""

    state_version = 2


def test_another_version_number_is_not_opened_as_it_is(htag_session: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "state_version = 2" in block("state_version")
    payload = dump(htag_session(Versioned).app)
    assert load(payload, Versioned).outcome == "same"
    monkeypatch.setattr(Versioned, "state_version", 3)
    with pytest.raises(Moved, match="state_version was 2"):
        load(payload, Versioned)
