"""Contract, section 3: constructing a tag."""

import pytest

from headless.document import parse
from htag import Tag
from tests.support.markup import without_ids


def only(html):
    (element,) = parse(str(html)).children
    return element


# -- keyword arguments


def test_on_keywords_are_events():
    assert only(Tag.button(_onclick=lambda event: None, _id="b")).call("click") == ("b", "click")


def test_underscores_in_an_event_name_are_kept():
    tag = Tag.button(_onmy_evt=lambda event: None, _id="b")
    assert only(tag).call("my_evt") == ("b", "my_evt")
    assert callable(tag["onmy_evt"])


@pytest.mark.quirk
def test_anything_that_begins_with_on_is_an_event():
    assert only(Tag.button(_one="x")).attributes["one"] == "x"
    assert Tag.button(_one="x")["one"] == "x"


def test_underscore_keywords_are_attributes_with_dashes():
    tag = Tag.div(_data_id="5", _aria_hidden="true", _class="c")
    assert without_ids(tag) == '<div data-id="5" aria-hidden="true" class="c"></div>'


def test_letter_case_of_an_attribute_is_kept():
    assert 'viewBox="0 0 1 1"' in str(Tag.svg(_viewBox="0 0 1 1"))


def test_plain_keywords_are_python_attributes_never_html():
    tag = Tag.div("x", color="red")
    assert tag.color == "red"  # type: ignore[attr-defined]
    assert "red" not in str(tag)


def test_plain_keywords_are_there_before_init_and_passed_to_it():
    seen = []

    class Box(Tag.div):
        def init(self, **kwargs):
            seen.append((self.color, kwargs))  # type: ignore[attr-defined]

    Box(color="red", _class="c", _onclick=lambda event: None)
    assert seen == [("red", {"color": "red"})]


def test_attributes_are_there_before_init():
    class Box(Tag.div):
        def init(self):
            self.seen = self["class"]

    assert Box(_class="c").seen == "c"


def test_plain_keywords_go_through_setattr():
    assert Tag.div(id="x").id == "x"
    assert without_ids(Tag.div("y", tag="b")) == "<b>y</b>"
    assert "hello" in str(Tag.div(text="hello"))


@pytest.mark.parametrize("name", ["root", "request", "is_dirty"])
def test_read_only_properties_refuse_a_keyword(name):
    with pytest.raises(AttributeError):
        Tag.div(**{name: 1})


@pytest.mark.quirk
def test_a_keyword_named_like_a_method_shadows_it():
    assert Tag.div(clear=1).clear == 1


# -- init


def test_the_default_init_adds_its_arguments_and_ignores_keywords():
    assert without_ids(Tag.div("a", Tag.b("b"), ["c", ("d", None)], size=3)) == "<div>a<b>b</b>cd</div>"


def test_an_own_init_gets_the_arguments_instead():
    class Greeting(Tag.p):
        def init(self, name, punctuation="!"):
            self <= f"Hello {name}{punctuation}"

    assert without_ids(Greeting("Ann")) == "<p>Hello Ann!</p>"
    assert without_ids(Greeting("Ann", punctuation="?")) == "<p>Hello Ann?</p>"


def test_super_init_adds_children():
    class Card(Tag.div):
        def init(self, *children):
            self <= Tag.h2("title")
            super().init(*children)

    assert without_ids(Card("a", "b")) == "<div><h2>title</h2>ab</div>"


def test_init_that_takes_no_arguments_refuses_children():
    class Closed(Tag.div):
        def init(self):
            pass

    with pytest.raises(TypeError):
        Closed("x")


def test_init_that_does_not_know_a_keyword_refuses_it():
    class Closed(Tag.div):
        def init(self, known=None):
            pass

    with pytest.raises(TypeError):
        Closed(unknown=1)


def test_a_name_argument_does_not_reach_init():
    from htag import GTag

    class Any(GTag):
        def init(self, *args):
            self.seen = args

    assert Any("i", "a").seen == ("a",)


def test_while_init_runs_the_tag_is_the_auto_parent():
    class Card(Tag.div):
        def init(self):
            Tag.h1("x")

    assert without_ids(Card()) == "<div><h1>x</h1></div>"


def test_a_tag_kept_in_an_attribute_in_init_is_appended_too():
    class Card(Tag.div):
        def init(self):
            self.title = Tag.h1("x")
            Tag.p("y")

    assert without_ids(Card()) == "<div><h1>x</h1><p>y</p></div>"


def test_the_new_tag_is_given_to_the_parents_add_alone():
    received = []

    class Listening(Tag.div):
        def add(self, *items):
            received.append(items)
            return super().add(*items)

        def init(self):
            self.made = Tag.b()

    parent = Listening()
    assert received == [(parent.made,)]


def test_init_may_be_overridden_twice():
    class Base(Tag.div):
        def init(self, title):
            Tag.h1(title)

    class Sub(Base):
        def init(self, title):
            super().init(title.upper())
            Tag.p("body")

    assert without_ids(Sub("x")) == "<div><h1>X</h1><p>body</p></div>"


# -- __init__


def test_an_own_dunder_init_may_call_super():
    class Old(Tag.div):
        def __init__(self, name):
            super().__init__(_class="old")
            self.name = name
            self <= Tag.b(name)

    tag = Old("x")
    assert tag.name == "x"
    assert without_ids(tag) == '<div class="old"><b>x</b></div>'


@pytest.mark.quirk
def test_tags_made_after_super_dunder_init_are_not_auto_parented():
    class Old(Tag.div):
        def __init__(self):
            super().__init__()
            Tag.b("x")

    assert without_ids(Old()) == "<div></div>"


# -- what a tag is


def test_a_class_may_define_its_html_name():
    class Own(Tag.div):
        tag = "my-element"

    assert without_ids(Own("x")) == "<my-element>x</my-element>"


def test_childs_parent_and_id_are_always_there():
    tag = Tag.div()
    assert tag.childs == []
    assert tag.parent is None
    assert isinstance(tag.id, str)


def test_tags_are_truthy_and_hashable_by_identity():
    one, other = Tag.div(), Tag.div()
    assert one
    assert len({one, other, one}) == 2
    assert one != other


def test_tags_are_not_iterable_and_have_no_length():
    tag = Tag.div("x")
    with pytest.raises(TypeError):
        list(tag)
    with pytest.raises(TypeError):
        "x" in tag
    with pytest.raises(TypeError):
        len(tag)


def test_subclasses_may_use_any_attribute_name_of_their_own():
    class Card(Tag.div):
        def init(self):
            self.title, self.data, self._hidden, self.children = "t", {"a": 1}, 3, [4]

    card = Card()
    assert (card.title, card.data, card._hidden, card.children) == ("t", {"a": 1}, 3, [4])
