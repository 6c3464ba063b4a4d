"""The author's kit: a session that a test looks at and clicks, as components."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from htag import State, Tag
from htag.snapshot.errors import Pinned
from htag.testing import AppError, AppSession, Selector, htag_session
from tests.apps.dashboard import Dashboard
from tests.apps.todo import Item, Todo

__all__ = ["htag_session"]

Open = Callable[..., AppSession]


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clocks that other tests of this process have left running are not these tests'."""
    monkeypatch.setattr(Dashboard, "running", 0)


class Form(Tag.App):
    """Fields, a button that answers, one that fails, one that takes its time."""

    def init(self) -> None:
        self.heard: list[Any] = []
        self.count = State(0)
        self.entry = Tag.input(_name="entry", _oninput=lambda event: self.heard.append(event.value))
        self.plain = Tag.input(_name="plain")
        self.box = Tag.input(_type="checkbox", _onchange=lambda event: self.heard.append(event.checked))
        Tag.button(Tag.b("more"), _class="wide more", _onclick=self.more)
        Tag.button("slow", _onclick=self.slow)
        Tag.button("fails", _onclick=self.fails)
        Tag.p(lambda: f"{self.count} & more", _id="count", _hidden=lambda: self.count > 1)
        Tag.script("ignored()")

    def more(self, event: Any) -> int:
        self.count += 1
        self.call_js("beep()")
        return self.count.value

    async def slow(self, event: Any) -> str:
        await asyncio.sleep(0.01)
        self.count.set(10)
        return "done"

    def fails(self, event: Any) -> None:
        raise ValueError("as it must")


# -- looking


def test_text_is_what_stands_in_a_tag_and_in_those_in_it(htag_session: Open) -> None:
    session = htag_session(Form)
    assert session.text("#count") == "0 & more"
    assert session.text() == "moreslowfails0 & more"


def test_tags_are_found_by_what_they_are(htag_session: Open) -> None:
    session = htag_session(Form)
    more = session.find("button.more.wide")
    assert more is session.find("button", text="more")
    assert session.find("b", within=more) is session.find("b")
    assert session.find("[name=entry]") is session.app.entry
    assert [tag["name"] for tag in session.all("input[name]")] == ["entry", "plain"]
    assert session.find(Form) is session.app is session.find("body")


@pytest.mark.parametrize(("what", "said"), [("button", "3 tags are button"), ("#nothing", "no tags are #nothing")])
def test_what_is_not_one_is_an_error_that_shows_the_page(htag_session: Open, what: str, said: str) -> None:
    with pytest.raises(LookupError, match=said) as raised:
        htag_session(Form).find(what)
    assert "<body" in str(raised.value)


def test_generated_components_are_found(htag_session: Open) -> None:
    session = htag_session(Todo)
    session.submit("#new", text="milk")
    session.submit("#new", text="bread")
    assert [session.text(item) for item in session.all(Item)] == ["milk✕", "bread✕"]
    assert session.find("span", text="bread").parent is session.all(Item)[1]


def test_looking_gives_no_number_and_takes_no_change(htag_session: Open) -> None:
    session = htag_session(Todo)
    session.submit("#new", text="milk")
    before, frames = session.html(), len(session.frames)
    for _ in range(3):
        assert session.html() == before
        session.all(Item)
    assert len(session.frames) == frames


@pytest.mark.parametrize("selector", ["a b", "a > b", "#", "p:first", "[=x]"])
def test_a_selector_that_is_not_understood_is_an_error(selector: str) -> None:
    with pytest.raises(ValueError, match="a selector is like"):
        Selector.parse(selector)


def test_an_attribute_counts_as_it_is_shown(htag_session: Open) -> None:
    session = htag_session(Form)
    assert session.all("p[hidden]") == []
    session.click("button", text="more")
    session.click("button", text="more")
    assert session.all("p[hidden]") == [session.find("#count")]


# -- doing


def test_a_click_runs_the_handler_around_the_tag_and_returns_its_result(htag_session: Open) -> None:
    session = htag_session(Form)
    assert session.click("b") == 1
    assert session.text("#count") == "1 & more"
    assert session.scripts == ["beep()"]
    (update,) = [frame for frame in session.frames if frame.get("result") == 1]
    assert "count" in update["updates"]


def test_a_handler_that_takes_time_is_waited_for(htag_session: Open) -> None:
    session = htag_session(Form)
    assert session.click("button", text="slow") == "done"
    assert session.app.count.value == 10


def test_a_handler_that_raises_is_an_error_of_the_app(htag_session: Open) -> None:
    session = htag_session(Form)
    with pytest.raises(AppError, match="as it must"):
        session.click("button", text="fails")
    assert session.click("b") == 1


def test_fields_are_filled_in_with_or_without_a_handler(htag_session: Open) -> None:
    session = htag_session(Form)
    session.enter(session.app.entry, "hello")
    session.enter("[name=plain]", "kept")
    session.tick("[type=checkbox]")
    assert session.app.heard == ["hello", True]
    assert session.app.plain["value"] == "kept"
    assert session.app.box["checked"] is True


