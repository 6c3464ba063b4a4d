"""`htag.tree.start_tags`: start tags that are alike but for their number are made once, and never mixed up."""

import random
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest

from htag import Tag, prevent, stop
from htag.tree.elements import Element, elements
from htag.tree.start_tags import NUMBER_TEXTS, Shape, StartTag, StartTags, start_tags

UNKNOWN = 1 << 20  # a flag that means nothing


def shown(tag: Any) -> str:
    """`str(tag)` with its number, which is another each time, as N."""
    return str(tag).replace(tag.id.rpartition("-")[2], "N")


def test_each_name_has_one_element() -> None:
    assert elements["section"] is elements["section"]
    assert elements["section"].name == "section"


@pytest.mark.parametrize("name", ["", "1a", "a b", 'a"', "a>"])
def test_what_can_be_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        Element(name)


def written(start_tag: StartTag | None, number: str) -> str:
    """The start tag with its number, handlers inline."""
    assert start_tag is not None
    head, inline, _, _ = start_tag
    return f'{head}{number}">' if inline is None else f'{inline[0]}{number}{inline[1]}{number}">'


def test_a_start_tag_is_what_stands_around_the_number() -> None:
    tags = StartTags(Element("my-tag"))
    assert written(tags.find(("class", "a<b")), "7") == '<my-tag class="a&lt;b" id="my-tag-7">'
    assert written(tags.find((), "click"), "7") == (
        "<my-tag onclick=\"htag_event('my-tag-7', 'click', event)\" id=\"my-tag-7\">"
    )
    head, _, end_tag, id_prefix = tags.find((), "click") or ("", None, "", "")
    assert (head, end_tag, id_prefix) == ('<my-tag data-htag-on="click" id="my-tag-', "</my-tag>", "my-tag-")


@pytest.mark.parametrize("attributes", [("id", "x"), ("class", "a", "value", "x")])
def test_an_attribute_that_means_more_than_its_text_has_no_start_tag(attributes: tuple[Any, ...]) -> None:
    assert StartTags(Element("p")).find(attributes) is None


@pytest.mark.parametrize("name", ["br", "input", "textarea", "select", "script", "style"])
def test_elements_with_a_rule_of_their_own_have_no_start_tag(name: str) -> None:
    assert StartTags(Element(name)).find(()) is None


def test_tags_with_the_same_keywords_share_their_attributes() -> None:
    Tag.cite()  # the first one finds out what the class needs
    first, second = Tag.cite("a", _class="x", _title="y"), Tag.cite("b", _class="x", _title="y")
    third = Tag.cite("c", _class="x", _title="y", _onclick=lambda event: None)
    assert first._attributes == ("class", "x", "title", "y")
    assert first._attributes is second._attributes
    assert third._attributes is first._attributes


def test_attributes_stand_in_the_order_of_the_keywords() -> None:
    for _ in range(2):
        assert shown(Tag.cite(_class="x", _title="y")) == '<cite class="x" title="y" id="cite-N"></cite>'
        assert shown(Tag.cite(_title="y", _class="x")) == '<cite title="y" class="x" id="cite-N"></cite>'
        both = shown(Tag.cite(_title="y", _onclick=print, _class="x"))
        assert both.startswith('<cite title="y" class="x" onclick="')


def test_two_keywords_for_one_attribute_are_one_attribute() -> None:
    keywords: dict[str, Any] = {"_data_x": "a", "_data-x": "b"}
    for _ in range(2):
        assert shown(Tag.cite(**keywords)) == '<cite data-x="b" id="cite-N"></cite>'


class Colour(str, Enum):  # noqa: UP042 - the kind that equals its value and reads otherwise
    RED = "red"


@pytest.mark.parametrize("plain_first", [True, False])
def test_what_equals_a_text_but_reads_otherwise_is_rendered_as_it_reads(plain_first: bool) -> None:
    plain, other = Tag.u(_title="red"), Tag.u(_title=Colour.RED)
    pages = [shown(each) for each in ((plain, other) if plain_first else (other, plain))]
    assert sorted(pages) == ['<u title="Colour.RED" id="u-N"></u>', '<u title="red" id="u-N"></u>']
    plain["title"] = Colour.RED
    assert shown(plain) == '<u title="Colour.RED" id="u-N"></u>'


def test_equal_but_different_values_are_not_mixed_up() -> None:
    """True == 1 == 1.0, and each looks different."""
    for _ in range(2):
        assert shown(Tag.p(_hidden=True)) == '<p hidden id="p-N"></p>'
        assert shown(Tag.p(_hidden=1)) == '<p hidden="1" id="p-N"></p>'
        assert shown(Tag.p(_hidden=1.0)) == '<p hidden="1.0" id="p-N"></p>'
        assert shown(Tag.p(_hidden="1")) == '<p hidden="1" id="p-N"></p>'


