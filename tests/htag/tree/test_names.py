"""Nothing that is accepted as a name can end the start tag it stands in."""

from html.parser import HTMLParser

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from htag.tree.names import Kind, attribute_name, element_name, keyword

DANGEROUS = [" ", "\t", "\n", "\f", "\r", "<", ">", "/", '"', "'", "=", "&", "\u00a0", "\u2028"]


class Reader(HTMLParser):
    """What a parser makes of a markup."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.texts: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("name", ["div", "h1", "sl-button", "SVG", "x-é", "font-face", "a.b", "a:b"])
def test_the_name_of_an_element(name: str) -> None:
    assert element_name(name) == name


@pytest.mark.parametrize("name", ["", "1", "-a", "é", "!--", "?xml", "/div", *(f"di{c}v" for c in DANGEROUS)])
def test_what_cannot_be_the_name_of_an_element_is_refused_and_quoted_in_the_error(name: str) -> None:
    with pytest.raises(ValueError, match="name") as error:
        element_name(name)
    assert repr(name) in str(error.value)


@pytest.mark.parametrize("name", ["class", "data-x", "@click", ":value", "v-on:x.y", "é", "x$", "1", "[a]"])
def test_the_name_of_an_attribute(name: str) -> None:
    assert attribute_name(name) == name


@pytest.mark.parametrize("name", ["", *(f"on{c}x" for c in DANGEROUS), "a\0b", "a\x1fb", "a\x7fb", "a\n"])
def test_what_cannot_be_the_name_of_an_attribute_is_refused_and_quoted_in_the_error(name: str) -> None:
    with pytest.raises(ValueError, match="name") as error:
        attribute_name(name)
    assert repr(name) in str(error.value)


@given(st.text(min_size=1, max_size=8))
def test_an_accepted_attribute_name_is_one_attribute_for_a_parser(name: str) -> None:
    try:
        attribute_name(name)
    except ValueError:
        assume(False)
    read = Reader(f'<p {name}="v">text</p>')
    assert read.texts == ["text"]
    ((tag, attributes),) = read.found
    assert tag == "p"
    assert [value for _, value in attributes] == ["v"]


@pytest.mark.parametrize(
    ("key", "meaning"),
    [
        ("note", (Kind.MEMBER, "note")),
        ("class_", (Kind.MEMBER, "class_")),
        ("_class", (Kind.ATTRIBUTE, "class")),
        ("_data_id", (Kind.ATTRIBUTE, "data-id")),
        ("_hx_on__click", (Kind.ATTRIBUTE, "hx-on--click")),
        ("_id", (Kind.ATTRIBUTE, "id")),
        ("_value", (Kind.ATTRIBUTE, "value")),
        ("_onclick", (Kind.EVENT, "click")),
        ("_onmy_event", (Kind.EVENT, "my_event")),
    ],
)
def test_what_a_keyword_stands_for(key: str, meaning: tuple[Kind, str]) -> None:
    assert keyword(key) == meaning


@pytest.mark.parametrize("key", ["_", "_on", "_a b", "_on><script>"])
def test_a_keyword_that_gives_no_name_is_refused_each_time(key: str) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="name"):
            keyword(key)


def test_a_keyword_is_worked_out_once() -> None:
    assert keyword("_class") is keyword("_class")


def test_names_made_at_run_time_do_not_fill_the_memory() -> None:
    limit = keyword.cache_info().maxsize
    assert limit is not None
    for number in range(2 * limit):
        keyword(f"_data_{number}")
    assert keyword.cache_info().currsize <= limit
