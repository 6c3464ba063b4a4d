"""The model of a document applies the operations of wire version 2 as a browser does."""

import pytest

from headless.document import Document

PAGE = '<body id="b"><ul id="u"><li id="1">a</li><li id="2">b</li><li data-htag-id="3" id="own">c</li></ul></body>'


def after(*operations: tuple[str | None, ...]) -> str:
    """The items of the list, each with its id and its text."""
    document = Document(PAGE)
    document.apply_operations(operations)
    return " ".join(f"{item.id}{item.text}" for item in document.elements("li"))


@pytest.mark.parametrize(
    ("operation", "items"),
    [
        (("2", "<x>"), "1a 2<x> 3c"),
        (("i", "u", "2", "<li id=n>n</li><li id=o>o</li>"), "1a nn oo 2b 3c"),
        (("i", "u", None, "<li id=n>n</li>"), "1a 2b 3c nn"),
        (("m", "u", "1", "3", "2"), "3c 2b 1a"),
        (("m", "u", None, "1"), "2b 3c 1a"),
        (("r", "1", "3"), "2b"),
        (("h", "3", "<li id=3>d<b>e</b></li>"), "1a 2b 3de"),
        (("u", ""), ""),
        (("nowhere", "x"), "1a 2b 3c"),
        (("i", "nowhere", None, "<li></li>"), "1a 2b 3c"),
    ],
)
def test_an_operation_touches_what_it_names(operation: tuple[str | None, ...], items: str) -> None:
    assert after(operation) == items


def test_a_start_tag_gives_the_attributes_and_the_content_stays() -> None:
    document = Document(PAGE)
    document.apply_operations([("a", "u", '<ul class="x" data-htag-on="click" id="u">')])
    assert document.find("u").attributes == {"class": "x", "data-htag-on": "click", "id": "u"}
    assert document.find("u").text == "abc"
    assert document.find("u").call("click") == ("u", "click")


def test_operations_are_applied_in_their_order() -> None:
    assert after(("r", "1"), ("i", "u", None, "<li id=1>z</li>"), ("1", "y")) == "2b 3c 1y"


def test_what_the_app_does_in_javascript_alone_is_not_reported() -> None:
    document = Document('<p id="p" data-htag-on="click input" data-htag-on-click="alert(1)"></p>')
    assert (document.find("p").handler("click"), document.find("p").handler("input")) == (None, "p")
    script = "event.preventDefault(); htag_event(htag_id(this), 'click', event)"
    assert Document(f'<p id="p" data-htag-on="click" data-htag-on-click="{script}"></p>').find("p").handler("click")