def test_what_no_page_can_have_sent_does_nothing(htag_session: Open) -> None:
    session = htag_session(Form)
    session.find("button.more")["disabled"] = True
    assert session.click("button.more") is None
    assert session.app.count.value == 0


# -- time


def test_tasks_run_while_the_test_waits_and_end_with_the_session(htag_session: Open) -> None:
    session = htag_session(Dashboard)
    session.until(lambda: session.text("#ticks") == "5")
    session.close()
    assert Dashboard.running == 0


def test_what_never_happens_is_a_timeout_that_shows_the_page(htag_session: Open) -> None:
    session = htag_session(Form)
    with pytest.raises(TimeoutError, match="<body"):
        session.until(lambda: False, 0.02)


# -- moving


def test_a_moved_session_is_the_same_app_in_other_objects(htag_session: Open) -> None:
    session = htag_session(Todo)
    session.submit("#new", text="milk")
    app, item, shown = session.app, session.find(Item), session.html()
    session.move()
    assert session.html() == shown
    assert session.app is not app
    assert session.find(Item) is not item
    session.tick("input[type=checkbox]")
    session.submit("#new", text="bread")
    assert session.text("#count") == "1 open of 2"
    assert "done" in session.find(Item, text="milk✕")["class"]


def test_another_process_reads_it(htag_session: Open) -> None:
    session = htag_session(Todo)
    session.submit("#new", text="milk")
    shown = session.html()
    session.move(process=True)
    assert session.html() == shown
    session.click("button", text="✕")
    assert session.text("#count") == "0 open of 0"


def test_what_another_process_cannot_import_is_said_with_its_last_words(htag_session: Open) -> None:
    class Local(Tag.App):
        """Nothing that another process could import."""

    with pytest.raises(RuntimeError, match=r"cannot read .*Local"):
        htag_session(Local).move(process=True)


def test_tasks_end_and_begin_anew(htag_session: Open) -> None:
    session = htag_session(Dashboard)
    session.until(lambda: Dashboard.running == 1)
    for move in (session.move, session.crash):
        move()
        session.wait()
        assert Dashboard.running == 1
        seen = session.text("#ticks")
        session.until(lambda seen=seen: session.text("#ticks") != seen)


class Hooked(Tag.App):
    """Notes its hooks, in itself and outside."""

    here: ClassVar[list[Any]] = []

    def init(self) -> None:
        self.log: list[str] = []

    def on_mount(self) -> None:
        self.log.append("mount")
        self.here.append(self)

    def on_unmount(self) -> None:
        self.log.append("unmount")
        if self in self.here:
            self.here.remove(self)


def test_hooks_run_around_a_move(htag_session: Open) -> None:
    session = htag_session(Hooked)
    session.move()
    assert session.app.log == ["mount", "unmount", "mount"]
    assert Hooked.here == [session.app]


def test_after_a_crash_both_hooks_run_where_it_goes_on(htag_session: Open) -> None:
    session = htag_session(Hooked)
    session.app.log.append("before")
    session.crash()
    assert session.app.log == ["mount", "before", "unmount", "mount"]
    assert Hooked.here == [session.app]


class Holding(Tag.App):
    """Holds what cannot be written down."""

    def init(self) -> None:
        self.handle: Any = None
        self.log: list[str] = []
        Tag.button("open", _onclick=lambda event: setattr(self, "handle", (line for line in "ab")))
        Tag.button("close", _onclick=lambda event: setattr(self, "handle", None))

    on_mount = Hooked.on_mount
    on_unmount = Hooked.on_unmount
    here = Hooked.here


@pytest.mark.parametrize("way", ["move", "crash"])
def test_what_pins_a_session_is_said_and_it_goes_on(htag_session: Open, way: str) -> None:
    session = htag_session(Holding)
    session.click("button", text="open")
    with pytest.raises(Pinned, match="generator"):
        getattr(session, way)()
    assert session.app.log[-1] == "mount"
    session.click("button", text="close")
    getattr(session, way)()
    assert session.app.handle is None


class Twice(Tag.App):
    """A field that hears of both of its events."""

    def init(self) -> None:
        self.heard: list[str] = []
        Tag.input(_name="a", _oninput=lambda event: self.hear("input"), _onchange=lambda event: self.hear("change"))

    def hear(self, name: str) -> None:
        self.heard.append(name)


def test_a_tag_that_a_test_has_names_the_one_in_its_place_after_a_move(htag_session: Open) -> None:
    session = htag_session(Twice, move="always")
    field = session.find("input")
    session.enter(field, "x")
    session.enter(field, "y")
    assert session.app.heard == ["input", "change"] * 2
    assert session.find(field) is not field


def test_always_moves_after_each_event(htag_session: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = htag_session(Todo, move="always")
    monkeypatch.setenv("HTAG_MOVE", "always")
    by_environment = htag_session(Todo)
    for session in (moved, by_environment):
        app = session.app
        session.submit("#new", text="milk")
        assert session.app is not app
        assert session.text("#count") == "1 open of 1"
    app = by_environment.app
    with pytest.raises(LookupError):
        by_environment.click("#nothing")
    assert by_environment.app is app
