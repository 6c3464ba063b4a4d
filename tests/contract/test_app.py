"""Contract, section 15: `Tag.App`."""

import pytest
from starlette.applications import Starlette

import htag
from headless.asgi import Site
from headless.tab import Tab
from htag import GTag, State, Tag


class Page(Tag.App):
    def init(self, *children):
        self.ready = True
        super().init(*children)


def test_it_renders_as_body():
    app = Page("x", Tag.p("y"))
    assert app.tag == "body"
    assert str(app).startswith("<body")
    assert str(app).endswith("</body>")
    assert "<p" in str(app)


def test_it_takes_the_same_arguments_as_a_tag():
    app = Tag.App("x", _class="dark", color="red")
    assert 'class="dark"' in str(app)
    assert app.color == "red"  # type: ignore[attr-defined]
    assert app.text == "x"


def test_it_is_a_tag():
    assert isinstance(Page(), GTag)
    assert isinstance(Page(), htag.App)


def test_its_defaults():
    app = Page()
    assert app.exit_on_disconnect is False
    assert app.debug is True
    assert not Tag.App.statics


def test_its_root_is_itself():
    app = Page()
    assert app.root is app
    assert app.parent is None


def test_app_is_a_starlette_application_made_once():
    app = Page()
    assert isinstance(app.app, Starlette)
    assert app.app is app.app


async def test_app_hosts_this_very_instance():
    app = Page(Tag.p("shared", _id="p"))
    one, other = Tab(Site(app.app)), Tab(Site(app.app))
    assert (await one.load()).text("p") == (await other.load()).text("p") == "shared"
    await one.connect()
    await other.connect()
    state = State("new")
    app.childs[0].clear(state)
    app.update()
    for tab in (one, other):
        await tab.until(lambda tab=tab: tab.text("p") == "new")
        await tab.leave()


async def test_reload_on_lost_connection_is_a_class_attribute(visit):
    class Reloading(Tag.App):
        _reload = True

    assert "window.HTAG_RELOAD = true;" in (await visit(Reloading, connect=False)).page
    assert "window.HTAG_RELOAD = false;" in (await visit(Page, connect=False)).page


async def test_attributes_of_the_body_are_updated(visit):
    class Dark(Tag.App):
        def init(self):
            self["class"] = "light"
            self <= Tag.button(_id="b", _onclick=self.darken)

        def darken(self, event):
            del self["class"]
            self["data-theme"] = "dark"

    tab = await visit(Dark)
    assert tab.body.attributes["class"] == "light"
    await tab.click("b")
    assert "class" not in tab.body.attributes
    assert tab.body.attributes["data-theme"] == "dark"


async def test_events_on_the_app_itself(visit):
    class Listening(Tag.App):
        def init(self):
            self["onhashchange"] = lambda event: event.newURL

    tab = await visit(Listening)
    assert await tab.fire(tab.body, "hashchange", newURL="http://testserver/#/x") == "http://testserver/#/x"


async def test_each_session_has_its_own_instance(visit):
    class Counting(Tag.App):
        def init(self):
            self.count = State(0)
            self <= Tag.p(self.count, _id="p")
            self <= Tag.button(_id="b", _onclick=self.more)

        def more(self, event):
            self.count.value += 1

    tab = await visit(Counting)
    stranger = await Tab(Site(tab.site.app)).load()
    await stranger.connect()
    await tab.click("b")
    await tab.click("b")
    await stranger.click("b")
    assert (tab.text("p"), stranger.text("p")) == ("2", "1")
    await stranger.leave()


@pytest.mark.quirk
def test_a_value_that_may_be_plain_or_lambda_or_state_can_be_dereferenced():
    tag = Tag.p()
    assert tag._eval_child("x") == "x"
    assert tag._eval_child(lambda: "x") == "x"
    assert tag._eval_child(State("x")) == "x"
