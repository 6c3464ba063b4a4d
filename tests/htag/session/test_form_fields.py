"""The tree shows what the person sees: what a browser says of a field is kept, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from htag import GTag, State, Tag
from htag.core import HTML
from htag.session.form_fields import form_of, is_disabled, options_of, synchronise
from htag.tree.live import live_tree
from htag.tree.pairs import MISSING, get


class Stage(Tag.App):
    def shown(self) -> Stage:
        live_tree(self).render_page()
        return self


def say(tag: GTag, **data: Any) -> None:
    synchronise(tag, "input", data, live_tree(tag.root))


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
    assert not live_tree(app).changes.dirty  # the browser shows it already


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
    synchronise(field, "input", data, live_tree(app))
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


@pytest.mark.parametrize("form", [{"_id": "f"}, {"id": "f"}])
def test_a_radio_button_belongs_to_the_form_that_it_names(form: dict[str, str]) -> None:
    inside, named = radio("r", "1", _checked=True), radio("r", "2", _form="f", _checked=True)
    other, outside = radio("r", "3", _form="g", _checked=True), radio("r", "4", _checked=True)
    on_stage(Tag.form(inside, **form), named, other, outside)
    say(named, checked=True)
    assert [attribute(tag, "checked") for tag in (inside, named, other, outside)] == [False, True, True, True]
    say(inside, checked=True)
    assert [attribute(tag, "checked") for tag in (inside, named, other, outside)] == [True, False, True, True]


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
    assert [*options_of(select, live_tree(select.root))] == [one, two, three]
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
    for make in (Tag.button, Tag.fieldset, Tag.input, Tag.optgroup, Tag.option, Tag.select, Tag.textarea):
        assert is_disabled(make(_disabled=True))


def test_a_disabled_fieldset_disables_the_controls_in_it() -> None:
    inside, deep, beside = Tag.button(), Tag.input(), Tag.button()
    fieldset = Tag.fieldset(Tag.p(inside), Tag.fieldset(Tag.div(deep)), _disabled=True)
    Tag.form(fieldset, beside)
    assert is_disabled(inside)
    assert is_disabled(deep)
    assert is_disabled(deep.parent.parent)  # a fieldset in it too
    assert not is_disabled(beside)
    assert not is_disabled(inside.parent)  # what is no control is no part of it
    fieldset["disabled"] = False
    assert not is_disabled(inside)
    assert not is_disabled(deep)


def test_the_first_legend_of_a_disabled_fieldset_stays_enabled() -> None:
    first, second, nested = Tag.button(), Tag.button(), Tag.button()
    Tag.fieldset(Tag.p(), Tag.legend(Tag.b(first)), Tag.legend(second), Tag.div(Tag.legend(nested)), _disabled=True)
    assert [is_disabled(button) for button in (first, second, nested)] == [False, True, True]
    inner = Tag.button()
    Tag.fieldset(Tag.legend(Tag.fieldset(inner, _disabled=True)), _disabled=True)
    assert is_disabled(inner)


def test_a_fragment_between_fieldset_and_legend_is_none() -> None:
    first, other = Tag.button(), Tag.button()
    Tag.fieldset(Tag(Tag.legend(first), Tag.p(other)), _disabled=lambda: True)
    assert not is_disabled(first)
    assert is_disabled(other)


def test_an_option_in_a_disabled_group_is_disabled() -> None:
    option = Tag.option("a")
    Tag.select(Tag.optgroup(option, _disabled=True))
    assert is_disabled(option)


def chosen(select: GTag, value: Any, event: Any = "change") -> tuple[bool, Any]:
    """Whether the event is believed, and what is kept."""
    believed = synchronise(select, event, {"value": value}, live_tree(select.root))
    return believed, attribute(select, "value")


def test_a_select_keeps_only_what_it_offers() -> None:
    select = Tag.select(
        Tag.option("One", _value="1"), Tag.optgroup(Tag.option("  two\n words ")), Tag.option(0, _value=0)
    )
    on_stage(select)
    for value in ("1", 1, "two words", "0", ""):
        assert chosen(select, value) == (True, value)
    for value in ("3", "One", "two", True, 1.5, "false", "None"):
        assert chosen(select, value) == (False, "")
    assert chosen(select, "1", "input") == (True, "1")
    assert chosen(select, "3", "input") == (False, "1")
    assert chosen(select, "3", "click") == (True, "1")  # of the app's own script, say; it is not kept
    assert chosen(select, "3", ["change"]) == (True, "1")


def test_a_select_offers_what_callables_make_and_nothing_disabled() -> None:
    select = Tag.select(lambda: [Tag.option(name, _disabled=name == "c") for name in "abc"])
    on_stage(select)
    assert chosen(select, "b") == (True, "b")
    assert chosen(select, "c") == (False, "b")
    assert chosen(select, "d") == (False, "b")


def test_a_placeholder_that_was_chosen_from_the_start_is_believed() -> None:
    select = Tag.select(Tag.option("Choose", _disabled=True, _selected=True), Tag.option("a"))
    on_stage(select)
    assert chosen(select, "Choose")[0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Tag.select(),
        lambda: Tag.select(HTML("<option>new</option>"), Tag.option("a")),
        lambda: Tag.select(Tag.optgroup(HTML("<option>new</option>")), Tag.option("a")),
        lambda: Tag.select(Tag.option(HTML("<b>new</b>")), Tag.option("a")),
        lambda: Tag.select(Tag.option(lambda: "new"), Tag.option("a")),
        lambda: Tag.select(Tag.option(Tag.b("new")), Tag.option("a")),
    ],
)
def test_of_options_that_are_not_known_any_may_have_been_chosen(make: Any) -> None:
    select = make()
    on_stage(select)
    assert chosen(select, "new") == (True, "new")


@pytest.mark.parametrize("kind", ["button", "submit", "reset", "image"])
def test_the_label_of_a_button_is_the_app_s(kind: str) -> None:
    field = Tag.input(_type=kind, _value="Pay")
    on_stage(field)
    assert synchronise(field, "click", {"value": "Pay nothing"}, live_tree(field.root))
    assert field["value"] == "Pay"


@pytest.mark.parametrize("how", [{"_type": "hidden"}, {"_readonly": True}])
def test_what_scripts_fill_in_is_believed(how: dict[str, Any]) -> None:
    field = Tag.input(_value="", **how)
    on_stage(field)
    say(field, value="2026-11-26")
    assert field["value"] == "2026-11-26"


# -- several of one name -----------------------------------------------------------------------------------------------


def several(*chosen: str) -> tuple[GTag, list[GTag]]:
    options = [Tag.option(each, _value=each, **({"_selected": True} if each in chosen else {})) for each in "abc"]
    return Tag.select(*options, _multiple=True), options


def selected(options: list[GTag]) -> list[str]:
    return [option["value"] for option in options if attribute(option, "selected") is True]


@pytest.mark.parametrize("chosen", [[], ["a"], ["c", "a"], ["a", "b", "c"]])
def test_a_select_of_several_keeps_which_were_chosen(chosen: list[str]) -> None:
    select, options = several("b")
    app = on_stage(select)
    assert synchronise(select, "change", {"value": chosen}, live_tree(app))
    assert selected(options) == sorted(chosen)
    assert select["value"] == chosen
    assert not live_tree(app).changes.dirty
    assert str(select).count(" selected") == len(chosen)
    assert " value=" not in str(select).split(">")[0]


def test_a_select_of_several_may_still_say_one_value() -> None:
    """As a client of wire version 1 does: the first of those that were chosen."""
    select, options = several("b", "c")
    on_stage(select)
    say(select, value="a")
    assert selected(options) == ["a"]


def test_what_a_select_of_several_does_not_offer_is_refused() -> None:
    select, options = several("b")
    options[2]["disabled"] = True
    app = on_stage(select)
    for chosen in (["a", "x"], ["c"], ["a", None], [["a"]], [{"a": 1}], ["a"] * 100_000):
        assert not synchronise(select, "change", {"value": chosen}, live_tree(app))
        assert selected(options) == ["b"]
        assert attribute(select, "value") is MISSING


def test_a_list_is_no_choice_of_a_select_of_one() -> None:
    one, two = Tag.option("a"), Tag.option("b")
    select = Tag.select(one, two)
    app = on_stage(select)
    assert synchronise(select, "change", {"value": ["a"]}, live_tree(app))
    assert attribute(select, "value") is MISSING
    assert attribute(one, "selected") is MISSING


def test_several_files_are_no_value() -> None:
    field = Tag.input(_type="file", _multiple=True)
    app = on_stage(field)
    assert synchronise(field, "change", {"value": ["a.txt", "b.txt"]}, live_tree(app))
    assert attribute(field, "value") is MISSING
