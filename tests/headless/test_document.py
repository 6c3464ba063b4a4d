"""The document that a client without a browser keeps: found in, updated, and strict where it is to be."""

import pytest

from headless.document import Document, parse

PAGE = """
    <!DOCTYPE html><html><head><title>T</title></head>
    <body id="b" onhashchange="htag_event('b', 'hashchange', event)">
    <p id="p">one <b>two</b><br/>three</p>
    <button data-htag-id="in" id="out" onclick="htag_event(&#x27;in&#x27;, &#x27;click&#x27;, event)">Go</button>
    <button onclick="alert(1)">Stay</button></body></html>"""


def test_text_of_an_element() -> None:
    assert Document(PAGE).text("p") == "one twothree"


def test_elements_are_found_by_id_and_by_the_servers_id() -> None:
    document = Document(PAGE)
    assert document.find("out") is document.find("in")
    assert document.find("out").id == "in"
    with pytest.raises(LookupError, match="nobody"):
        document.find("nobody")


def test_elements_are_found_by_text_and_by_event() -> None:
    document = Document(PAGE)
    assert document.find_text("two").name == "b"
    assert [element.name for element in document.with_event("click")] == ["button"]
    assert document.find_text("Go", "button").handler("click") == "in"
    assert document.find_text("Stay", "button").handler("click") is None
    assert document.elements("body")[0].handler("hashchange") == "b"


def test_an_update_replaces_the_outer_html() -> None:
    document = Document(PAGE)
    document.apply({"p": '<p id="p">new <i id="i">text</i></p>', "unknown": "<p>lost</p>"})
    assert document.text("p") == "new text"
    assert document.text("i") == "text"
    assert document.get("unknown") is None
    document.apply({"b": '<body id="b"><p id="q">all new</p></body>'})
    assert document.get("p") is None
    assert document.text("b") == "all new"


def test_an_update_of_the_body_leaves_its_place_and_its_children_know_their_parent() -> None:
    document = Document(PAGE)
    body = document.root.one("body")
    document.apply({"b": '<body id="b"><p id="q">all new</p></body>'})
    assert document.root.one("body") is body
    assert document.find("q").parent is body


@pytest.mark.parametrize("markup", ["<p><b>x</p></b>", "<p>", "</p>", "<p/>x"])
def test_what_does_not_match_is_refused_unless_it_is_to_be_mended(markup: str) -> None:
    with pytest.raises(AssertionError):
        parse(markup)
    assert parse(markup, strict=False).inner_text in ("x", "")


@pytest.mark.parametrize("markup", ["", "text", "<p></p><p></p>", "<p></p> "])
def test_an_update_is_one_element(markup: str) -> None:
    document = Document('<p id="p">old</p>')
    with pytest.raises(AssertionError):
        document.apply({"p": markup})


def test_an_update_of_no_element_changes_nothing_where_documents_are_mended() -> None:
    document = Document('<p id="p">old</p>', strict=False)
    document.apply({"p": "text"})
    assert document.text("p") == "old"


def test_of_two_equal_attributes_a_browser_keeps_the_first() -> None:
    assert Document('<p id="p" id="q">x</p>').find("p").attributes == {"id": "p"}


def test_a_handler_that_keeps_the_event_to_itself_is_no_call() -> None:
    document = Document("""<button id="b" onclick="htag_event('b', 'click', {})">x</button>""")
    assert document.find("b").handler("click") == "b"
    with pytest.raises(AssertionError, match="does not hand its click on"):
        document.find("b").call("click")
