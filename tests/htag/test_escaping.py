"""hypothesis: whatever a text, an attribute, a name or an id says, nothing breaks out of its place in the HTML."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from headless.asgi import Site
from headless.document import parse
from headless.tab import Tab
from htag import State, Tag, WebApp
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
