"""hypothesis: whatever a text, an attribute, a name or an id says, nothing breaks out of its place in the HTML."""

from __future__ import annotations

import asyncio
import json
from html import escape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headless.asgi import Site
from headless.document import parse
from headless.tab import Tab
from htag import GTag, State, Tag, WebApp
from tests.htag.stage import Stage, on_stage, texts, usual


@usual
@given(texts)
def test_any_text_is_the_same_text_in_the_browser(text):
    (element,) = parse(str(Tag.p(text, lambda: text, State(text), [text]))).children
    assert element.text == text * 4
    assert len(list(element)) == 1


@usual
@given(st.text("\n", max_size=3), texts)
def test_line_breaks_at_the_beginning_stay_where_a_browser_skips_one(breaks, text):
    given = breaks + text
    for make in (Tag.textarea, Tag.pre, Tag.listing):
        for child in (given, lambda: given, State(given), ["", lambda: None, given]):
            (element,) = parse(str(make(child))).children
            assert element.text == given
    (element,) = parse(str(Tag.pre(Tag.b("\n"), given))).children
    assert element.text == "\n" + given


@usual
@given(texts)
def test_any_attribute_value_is_the_same_value_in_the_browser(text):
    (element,) = parse(str(Tag.p(_title=text, _class=lambda: text, _lang=State(text), _data_x=[text]))).children
    for name in ("title", "class", "lang", "data-x"):
        assert element.attributes[name] == text
    assert element.attributes.keys() == {"title", "class", "lang", "data-x", "id"}


@usual
@given(st.one_of(texts, st.text("abc<>\"'= /&\t\n-:@.", min_size=1, max_size=5)))
def test_any_attribute_name_is_refused_or_stays_one_attribute(name):
    tag = Tag.p()
    try:
        tag[name] = "v"
    except ValueError:
        return
    (element,) = parse(str(tag)).children
    assert element.attributes.items() >= {name.lower(): "v"}.items()
    assert element.attributes.keys() <= {name.lower(), "id", "data-htag-id"}


@usual
@given(st.one_of(texts, st.text("abc<>\"'= /&\t\n-:@.", min_size=1, max_size=5)))
def test_any_event_name_is_refused_or_stays_one_attribute(name):
    tag = Tag.p(_id="x")
    try:
        tag[f"on{name}"] = lambda event: None
    except ValueError:
        return
    (element,) = parse(str(tag)).children
    assert element.attributes.keys() == {f"on{name}".lower(), "id"}


@usual
@given(texts.filter(bool))
def test_any_id_is_found_again(id):
    async def play(tab: Tab, stage: Stage) -> None:
        stage.act = lambda: stage.add(Tag.button(_id=id, _onclick=lambda event: event.target.id)) and None
        await tab.event("go", "click")
        assert tab.element(id).attributes["id"] == id
        assert "htag_event" in tab.element(id).attributes["onclick"]
        assert await tab.event(id, "click") == id

    if id not in ("go", "stage"):
        asyncio.run(on_stage(play))


@usual
@given(texts)
def test_any_title_is_the_same_title_in_the_browser(text):
    class Titled(Tag.App):
        statics = Tag.title(text)

    async def play() -> None:
        tab = await Tab(Site(WebApp(Titled).app)).load()
        assert tab.title == text
        assert len(tab.document.elements("body")) == 1

    asyncio.run(play())


CSS = "a > b { content: '&<img src=x>' }"


@pytest.mark.parametrize("inner", [Tag.style, Tag.script])
@pytest.mark.parametrize(
    "around",
    [
        Tag.svg,
        Tag.math,
        lambda tag: Tag.svg(Tag.g(Tag.div(tag))),
        lambda tag: Tag.svg(lambda: tag),
        lambda tag: Tag.svg(lambda: [Tag.g(lambda: tag)]),
        lambda tag: GTag("SVG", Tag.g(tag)),
    ],
)
def test_in_svg_and_mathml_the_text_of_a_style_is_no_markup(around: Any, inner: Any) -> None:
    """There it is read like any other text (HTML 13.2.6.5), so an `img` in it was one."""
    for made in (inner(CSS), inner(lambda: CSS), inner(State(CSS))):
        written = str(Tag.div(around(made)))
        assert "<img" not in written
        assert escape(CSS) in written


@pytest.mark.parametrize("around", [Tag.p, lambda tag: Tag.svg(Tag.foreignObject(Tag.p(tag))), lambda tag: tag])
def test_in_html_it_is_as_it_was(around: Any) -> None:
    assert CSS in str(around(Tag.style(CSS)))


async def test_a_style_in_a_picture_is_changed_as_any_other() -> None:
    """In a browser without a window, which knows no SVG: what it is told."""

    class Drawing(Tag.App):
        def init(self) -> None:
            self.rule = State("g > a {}")
            Tag.svg(Tag.style(self.rule))
            Tag.button(_id="b", _onclick=lambda event: self.rule.set(CSS) and None)

    for version in (1, 2):
        tab = await (await Tab(Site(WebApp(Drawing).app), version=version).load()).connect()
        await tab.click("b")
        assert "<img" not in json.dumps(tab.messages[-1])
        await tab.leave()
