"""Contract, section 5: attributes and class helpers."""

import pytest

from htag import HTML, State, Tag
from tests.support.markup import without_ids

# -- square brackets


def test_reading_an_attribute_gives_the_stored_value():
    value = lambda: "x"  # noqa: E731
    state = State("x")
    tag = Tag.div(_class="c", _title=value, _lang=state)
    assert tag["class"] == "c"
    assert tag["title"] is value
    assert tag["lang"] is state


def test_reading_an_event_gives_the_callback_or_the_script():
    callback = lambda event: None  # noqa: E731
    assert Tag.div(_onclick=callback)["onclick"] is callback
    assert Tag.div(_onclick="alert(1)")["onclick"] == "alert(1)"


def test_a_missing_attribute_is_a_key_error_with_its_name():
    with pytest.raises(KeyError) as caught:
        Tag.div()["nothing"]
    assert caught.value.args[0] == "nothing"


def test_a_key_that_is_no_text_is_a_type_error():
    tag = Tag.div()
    with pytest.raises(TypeError):
        tag[1]


def test_setting_an_attribute():
    tag = Tag.div()
    tag["class"] = "c"
    assert without_ids(tag) == '<div class="c"></div>'


def test_no_underscore_conversion_in_brackets():
    tag = Tag.div()
    tag["data_id"] = 1
    assert without_ids(tag) == '<div data_id="1"></div>'


def test_setting_a_callable_or_text_under_on_is_an_event():
    tag = Tag.div()
    tag["onclick"] = "alert(1)"
    assert without_ids(tag) == '<div onclick="alert(1)"></div>'


@pytest.mark.quirk
def test_setting_something_else_under_on_is_an_attribute():
    tag = Tag.div()
    tag["onclick"] = True
    tag["onkeyup"] = None
    assert without_ids(tag) == "<div onclick></div>"


def test_deleting_an_attribute_or_an_event():
    tag = Tag.div(_class="c", _onclick="alert(1)")
    del tag["class"]
    del tag["onclick"]
    assert without_ids(tag) == "<div></div>"
    for name in ("class", "onclick"):
        with pytest.raises(KeyError):
            del tag[name]


def test_setting_a_python_attribute_renders_nothing(recwarn):
    tag = Tag.div()
    tag._class = "x"  # type: ignore[attr-defined]
    assert without_ids(tag) == "<div></div>"
    assert not recwarn.list


@pytest.mark.parametrize(
    "change",
    [
        lambda tag: tag.__setitem__("class", "c"),
        lambda tag: tag.__setitem__("onclick", "a()"),
        lambda tag: tag.__delitem__("title"),
        lambda tag: tag.__delitem__("onkeyup"),
    ],
)
async def test_setting_and_deleting_mark_dirty(show, change):
    tag = Tag.div(_title="1", _onkeyup="b()")
    await show(tag)
    assert not tag.is_dirty
    change(tag)
    assert tag.is_dirty


# -- values


@pytest.mark.parametrize(
    ("value", "html"),
    [
        (True, " a"),
        (False, ""),
        (None, ""),
        (0, ' a="0"'),
        ("", ' a=""'),
        (1.5, ' a="1.5"'),
        ("""<&>"'""", ' a="&lt;&amp;&gt;&quot;&#x27;"'),
        (lambda: "x", ' a="x"'),
        (lambda: True, " a"),
        (lambda: None, ""),
        (State("x"), ' a="x"'),
        (State(False), ""),
        (State(True), " a"),
        (lambda: State("x"), ' a="x"'),
        (lambda: State(lambda: False), ""),
        (State({"k": "v"})["k"], ' a="v"'),
    ],
)
def test_how_a_value_is_rendered(value, html):
    assert without_ids(Tag.div(_a=value)) == f"<div{html}></div>"


def test_html_is_not_exempt_in_attributes():
    assert without_ids(Tag.div(_a=HTML("<b>"))) == '<div a="&lt;b&gt;"></div>'


