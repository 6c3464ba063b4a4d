"""Contract, section 4: ids."""

import gc
import re

import pytest

from headless.document import parse
from htag import Tag


def attributes(tag):
    (element,) = parse(str(tag)).children
    return element.attributes


@pytest.mark.parametrize("name", ["div", "sl_button", "h1"])
def test_a_default_id_is_the_html_name_a_dash_and_a_number(name):
    assert re.fullmatch(getattr(Tag, name).tag + r"-\d+", getattr(Tag, name)().id)


def test_default_ids_are_unique():
    tags = [Tag.div() for _ in range(1000)]
    assert len({tag.id for tag in tags}) == 1000


@pytest.mark.mended
def test_default_ids_are_never_given_twice():
    seen = set()
    for _ in range(500):
        seen.add(Tag.div().id)
        gc.collect(0)
    assert len(seen) == 500


def test_the_id_stays_the_same():
    tag = Tag.div()
    before = str(tag)
    assert tag.id == tag.id == attributes(tag)["id"]
    assert str(tag) == before


def test_underscore_id_is_internal_and_html_id():
    tag = Tag.div(_id="x")
    assert tag.id == "x"
    assert str(tag) == '<div id="x"></div>'


def test_plain_id_is_the_internal_id():
    assert Tag.div(id="x").id == "x"
    assert str(Tag.div(id="x")) == '<div id="x"></div>'


def test_id_may_be_set_later():
    tag = Tag.div()
    tag.id = "later"
    assert str(tag) == '<div id="later"></div>'


@pytest.mark.parametrize("name", ["style", "script"])
def test_style_and_script_have_an_empty_id(name):
    make = getattr(Tag, name)
    assert make("x").id == ""
    assert attributes(make("x")).get("id", "") == ""
    assert str(make("x")) == str(make("x"))


def test_the_id_comes_last_in_the_start_tag():
    assert re.fullmatch(r'<div class="c" id="div-\d+"></div>', str(Tag.div(_class="c")))


def test_an_html_id_that_differs_stays_and_the_internal_id_follows():
    tag = Tag.div(_id="mine", _class="c")
    tag.id = "inner"
    assert str(tag) == '<div id="mine" class="c" data-htag-id="inner"></div>'


def test_an_html_id_set_later_stays_beside_the_internal_id():
    tag = Tag.div(id="inner")
    tag["id"] = "mine"
    assert str(tag) == '<div id="mine" data-htag-id="inner"></div>'


class Named(Tag.App):
    def init(self):
        self <= Tag.button("a", _id="plain", _onclick=lambda event: event.target.id)
        self.both = Tag.button("b", id="inner", _onclick=lambda event: event.target.id)
        self.both["id"] = "mine"
        self <= self.both


@pytest.mark.parametrize(("asked", "found"), [("plain", "plain"), ("inner", "inner"), ("mine", "inner")])
async def test_events_find_a_tag_by_internal_or_html_id(visit, asked, found):
    tab = await visit(Named)
    assert await tab.event(asked, "click") == found


async def test_the_first_tag_in_document_order_answers_to_a_shared_id(visit):
    class Twins(Tag.App):
        def init(self):
            self <= Tag.div(Tag.button("1", _id="same", _onclick=lambda event: "first"))
            self <= Tag.button("2", _id="same", _onclick=lambda event: "second")

    tab = await visit(Twins)
    assert await tab.event("same", "click") == "first"


async def test_updates_go_by_the_internal_id(visit):
    class Changing(Tag.App):
        def init(self):
            self.both = Tag.button("old", id="inner", _onclick=self.change)
            self.both["id"] = "mine"
            self <= self.both

        def change(self, event):
            self.both.text = "new"

    tab = await visit(Changing)
    await tab.click("mine")
    assert list(tab.messages[-1]["updates"]) == ["inner"]
    assert tab.text("mine") == "new"


@pytest.mark.mended
async def test_an_id_that_is_a_number_is_found(visit):
    class Numbered(Tag.App):
        def init(self):
            self <= Tag.button("x", id=5, _onclick=lambda event: "found")

    tab = await visit(Numbered)
    assert await tab.event("5", "click") == "found"


@pytest.mark.mended
async def test_an_id_that_changes_is_found_under_the_new_name(visit):
    class Renamed(Tag.App):
        def init(self):
            self.button = Tag.button("x", _id="before", _onclick=self.rename)
            self <= Tag.div(self.button)

        def rename(self, event):
            self.button.id = "after"
            self.button["id"] = "after"
            return event.id

    tab = await visit(Renamed)
    assert await tab.event("before", "click") == "before"
    assert await tab.event("after", "click") == "after"
