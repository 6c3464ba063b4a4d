"""What is escaped cannot leave the place it stands in; what is markup stays as it is, until somebody works on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htag.markup import HTML, escape


@given(st.text())
def test_escaped_text_reads_as_itself_and_has_no_character_of_markup(text: str) -> None:
    escaped = escape(text)
    assert not set(escaped) & set("<>\"'")
    without_entities = escaped
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
        without_entities = without_entities.replace(entity, character)
    assert without_entities == text


@pytest.mark.parametrize("character", "&<>\"'")
def test_each_special_character_is_escaped_wherever_it_stands(character: str) -> None:
    for text in (character, f"a{character}", f"{character}a", f"a{character}b", f" {character}\n"):
        assert escape(text) == text.replace(character, escape(character))
        assert escape(text) != text


@pytest.mark.parametrize("text", ["", "word", "two words", "é—漢字🙂", "1 + 1", "\u00b5²"])
def test_a_text_without_special_characters_is_the_very_same_object(text: str) -> None:
    assert escape(text) is text


def test_markup_that_was_worked_on_is_plain_text_again() -> None:
    markup = HTML("<b>%s{}</b>")
    results = (markup + "y", "y" + markup, markup.upper(), markup[1:], markup % "<", markup.format("<"), f"{markup}")
    assert {type(result) for result in results} == {str}


def test_markup_equals_the_text_it_is_made_of() -> None:
    assert HTML("<b>") == "<b>"
    assert hash(HTML("<b>")) == hash("<b>")