def test_a_callable_is_asked_at_each_render():
    numbers = iter(range(9))
    tag = Tag.div(_a=lambda: next(numbers))
    assert [without_ids(tag), without_ids(tag)] == ['<div a="0"></div>', '<div a="1"></div>']


def test_a_list_is_escaped_once():
    assert without_ids(Tag.div(_a=["x", "y"])) == '<div a="xy"></div>'


@pytest.mark.mended
def test_markup_in_a_list_is_escaped_once():
    assert without_ids(Tag.div(_a=["<", "y"])) == '<div a="&lt;y"></div>'


def test_attributes_then_events_then_the_id():
    tag = Tag.button(_onclick="a()", _class="c", _disabled=True, _onkeyup="b()", _title="t", _id="i")
    assert str(tag) == '<button class="c" disabled title="t" id="i" onclick="a()" onkeyup="b()"></button>'


def test_disabled_stands_before_the_id():
    assert ' disabled id="' in str(Tag.button(_disabled=True))


@pytest.mark.mended
@pytest.mark.parametrize("name", ["a b", "a>", 'a"', "a'", "a=b", "a/b", "\x00", ""])
def test_a_name_that_would_break_out_is_never_rendered(name):
    with pytest.raises(ValueError, match="name"):
        Tag.div()[name] = "x"


# -- class helpers


def test_class_helpers_return_the_tag_and_chain():
    tag = Tag.div()
    assert tag.add_class("a") is tag
    assert tag.remove_class("a") is tag
    assert tag.toggle_class("a") is tag
    assert tag.add_class("b").has_class("b") is True
    assert tag.has_class("c") is False


def test_class_helpers_work_on_words_joined_by_one_space():
    tag = Tag.div(_class="  a   b ")
    tag.add_class("c")
    assert tag["class"] == "a b c"
    tag.remove_class("b")
    assert tag["class"] == "a c"
    tag.toggle_class("a").toggle_class("d")
    assert tag["class"] == "c d"


def test_add_class_adds_once():
    tag = Tag.div(_class="a")
    tag.add_class("a")
    assert tag["class"] == "a"


def test_removing_the_last_class_leaves_an_empty_one():
    tag = Tag.div(_class="a").remove_class("a")
    assert without_ids(tag) == '<div class=""></div>'


@pytest.mark.parametrize(
    ("call", "dirty"),
    [
        (lambda tag: tag.add_class("a"), False),
        (lambda tag: tag.remove_class("z"), False),
        (lambda tag: tag.has_class("a"), False),
        (lambda tag: tag.add_class("b"), True),
        (lambda tag: tag.remove_class("a"), True),
        (lambda tag: tag.toggle_class("a"), True),
    ],
)
async def test_class_helpers_mark_dirty_only_on_a_change(show, call, dirty):
    tag = Tag.div(_class="a")
    await show(tag)
    call(tag)
    assert tag.is_dirty is dirty


def test_class_helpers_rewrite_a_state():
    state = State("a")
    tag = Tag.div(_class=state)
    tag.add_class("b").remove_class("a")
    assert tag["class"] is state
    assert state.value == "b"


def test_class_helpers_wrap_a_callable():
    words = ["a"]
    tag = Tag.div(_class=lambda: " ".join(words))
    tag.add_class("b")
    assert without_ids(tag) == '<div class="a b"></div>'
    words[:] = ["c"]
    assert without_ids(tag) == '<div class="c b"></div>'
    tag.remove_class("c")
    assert without_ids(tag) == '<div class="b"></div>'


@pytest.mark.mended
def test_has_class_works_on_a_callable_and_on_none():
    assert Tag.div(_class=lambda: "a b").has_class("b")
    assert not Tag.div(_class=None).has_class("b")


@pytest.mark.mended
def test_add_class_on_none_starts_afresh():
    assert Tag.div(_class=None).add_class("x")["class"] == "x"


@pytest.mark.mended
def test_a_class_argument_of_several_words_is_several_classes():
    tag = Tag.div(_class="a b c")
    assert tag.has_class("a b")
    tag.remove_class("a c")
    assert tag["class"] == "b"
