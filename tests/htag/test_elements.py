"""`htag.elements`: start tags that are alike but for their number are made once, and never mixed up."""

from enum import Enum
from typing import Any

import pytest

from htag import Tag, prevent, stop
from htag.elements import NUMERALS, Element, elements


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


def test_the_pieces_stand_around_the_number() -> None:
    element = Element("my-tag")
    assert "7".join(element.start(("class", "a<b")) or ()) == '<my-tag class="a&lt;b" id="my-tag-7">'
    assert "7".join(element.start(((), "click", "")) or ()) == (
        "<my-tag onclick=\"htag_event('my-tag-7', 'click', event)\" id=\"my-tag-7\">"
    )


@pytest.mark.parametrize("attributes", [("id", "x"), ("class", "a", "value", "x")])
def test_what_means_more_than_its_text_has_no_pieces(attributes: tuple[Any, ...]) -> None:
    assert Element("p").start(attributes) is None


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


def test_start_tags_without_end_do_not_fill_the_memory() -> None:
    element = elements["article"]
    for number in range(3 * Element.MOST):
        str(Tag.article(_title=str(number)))
    assert len(element.starts) <= Element.MOST
    str(Tag.article(_title="x" * (2 * Element.LONGEST)))
    assert all(len(pieces[0]) <= Element.LONGEST for pieces in element.starts.values())


def test_numbers_beyond_the_prepared_ones_are_written_as_well() -> None:
    tag = Tag.p("x")
    for number in (len(NUMERALS) - 1, len(NUMERALS), 10**9):
        tag._id = number
        assert str(tag) == f'<p id="p-{number}">x</p>'
