"""An app is held where something but its own objects leads to one of its tags."""

import asyncio
import gc
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from bench.measured_app import Large, Small
from htag import State, Tag
from htag.app import App
from htag.snapshot.api import is_held
from htag.tree.live import live_tree
from tests.apps.chat import Chat, Room
from tests.apps.gallery import Gallery
from tests.apps.shop import Shop
from tests.apps.signup import Signup
from tests.apps.table import Table
from tests.apps.todo import Todo

HELD: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_held() -> Any:
    yield
    HELD.clear()


class Page(Tag.App):
    def init(self) -> None:
        self.clicks = State(0)
        self.box = Tag.div(Tag.p(self.clicks), _onclick=self.click, title="x")
        self.cb = lambda: self.box
        self.data = {"rows": [1, 2, 3], "text": "a text"}
        self.pair = ("class", "row")

    def click(self, event: Any) -> None:
        self.clicks += 1


def shown(make: Callable[[], App]) -> App:
    app = make()
    live_tree(app).render_page()
    return app


@pytest.mark.parametrize("make", [Page, Small, Large, Todo, Signup, Gallery, Shop, Table, Chat])
def test_an_app_by_itself_is_not(make: Callable[[], App]) -> None:
    app = shown(make)
    assert not is_held(app)
    other = app
    assert is_held(app)
    assert not is_held(app, references=2)
    del other


HOLDERS: dict[str, Callable[[Any], Any]] = {
    "the app": lambda app: app,
    "a tag": lambda app: app.box,
    "a tag that no attribute has": lambda app: app.box.childs[0],
    "a handler": lambda app: app.click,
    "a partial": lambda app: partial(app.click),
    "a function of its own": lambda app: app.cb,
    "a new function": lambda app: lambda: app,
    "a list in it that leads back": lambda app: app.__dict__.setdefault("back", [app]),
    "the live tree": live_tree,
}


@pytest.mark.parametrize("name", HOLDERS)
def test_it_is_by_what_leads_to_a_tag(name: str) -> None:
    app = shown(Page)
    HELD.append(HOLDERS[name](app))
    assert is_held(app)
    HELD.clear()
    assert not is_held(app)


@pytest.mark.parametrize("name", ["clicks", "data", "pair"])
def test_it_is_not_by_what_leads_to_none(name: str) -> None:
    app: Any = shown(Page)
    HELD.append(getattr(app, name))
    assert not is_held(app)


class Asking(Tag.App):
    """Generates a dialog whose handler leads back."""

    def init(self) -> None:
        self.asking = State(True)
        self <= (
            lambda: Tag.dialog(Tag.b("yes", _onclick=lambda event: self), _open=True) if self.asking.value else None
        )


@pytest.fixture
def no_collector() -> Any:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_garbage_does_not(no_collector: Any) -> None:
    app: Any = shown(Asking)
    for asking in (False, True, False):
        app.asking.value = asking
        live_tree(app).render_page()
    assert not is_held(app)


class Opening(Tag.App):
    """Takes a dialog out again, which has generated tags of its own."""

    def init(self) -> None:
        self <= Tag.p("x")

    def ask(self) -> None:
        self.add(Tag.dialog(Tag.div(lambda: Tag.b(Tag.i("yes"), _onclick=lambda event: self.answer())), _id="dialog"))

    def answer(self) -> None:
        self.remove(self.childs[-1])


def test_garbage_that_was_generated_in_what_has_left_does_not(no_collector: Any) -> None:
    app: Any = shown(Opening)
    for _ in range(2):
        app.ask()
        live_tree(app).render_page()
        app.answer()
        assert not is_held(app)
    live_tree(app).render_page()
    assert not is_held(app)


def test_a_tag_that_has_left_and_is_held_does(no_collector: Any) -> None:
    app: Any = shown(Opening)
    app.ask()
    live_tree(app).render_page()
    HELD.append(app.childs[-1])
    app.answer()
    assert is_held(app)
    HELD.clear()
    assert not is_held(app)


def test_a_tag_that_has_left_and_does_not_lead_back_does_not(no_collector: Any) -> None:
    app: Any = shown(Opening)
    HELD.append(app.childs[0])
    app.remove(app.childs[0])
    live_tree(app).render_body()  # until then what was shown is kept, to be compared
    assert not is_held(app)


async def test_a_timer_holds_it() -> None:
    app: Any = shown(Page)
    timer = asyncio.get_running_loop().call_later(60, app.click, None)
    assert is_held(app)
    timer.cancel()
    del timer


async def test_a_task_that_is_over_is_no_way_into_the_event_loop() -> None:
    app: Any = shown(Page)
    app.task = asyncio.ensure_future(asyncio.sleep(0))
    await app.task
    assert not is_held(app)


def test_a_room_of_the_module_holds_its_guests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chat, "room", Room())
    app = shown(Chat)
    Chat.room.enter(app)
    assert is_held(app)
    Chat.room.leave(app)
    assert not is_held(app)


def test_what_is_ignored_does_not_count() -> None:
    app = shown(Page)
    holder = [app]
    assert is_held(app)
    assert not is_held(app, ignoring=[holder])


def test_a_class_made_in_a_function_that_knows_the_app_is_its_own() -> None:
    class Local(Tag.App):
        def init(self) -> None:
            outer = self

            class Inner(Tag.div):
                def init(self) -> None:
                    self.above = lambda: outer

            Inner()

    app = shown(Local)
    assert not is_held(app)


def test_it_takes_few_milliseconds() -> None:
    app = shown(Large)
    is_held(app)
    took = []
    for _ in range(20):
        start = time.process_time()
        is_held(app)
        took.append(time.process_time() - start)
    assert min(took) < 0.02  # 5 ms on an idle machine