def test_handlers_with_and_without_prevent_are_not_mixed_up() -> None:
    def act(event: Any) -> None: ...

    def kept(event: Any) -> None: ...

    marked = [act, prevent(lambda event: None), stop(lambda event: None), prevent(stop(lambda event: None))]
    texts = [shown(Tag.b(_onclick=each)) for each in marked]
    assert len(set(texts)) == 4
    assert texts == [shown(Tag.b(_onclick=each)) for each in marked]
    assert "preventDefault" not in shown(Tag.b(_onclick=kept))


def test_javascript_and_several_handlers_are_not_taken_for_one_callback() -> None:
    def act(event: Any) -> None: ...

    assert shown(Tag.b(_onclick="act()")) == '<b onclick="act()" id="b-N"></b>'
    both = shown(Tag.b(_onclick=act, _onkeyup=act))
    assert "'click'" in both
    assert "'keyup'" in both


def test_a_list_as_a_value_is_rendered_as_its_text() -> None:
    assert shown(Tag.p(_class=["a", "b"])) == '<p class="ab" id="p-N"></p>'


def test_a_tag_that_was_renamed_has_its_new_name() -> None:
    tag = Tag.p("x")
    str(tag)
    tag.tag = "section"
    assert str(tag) == f'<section id="{tag.id}">x</section>'


def shapes(shape: Shape) -> int:
    """How many can be reached from `shape`, itself included."""
    by_text = [each for values in shape.by_text.values() for each in values.values()]
    return 1 + sum(map(shapes, [*by_text, *(each for _, each in shape.by_event.values())]))


def test_start_tags_without_end_do_not_fill_the_memory() -> None:
    tags = start_tags["article"]
    for number in range(3 * StartTags.CACHE_SIZE):
        str(Tag.article(_title=str(number)))
        tag = Tag.article()
        tag["title"] = f"later {number}"
        str(tag)
    assert 0 < len(tags.known) <= StartTags.CACHE_SIZE
    assert 1 < shapes(tags.bare) <= StartTags.CACHE_SIZE + 2
    long = "x" * (2 * StartTags.CACHEABLE_LENGTH)
    assert long in str(Tag.article(_title=long))
    assert all(len(head) <= 2 * StartTags.CACHEABLE_LENGTH for head, *_ in tags.known.values())
    assert long not in tags.bare.by_text["_title"]


@pytest.mark.parametrize("number", range(20))
def test_a_kept_start_tag_is_what_is_written_without_it(number: int) -> None:
    """Whatever happened to a tag since it was made: what a render knows of it is what it would find."""
    generator = random.Random(number)
    tag = Tag.section("x", _class="a", **({"_onclick": print} if number % 2 else {}))
    for _ in range(30):
        generator.choice(CHANGES)(tag)
        known = str(tag)
        tag._start_tag = None
        assert str(tag) == known
        tag._flags |= UNKNOWN  # no tag with a flag has a start tag in common with others
        tag._start_tag = None
        assert str(tag) == known
        tag._flags &= ~UNKNOWN


CHANGES: list[Callable[[Any], Any]] = [
    lambda tag: tag.add("<more>"),
    lambda tag: tag.clear(),
    lambda tag: tag.add(Tag.b("y", _class="z")),
    lambda tag: setattr(tag, "text", "a & b"),
    lambda tag: tag.toggle_class("b"),
    lambda tag: tag.__setitem__("title", '"quoted"'),
    lambda tag: tag.__setitem__("hidden", True),
    lambda tag: tag.__setitem__("hidden", "hidden"),
    lambda tag: tag.__setitem__("onclick", "act()"),
    lambda tag: tag.__setitem__("onclick", prevent(lambda event: None)),
    lambda tag: tag.__setitem__("onclick", repr),
    lambda tag: tag.__setitem__("onkeyup", repr),
    lambda tag: setattr(tag, "tag", "section" if tag.tag == "aside" else "aside"),
    lambda tag: tag.childs.append("raw"),
    lambda tag: tag.add(lambda: "made"),
]


def test_numbers_beyond_the_prepared_ones_are_written_as_well() -> None:
    tag = Tag.p("x")
    for number in (len(NUMBER_TEXTS) - 1, len(NUMBER_TEXTS), 10**9):
        tag._id = number
        assert str(tag) == f'<p id="p-{number}">x</p>'
