"""htag.router: what the contract (tests/contract/test_router.py) does not say, and what is mended."""

import pytest

from headless.errors import ServerError
from htag import Tag
from htag.app import App
from htag.router import Router, pattern


class Home(Tag.div):
    def init(self):
        self <= "home"


class Broken(Tag.div):
    def init(self):
        raise ValueError("no view")


def routed(**handlers):
    """An App class with a router, and what else stands on its body."""

    class Page(Tag.App):
        def init(self):
            for name, handler in handlers.items():
                self[name] = handler
            self.router = Router(_id="r")
            self.router.add_route("/", Home)
            self.router.add_route("/broken", Broken)
            self <= self.router

    return Page


async def report(tab, hash=""):
    """What the browser answers to the router's question where it is."""
    await tab.event("r", "init_route", {"hash": hash})


async def go(tab, hash):
    await tab.event(tab.app.id, "hashchange", {"newURL": f"http://testserver/{hash}"})


# -- finding out where the browser is


async def test_the_question_reaches_the_browser_on_every_transport(visit, transport):
    tab = await visit(routed(), transport)
    await tab.until(lambda: tab.scripts)
    assert tab.scripts == ["htag_event(\"r\", 'init_route', {hash: location.hash})"]
    await report(tab)
    assert tab.text("r") == "home"


async def test_it_is_asked_once_however_often_the_router_mounts(visit):
    tab = await visit(routed())
    assert len(tab.scripts) == 1
    tab.app.router.on_mount()
    await tab.event("r", "nothing")
    assert len(tab.scripts) == 1


async def test_a_reloaded_page_is_asked_again(visit):
    tab = await visit(routed())
    await report(tab)
    await tab.load()
    await tab.connect()
    assert len(tab.scripts) == 2
    await report(tab, "#/elsewhere")
    assert tab.app.router.path == "/elsewhere"


async def test_a_question_answered_twice_keeps_the_view(visit):
    tab = await visit(routed())
    await report(tab)
    view = tab.app.router.childs[0]
    await report(tab)
    assert tab.app.router.childs == [view]


# -- the app's own handler


async def test_an_async_handler_of_the_app_runs_too(visit):
    seen = []

    async def own(event):
        seen.append(event.newURL)

    tab = await visit(routed(onhashchange=own))
    await go(tab, "#/")
    assert seen == ["http://testserver/#/"]
    assert tab.text("r") == "home"


async def test_a_generator_of_the_app_runs_too(visit):
    steps = []

    def own(event):
        steps.append(1)
        yield
        steps.append(2)

    tab = await visit(routed(onhashchange=own))
    await go(tab, "#/")
    assert steps == [1, 2]
    assert tab.text("r") == "home"


async def test_a_script_of_the_app_stays_and_the_browser_reports_besides(visit):
    tab = await visit(routed(onhashchange="mine(event)"))
    script = tab.body.attributes["onhashchange"]
    assert script == "htag_event(\"r\", 'init_route', event); mine(event)"
    await tab.event("r", "init_route", {"newURL": "http://testserver/#/"})
    assert tab.text("r") == "home"
    tab.app.router.remove()
    assert tab.app["onhashchange"] == "mine(event)"


async def test_a_handler_that_comes_after_the_router_is_joined_at_the_next_page(visit):
    seen = []
    tab = await visit(routed())
    tab.app["onhashchange"] = lambda event: seen.append("own")
    await tab.load()
    await tab.connect()
    await go(tab, "#/")
    assert seen == ["own"]
    assert tab.text("r") == "home"


async def test_joining_a_handler_renders_nothing(visit):
    class Late(Tag.App):
        def init(self):
            self["onhashchange"] = lambda event: None
            self.place = Tag.div(_id="place")
            self <= self.place

    tab = await visit(Late)
    tab.app.place.add(Router())
    assert not tab.app.is_dirty
    assert tab.app.place.is_dirty


async def test_a_router_that_is_gone_does_not_follow_any_more(visit):
    tab = await visit(routed())
    await go(tab, "#/")
    router = tab.app.router
    router.remove()
    await go(tab, "#/elsewhere")
    assert router.path == "/"


# -- views


async def test_after_a_view_that_failed_one_can_go_back(visit):
    tab = await visit(routed())
    await go(tab, "#/")
    with pytest.raises(ServerError, match="no view"):
        await go(tab, "#/broken")
    assert tab.app.router.path == ""
    await go(tab, "#/")
    await tab.until(lambda: tab.text("r") == "home")


async def test_a_view_may_be_made_by_a_function(visit):
    tab = await visit(routed())
    tab.app.router.set_not_found(lambda path: Tag.b(f"no {path}"))
    await go(tab, "#/x")
    assert tab.text("r") == "no /x"


def test_a_router_takes_attributes():
    router = Router(_class="pages", note=1)
    assert router["class"] == "pages"
    assert router.note == 1  # type: ignore[attr-defined]


def test_a_router_outside_any_app_keeps_its_navigation_until_it_is_in_one():
    router = Router()
    router.navigate("/a")

    class Page(App):
        pass

    page = Page(router)
    assert "init_route" in str(page)


@pytest.mark.parametrize("path", ["/:", "/:a-b", "/:1", "/:a/:a"])
def test_names_of_parameters_are_checked(path):
    with pytest.raises(ValueError, match="Python name"):
        Router().add_route(path, Home)


@pytest.mark.parametrize("path", ["", "/", "//"])
def test_the_empty_pattern_is_the_root(path):
    assert pattern(path) == ["", ""]


@pytest.mark.parametrize("address", [5, 0, 1.5, True, False, ["#/broken"], {"a": "#/broken"}, [], {}])
async def test_an_address_that_is_no_text_changes_nothing(visit, address, caplog):
    tab = await visit(routed(onhashchange=lambda event: "the app's own"))
    await report(tab)
    answer = await tab.event(tab.app.id, "hashchange", {"newURL": address})
    assert answer == "the app's own"
    await tab.event("r", "init_route", {"newURL": address})
    await tab.event("r", "init_route", {"hash": address})
    assert (tab.text("r"), tab.app.router.path.value) == ("home", "/")
    assert not caplog.records
