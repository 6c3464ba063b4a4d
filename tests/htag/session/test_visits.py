"""The page asked for again while its session lives: by a browser that guesses, and by a person with another address."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from headless.asgi import Site
from headless.tab import Tab
from htag import State, Tag, WebApp
from htag.tree.live import live_tree
from tests.support.visits import shut_down
from tests.support.waiting import passed

GUESSES = (
    {"sec-purpose": "prefetch"},
    {"sec-purpose": "prefetch;prerender"},
    {"sec-purpose": "prefetch;anonymous-client-ip"},
    {"sec-purpose": "prerender"},
    {"purpose": "prefetch"},
    {"purpose": "prerender"},
    {"x-moz": "prefetch"},
    {"x-purpose": "preview"},
)


class Guide(Tag.App):
    """Shows what the last visitor's address asks for."""

    def init(self) -> None:
        self.log: list[str] = []
        self.place = State("nowhere")
        Tag.p(self.place, _id="place")

    def on_mount(self) -> None:
        self.log.append("mount")

    def on_unmount(self) -> None:
        self.log.append("unmount")

    def on_destroy(self) -> None:
        self.log.append("destroy")

    def on_visit(self, request: Any) -> None:
        self.log.append("visit")
        self.place.value = request.query_params.get("place", "home")


@pytest.fixture
async def web() -> AsyncIterator[WebApp]:
    web = WebApp(Guide)
    yield web
    await shut_down(web)


# -- browsers that guess -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", GUESSES, ids=lambda headers: ", ".join(map(": ".join, headers.items())))
@pytest.mark.parametrize("address", ["/", "/?n", "/?place=there"])
async def test_a_speculative_load_leaves_a_running_session_alone(
    web: WebApp, headers: dict[str, str], address: str
) -> None:
    tab = await (await Tab(Site(web.app)).load()).connect()
    (app,) = web.instances.values()
    assert isinstance(app, Guide)
    log, request = [*app.log], app.request
    answer = await tab.site.get(address, headers)
    assert (app.log, list(web.instances.values())) == (log, [app])
    assert app.request is request
    # no browser shows, or keeps for showing, what is not a success: it asks again when somebody really goes there
    assert answer.status == 403
    assert answer.headers["cache-control"] == "no-store"
    assert not answer.set_cookies
    await tab.quiet()
    await tab.leave()


@pytest.mark.parametrize("headers", GUESSES, ids=lambda headers: ", ".join(map(": ".join, headers.items())))
async def test_a_speculative_load_makes_no_session(web: WebApp, headers: dict[str, str]) -> None:
    assert (await Site(web.app).get("/", headers)).status == 403
    assert not web.instances


async def test_a_speculative_load_of_a_shared_instance() -> None:
    web = WebApp(Guide())
    assert (await Site(web.app).get("/", {"sec-purpose": "prefetch;prerender"})).status == 403
    assert not web.instances


@pytest.mark.parametrize("headers", [{"sec-purpose": ""}, {"purpose": "shopping"}, {"x-moz": "livebookmarks"}])
async def test_another_purpose_gets_the_page(web: WebApp, headers: dict[str, str]) -> None:
    assert (await Site(web.app).get("/", headers)).status == 200


# -- on_visit ----------------------------------------------------------------------------------------------------------


async def test_the_first_and_each_later_address_reach_the_app_before_the_page_is_rendered(web: WebApp) -> None:
    tab = await Tab(Site(web.app)).load("?place=Rome")
    (app,) = web.instances.values()
    assert isinstance(app, Guide)
    assert tab.text("place") == "Rome"
    assert app.log == ["mount", "visit"]
    await tab.load("?place=Oslo")
    assert tab.text("place") == "Oslo"
    assert app.log == ["mount", "visit", "unmount", "mount", "visit"]
    assert list(web.instances.values()) == [app]


async def test_other_tabs_see_what_a_visit_changed(web: WebApp) -> None:
    first = await (await Tab(Site(web.app)).load()).connect()
    second = Tab(first.site)
    await second.load("?place=Oslo")
    await first.until(lambda: first.text("place") == "Oslo")
    await first.leave()


def slow(self: Any, request: Any) -> Any:
    async def later() -> None:
        await asyncio.sleep(0)
        self.place.value = request.query_params["place"]

    return later()


def stepwise(self: Any, request: Any) -> Iterator[None]:
    self.place.value = "on the way"
    yield
    self.place.value = request.query_params["place"]


@pytest.mark.parametrize("hook", [slow, stepwise])
async def test_a_visit_that_is_deferred_goes_on_when_the_tab_is_there(hook: Callable[..., Any]) -> None:
    class Patient(Guide):
        on_visit = hook

    web = WebApp(Patient)
    tab = await Tab(Site(web.app)).load("?place=Rome")
    assert tab.text("place") == "nowhere"
    await tab.load("?place=Oslo")  # nobody has connected for Rome: that one is dropped
    await tab.connect()
    await tab.until(lambda: tab.text("place") == "Oslo")
    assert not any("Rome" in str(message) for message in tab.messages)
    await tab.leave()
    await shut_down(web)


async def test_a_failing_visit_costs_a_newcomer_his_session_as_any_failing_hook(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(Guide):
        def on_visit(self, request: Any) -> None:
            raise RuntimeError("no way")

    web = WebApp(Failing)
    with caplog.at_level(logging.CRITICAL, "htag"):
        assert (await Site(web.app).get()).status == 500
    assert not web.instances


async def test_a_later_visit_that_fails_is_reported_and_the_page_is_shown(web: WebApp) -> None:
    def fail(request: Any) -> None:
        raise RuntimeError("no way")

    tab = await (await Tab(Site(web.app)).load("?place=Rome")).connect()
    (app,) = web.instances.values()
    app.on_visit = fail  # type: ignore[method-assign]
    again = Tab(tab.site)
    await again.load("?place=Oslo")
    assert again.text("place") == "Rome"
    message = await tab.next()
    assert message["action"] == "error"
    assert "no way" in message["traceback"]
    await tab.leave()


async def test_a_shared_instance_hears_of_each_visitor() -> None:
    app = Guide()
    web = WebApp(app)
    for place in ("Rome", "Oslo"):
        assert (await Tab(Site(web.app)).load(f"?place={place}")).text("place") == place
    assert app.log == ["mount", "visit", "visit"]
    await shut_down(web)


async def test_visits_of_a_shared_instance_do_not_pile_up() -> None:
    places: list[str] = []

    class Patient(Guide):
        async def on_visit(self, request: Any) -> None:
            places.append(request.query_params["place"])

    web = WebApp(app := Patient())
    for place in ("Rome", "Oslo"):
        await Tab(Site(web.app)).load(f"?place={place}")
    await passed(0.01)
    assert places == ["Rome", "Oslo"]
    assert not live_tree(app).hooks.pending
    await shut_down(web)


async def test_a_shared_instance_whose_visit_fails_shows_its_page(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Guide):
        def on_visit(self, request: Any) -> None:
            raise RuntimeError("no way")

    web = WebApp(Failing())
    with caplog.at_level(logging.ERROR, "htag"):
        assert (await Site(web.app).get()).status == 200
    assert "hook of" in caplog.text
    await shut_down(web)
