"""What a person typed or chose in a field that a callable makes stays, on the server as in the browser."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from htag import GTag, State, Tag, prevent
from htag.session.form_fields import synchronise
from htag.snapshot.api import dump, load
from htag.tree.live import live_tree
from htag.tree.pairs import MISSING, get
from htag.wire.messages import Update

Make = Callable[[], Any]


class Form(Tag.App):
    """What `make` makes, anew each time that `turn` changes."""

    make: Make = staticmethod(lambda: None)

    def init(self) -> None:
        self.turn = State(0)
        Tag.form(lambda: (self.turn.value, type(self).make())[1])


def shown(make: Make, monkeypatch: pytest.MonkeyPatch) -> Form:
    monkeypatch.setattr(Form, "make", staticmethod(make))
    app = Form()
    live_tree(app).render_page()
    return app


def again(app: Form) -> None:
    app.turn += 1
    assert live_tree(app).drain_changes(Update({})) == []


def fields(app: Any, name: str = "input") -> list[GTag]:
    return [tag for tag in live_tree(app).generated.pre_order(app) if tag.tag == name]


def say(tag: GTag, **data: Any) -> None:
    assert synchronise(tag, "input", data, live_tree(tag.root))


def attribute(tag: GTag, name: str) -> Any:
    return get(tag._attributes, name)


TEXTS: list[Make] = [
    Tag.input,
    lambda: Tag.input(_value=""),
    lambda: Tag.input(_value="given", _type="search"),
    lambda: Tag.textarea("given"),
    lambda: Tag.div(Tag.p(Tag.input())),
    lambda: [Tag.b("x"), Tag.input(_data_htag_key="k")],
    lambda: Tag.sl_input(_value="given"),
    lambda: Tag.div(Tag.p(lambda: Tag.input())),
    lambda: Tag.div(lambda: Tag.div(lambda: [Tag.b("x"), Tag.p(Tag.input())])),
]


@pytest.mark.parametrize("make", TEXTS)
def test_what_was_typed_goes_on(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    app = shown(make, monkeypatch)
    (old,) = (tag for tag in live_tree(app).generated.pre_order(app) if tag.tag in ("input", "textarea", "sl-input"))
    say(old, value="typed")
    for _ in range(3):
        again(app)
        (new,) = fields(app, str(old.tag))
        assert new is not old
        assert new["value"] == "typed"
        assert "typed" in str(new)
    say(new, value="more")
    again(app)
    assert fields(app, str(old.tag))[0]["value"] == "more"


def test_what_the_author_gives_anew_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["first"]
    app = shown(lambda: [Tag.input(_value=given[0]), Tag.textarea(given[0])], monkeypatch)
    for tag in (*fields(app), *fields(app, "textarea")):
        say(tag, value="typed")
    given[0] = "second"
    again(app)
    assert fields(app)[0]["value"] == "second"
    assert fields(app, "textarea")[0].text == "second"
    assert attribute(fields(app, "textarea")[0], "value") is MISSING


def test_what_the_author_sets_after_it_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    app = shown(lambda: [Tag.input(_value="")], monkeypatch)
    (field,) = fields(app)
    say(field, value="typed")
    field["value"] = ""  # as a handler does that has taken it
    again(app)
    assert fields(app)[0]["value"] == ""


def test_what_a_state_says_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    state = State("state")
    app = shown(lambda: [Tag.input(_value=state), Tag.input(_value=lambda: "callable")], monkeypatch)
    for field in fields(app):
        say(field, value="typed")
    again(app)
    assert fields(app)[0]["value"] is state
    assert "typed" not in "".join(map(str, fields(app)))


def test_a_field_of_another_kind_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = ["text"]
    app = shown(lambda: Tag.input(_type=kind[0]), monkeypatch)
    say(fields(app)[0], value="typed")
    kind[0] = "number"
    again(app)
    assert attribute(fields(app)[0], "value") is MISSING


class Search(Tag.div):
    def init(self) -> None:
        Tag.input()


class Login(Tag.div):
    def init(self) -> None:
        Tag.input()


def sought(event: Any) -> None:
    """A handler."""


def logged_in(event: Any) -> None:
    """Another one."""


class Handlers:
    def one(self, event: Any) -> None:
        """A handler."""

    def other(self, event: Any) -> None:
        """Another one."""


PAGES: list[tuple[Make, Make]] = [
    (Search, Login),
    (lambda: Tag.form(Tag.input(_name="q")), lambda: Tag.form(Tag.input(_name="email"))),
    (lambda: Tag.input(_placeholder="Search"), lambda: Tag.input(_placeholder="Your mail")),
    (lambda: Tag.input(_oninput=sought), lambda: Tag.input(_oninput=logged_in)),
    (lambda: Tag.input(_oninput=sought), lambda: Tag.input(_onchange=sought)),
    (lambda: Tag.input(_oninput="seek()"), lambda: Tag.input(_oninput="login()")),
    (lambda: Tag.input(_oninput=prevent(Handlers().one)), lambda: Tag.input(_oninput=prevent(Handlers().other))),
    (lambda: Tag.input(_oninput=partial(sought)), lambda: Tag.input(_oninput=partial(logged_in))),
]


@pytest.mark.parametrize("pages", PAGES)
def test_another_page_s_field_begins_anew(pages: tuple[Make, Make], monkeypatch: pytest.MonkeyPatch) -> None:
    page = [0]
    app = shown(lambda: pages[page[0]](), monkeypatch)
    say(fields(app)[0], value="typed")
    again(app)
    assert fields(app)[0]["value"] == "typed"
    page[0] = 1
    again(app)
    assert attribute(fields(app)[0], "value") is MISSING


def test_a_key_says_which_field_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ["a", "b"]
    app = shown(lambda: [Tag.input(_data_htag_key=key) for key in keys], monkeypatch)
    say(fields(app)[1], value="typed into b")
    keys[:] = ["new", "b", "a"]
    again(app)
    assert [attribute(field, "value") for field in fields(app)] == [MISSING, "typed into b", MISSING]


def test_in_a_list_that_has_become_shorter_places_count_as_in_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ["a", "b", "c"]
    app = shown(lambda: [Tag.p(row, Tag.input()) for row in rows], monkeypatch)
    for field in fields(app)[:2]:
        say(field, value=f"typed after {field.parent.text}")
    rows.pop()
    again(app)
    assert [attribute(field, "value") for field in fields(app)] == ["typed after a", "typed after b"]


def test_ticks_and_choices_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> list[Any]:
        radios = [Tag.input(_type="radio", _name="r", _value=each, _checked=each == "a") for each in "abc"]
        options = [Tag.option(each, **({"_selected": True} if each == "x" else {})) for each in order]
        return [Tag.input(_type="checkbox"), *radios, Tag.select(*options)]

    order = ["x", "y", "z"]
    app = shown(make, monkeypatch)
    box, _, radio, _ = fields(app)
    say(box, checked=True)
    say(radio, checked=True)
    say(fields(app, "select")[0], value="y")
    order.reverse()
    for _ in range(2):
        again(app)
        assert [attribute(field, "checked") for field in fields(app)] == [True, False, True, False]
        assert [option.text for option in fields(app, "option") if attribute(option, "selected") is True] == ["y"]


def test_it_goes_on_after_a_move(monkeypatch: pytest.MonkeyPatch) -> None:
    app = shown(lambda: [Tag.input(), Tag.input(_value="given")], monkeypatch)
    for field in fields(app):
        say(field, value="typed")
    moved: Any = load(dump(app), Form).app
    again(moved)
    assert [field["value"] for field in fields(moved)] == ["typed", "typed"]


def test_fields_that_no_callable_makes_cost_nothing() -> None:
    app = Tag.App(Tag.input())
    live_tree(app).render_page()
    say(fields(app)[0], value="typed")
    assert live_tree(app).reported is None
