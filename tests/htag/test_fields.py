"""The tree shows what the person sees: what a browser says of a field is kept, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from htag import GTag, State, Tag
from htag.fields import form_of, is_disabled, options_of, synchronise
from htag.pairs import MISSING, get


class Stage(Tag.App):
    def shown(self) -> Stage:
        self._live.take_page()
        return self


def say(tag: GTag, **data: Any) -> None:
    synchronise(tag, data, tag.root._live)


def attribute(tag: GTag, name: str) -> Any:
    return get(tag._attributes, name)


def on_stage(*children: Any) -> Stage:
    return Stage(*children).shown()


@pytest.mark.parametrize("make", [Tag.input, Tag.textarea, Tag.select, Tag.option, Tag.sl_input])
def test_a_field_keeps_its_value_and_is_not_changed_by_that(make: type[GTag]) -> None:
    field = make()
    app = on_stage(field)
    say(field, value="typed")
    assert field["value"] == "typed"
    assert not app._live.dirty  # the browser shows it already


@pytest.mark.parametrize("make", [Tag.div, Tag.button, Tag.form, Tag.p, Tag])
def test_what_is_no_field_keeps_nothing(make: Any) -> None:
    tag = make("x")
    on_stage(tag)
    say(tag, value="typed", checked=True)
    assert tag._attributes == ()


@pytest.mark.parametrize("value", [{"a": 1}, ["a"], {}])
def test_a_value_that_no_field_can_have_is_not_kept(value: Any) -> None:
    field = Tag.input(_value="mine")
    on_stage(field)
    say(field, value=value)
    assert field["value"] == "mine"


@pytest.mark.parametrize("data", [None, 5, "value", ["value"], True])
def test_data_that_is_no_object_says_nothing(data: Any) -> None:
    field = Tag.input(_value="mine")
    app = on_stage(field)
    synchronise(field, data, app._live)
    assert field["value"] == "mine"


def test_a_checkbox_keeps_its_check_mark_and_its_own_value() -> None:
    box = Tag.input(_type="checkbox", _value="mine")
    on_stage(box)
    say(box, checked=True, value="other")
    assert (box["checked"], box["value"]) == (True, "mine")
    assert " checked" in str(box)
    say(box, checked=False)
    assert " checked" not in str(box)
    say(box, value="other")
    assert (box["checked"], box["value"]) == (False, "mine")


def radio(name: str, value: str, **attributes: Any) -> GTag:
    return Tag.input(_type="radio", _name=name, _value=value, **attributes)


def test_one_radio_button_of_a_name_is_checked() -> None:
    one, two, three = radio("r", "1", _checked=True), radio("r", "2"), radio("s", "3", _checked=True)
    on_stage(one, Tag.div(two), three)
    say(two, checked=True)
    assert [attribute(tag, "checked") for tag in (one, two, three)] == [False, True, True]


def test_radio_buttons_of_one_name_in_two_forms_do_not_exclude_each_other() -> None:
    here, there, outside = radio("r", "1", _checked=True), radio("r", "2"), radio("r", "3", _checked=True)
    beside = radio("r", "4")
    on_stage(Tag.form(Tag.p(here)), Tag.form(Tag.p(there), beside), outside)
    say(there, checked=True)
    say(beside, checked=True)
    assert [attribute(tag, "checked") for tag in (here, there, beside, outside)] == [True, False, True, True]


def test_a_radio_button_that_is_unchecked_leaves_the_others_alone() -> None:
    one, two = radio("r", "1", _checked=True), radio("r", "2")
    on_stage(one, two)
    say(two, checked=False)
    assert attribute(one, "checked") is True


def test_a_radio_button_that_was_renamed_belongs_to_its_new_group() -> None:
    one, two = radio("r", "1"), radio("r", "2", _checked=True)
    app = on_stage(one, two)
    two["name"] = "s"
    app.shown()
    say(one, checked=True)
    assert two["checked"] is True


def test_a_radio_button_that_left_is_in_no_group() -> None:
    one, two = radio("r", "1"), radio("r", "2", _checked=True)
    app = on_stage(one, two)
    two.remove()
    app.shown()
    say(one, checked=True)
    assert two["checked"] is True


def test_a_select_checks_the_option_that_was_chosen_also_in_a_group() -> None:
    one, two = Tag.option("One", _value="1", _selected=True), Tag.option("two")
    three = Tag.option("Three", _value=3)
    select = Tag.select(one, Tag.optgroup(two, three))
    on_stage(select)
    assert options_of(select) == [one, two, three]
    say(select, value="3")
    assert [attribute(option, "selected") for option in (one, two, three)] == [False, MISSING, True]
    say(select, value="two")  # no value of its own: its text
    assert [attribute(option, "selected") for option in (one, two, three)] == [False, True, False]
    assert str(select).count(" selected") == 1
    assert " value=" not in str(select).split(">")[0]


def test_a_textarea_shows_what_was_typed_and_then_what_it_is_given() -> None:
    area = Tag.textarea("before")
    on_stage(area)
    say(area, value="<typed>")
    assert ">&lt;typed&gt;</textarea>" in str(area)
    assert (area["value"], area.text) == ("<typed>", "<typed>")
    area.text = "after"
    assert ">after</textarea>" in str(area)
    assert attribute(area, "value") is MISSING


def test_form_of_is_the_nearest_form_around() -> None:
    field = Tag.input()
    inner = Tag.form(Tag.div(field))
    Tag.form(Tag.div(inner))
    assert form_of(field) is inner
    assert form_of(Tag.input()) is None


@pytest.mark.parametrize(
    ("value", "disabled"),
    [
        (True, True),
        ("", True),
        ("disabled", True),
        ("false", True),  # as in HTML, where its being there is what counts
        (False, False),
        (None, False),
        (lambda: True, True),
        (lambda: None, False),
        (lambda: lambda: False, False),
        (State(True), True),
        (State(False), False),
    ],
)
def test_what_disabled_means(value: Any, disabled: bool) -> None:
    assert is_disabled(Tag.button(_disabled=value)) is disabled


def test_only_what_html_can_disable_is_disabled() -> None:
    assert not is_disabled(Tag.div(_disabled=True))
    assert not is_disabled(Tag.button())
    for make in (Tag.button, Tag.fieldset, Tag.input, Tag.option, Tag.select, Tag.textarea):
        assert is_disabled(make(_disabled=True))
