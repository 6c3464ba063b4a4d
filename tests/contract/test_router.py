"""Contract, section 17: the hash router."""

import json
import re

import pytest

from htag import Router, State, Tag


class Home(Tag.div):
    def init(self):
        self <= "home"


class User(Tag.div):
    def init(self, name):
        self <= f"user {name}"


class Post(Tag.div):
    def init(self, year, slug):
        self <= f"{year}: {slug}"


class Site(Tag.App):
    def init(self):
        self.router = Router(_id="r")
        self.router.add_route("/", Home)
        self.router.add_route("/user/:name", User)
        self.router.add_route("blog/:year/:slug/", Post)
        self.router.add_route("/user/root", Home)
        self <= self.router
        self <= Tag.i(lambda: self.router.path.value, _id="path")


async def go(tab, hash):
    """What the browser reports when the hash changes."""
    await tab.event(tab.app.id, "hashchange", {"newURL": f"http://testserver/{hash}", "oldURL": ""})


async def start(visit, app=Site, **options):
    tab = await visit(app, **options)
    await go(tab, "")
    return tab


def test_it_is_a_div():
    assert Router().tag == "div"


def test_add_route_returns_nothing():
    assert Router().add_route("/", Home) is None


async def test_path_is_a_state_empty_until_known(visit):
    tab = await visit(Site)
    assert isinstance(tab.app.router.path, State)
    assert tab.app.router.path.value == ""


async def test_nothing_is_shown_until_the_browser_reports_its_hash(visit):
    tab = await visit(Site)
    assert tab.text("r") == ""
    assert any("location.hash" in script for script in tab.scripts)


@pytest.mark.parametrize(
    ("hash", "shown", "path"),
    [
        ("", "home", "/"),
        ("#", "home", "/"),
        ("#/", "home", "/"),
        ("#/user/Ann", "user Ann", "/user/Ann"),
        ("#user/Ann", "user Ann", "/user/Ann"),
        ("#/user/root", "user root", "/user/root"),
        ("#/blog/2026/a-b", "2026: a-b", "/blog/2026/a-b"),
    ],
)
async def test_the_hash_chooses_the_view(visit, hash, shown, path):
    tab = await start(visit)
    await go(tab, "#/elsewhere")
    await go(tab, hash)
    assert tab.text("r") == shown
    assert tab.text("path") == path


async def test_parameters_are_not_decoded(visit):
    tab = await start(visit)
    await go(tab, "#/user/a%20b")
    assert tab.text("r") == "user a%20b"


@pytest.mark.parametrize("path", ["/nothing", "/user", "/user/a/b", "/user/"])
async def test_the_default_view_of_an_unknown_path(visit, path):
    tab = await start(visit)
    await go(tab, f"#{path}")
    assert tab.text("r") == f"404 — Page not found: {path}"


async def test_a_not_found_view_gets_the_path_only_if_it_asks(visit):
    class Asking(Tag.div):
        def init(self, path):
            self <= f"no {path}"

    class Silent(Tag.div):
        def init(self):
            self <= "nothing here"

    tab = await start(visit)
    tab.app.router.set_not_found(Asking)
    await go(tab, "#/x")
    assert tab.text("r") == "no /x"
    tab.app.router.set_not_found(Silent)
    await go(tab, "#/y")
    assert tab.text("r") == "nothing here"


async def test_the_same_path_again_does_nothing(visit):
    tab = await start(visit)
    view = tab.app.router.childs[0]
    await go(tab, "#/")
    assert tab.app.router.childs[0] is view


async def test_views_are_unmounted_and_mounted(visit):
    log = []

    class Noting(Tag.div):
        def init(self, name):
            self.name = name

        def on_mount(self):
            log.append(f"+{self.name}")

        def on_unmount(self):
            log.append(f"-{self.name}")

    class Page(Tag.App):
        def init(self):
            self.router = Router()
            self.router.add_route("/:name", Noting)
            self <= self.router

    tab = await start(visit, Page)
    log.clear()
    await go(tab, "#/a")
    await go(tab, "#/b")
    assert log == ["+a", "-a", "+b"]


async def test_the_path_is_set_after_the_view_is_swapped(visit):
    seen = []

    class Looking(Tag.div):
        def init(self):
            pass

        def on_mount(self):
            seen.append(self.parent.path.value)

    class Page(Tag.App):
        def init(self):
            self.router = Router()
            self.router.add_route("/x", Looking)
            self <= self.router

    tab = await start(visit, Page)
    await go(tab, "#/x")
    assert seen == ["/"]
    assert tab.app.router.path.value == "/x"


async def test_parameters_are_instance_attributes_even_id(visit):
    class Item(Tag.div):
        def init(self, id):
            self <= f"item {id}"

    class Page(Tag.App):
        def init(self):
            self.router = Router()
            self.router.add_route("/item/:id", Item)
            self <= self.router

    tab = await start(visit, Page)
    await go(tab, "#/item/42")
    assert tab.app.router.childs[0].id == "42"
    assert tab.text("42") == "item 42"


async def test_navigate_sets_the_hash_in_the_browser(visit):
    class Page(Site):
        def init(self):
            super().init()
            self <= Tag.button(_id="go", _onclick=lambda event: self.router.navigate("/user/Ann"))

    tab = await start(visit, Page)
    await tab.click("go")
    assert "hash" in tab.scripts[-1]
    assert "/user/Ann" in tab.scripts[-1]
    assert tab.app.router.path.value == "/"


@pytest.mark.mended
@pytest.mark.parametrize("path", ["/a'b", '/a"b', "/a\\b", "/</script>", "/a\nb"])
async def test_navigate_quotes_its_path(visit, path):
    class Page(Site):
        def init(self):
            super().init()
            self <= Tag.button(_id="go", _onclick=lambda event: self.router.navigate(path))

    tab = await start(visit, Page)
    await tab.click("go")
    literals = [json.loads(literal) for literal in re.findall(r'"(?:[^"\\\n]|\\.)*"', tab.scripts[-1])]
    assert any(literal.removeprefix("#") == path for literal in literals)
    assert "</script" not in tab.scripts[-1]


async def test_the_view_survives_a_reload(visit):
    tab = await start(visit)
    await go(tab, "#/user/Ann")
    await tab.load()
    await tab.connect()
    assert tab.text("r") == "user Ann"


@pytest.mark.mended
async def test_the_apps_own_hashchange_handler_runs_too(visit):
    seen = []

    class Page(Site):
        def init(self):
            self["onhashchange"] = lambda event: seen.append(event.newURL)
            super().init()

    tab = await start(visit, Page)
    await go(tab, "#/user/Ann")
    assert seen[-1] == "http://testserver/#/user/Ann"
    assert tab.text("r") == "user Ann"


@pytest.mark.mended
async def test_two_routers_both_follow_the_hash(visit):
    class Page(Tag.App):
        def init(self):
            for name in ("one", "two"):
                router = Router(_id=name)
                router.add_route("/", Home)
                self <= router

    tab = await start(visit, Page)
    assert (tab.text("one"), tab.text("two")) == ("home", "home")


@pytest.mark.mended
async def test_over_plain_http_the_router_asks_for_the_hash_without_waiting_for_an_event(visit):
    tab = await visit(Site, transport="http")
    await tab.until(lambda: any("location.hash" in script for script in tab.scripts))
    await go(tab, "#/user/Ann")
    assert tab.text("r") == "user Ann"
