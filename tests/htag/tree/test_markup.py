"""What is escaped cannot leave the place it stands in; what is markup stays as it is, until somebody works on it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htag import Tag
from htag.tree.markup import HTML, escape, script_text, style_text


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


ENDS = st.lists(
    st.sampled_from(["</script>", "</SCRIPT ", "<script>", "<!--", "-->", "</style>", "</StYle", "</", "x"])
)


@given(ENDS)
def test_no_text_ends_its_style_or_script_or_prolongs_it(parts: list[str]) -> None:
    text = "".join(parts)
    assert "</style" not in style_text(text).lower()
    script = script_text(text).lower()
    assert "</script" not in script
    assert "<!--" not in script or "<script" not in script


@given(ENDS)
def test_a_string_in_a_script_keeps_its_meaning(parts: list[str]) -> None:
    text = "".join(parts)
    assert json.loads(script_text(json.dumps(text))) == text  # JavaScript reads it as JSON does


@pytest.mark.parametrize("text", ["a</b", "if (a < b && c > d) {}", "'</div>'", "<!-- an old habit -->", "a{}"])
def test_other_texts_of_scripts_and_styles_stay_as_they_are(text: str) -> None:
    assert script_text(text) == style_text(text) == text


class Styled(Tag.div):
    styles = """.a::before { content: "</style><b>out</b>" }"""


@pytest.mark.parametrize(
    "make",
    [
        lambda: Tag.style('a::before { content: "</style><b>out</b>" }'),
        lambda: Tag.style('a::before { content: "', lambda: HTML("</style><b>out</b>"), '" }'),
        lambda: Tag.script("say('</script><b>out</b>')"),
        lambda: Tag.script("say('</scr", "ipt><b>out</b>')"),
        lambda: (Styled(), Styled.statics[-1])[1],  # made with the first one
    ],
)
def test_an_element_holds_what_it_was_given(make: Any) -> None:
    markup = str(make())
    name = markup[1 : markup.index(">")].split()[0]
    assert markup.lower().count(f"</{name}") == 1
    assert markup.endswith(f"</{name}>")
