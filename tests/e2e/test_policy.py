"""The Content-Security-Policy in real Chromium: nothing of an app violates it, what it forbids does not run, and pages
that stand in for an app live under theirs."""

import re
from typing import Any

import pytest
from playwright.async_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route

from htag import HTML, Tag, WebApp
from htag.web.answers import broken, busy
from htag_stack.demo import Demo
from tests.e2e.policed import APPS, connected, load, use_all, violations
from tests.e2e.serving import Serving
from tests.e2e.strict_page import comes
from tests.support.source import ROOT
from tests.support.waiting import until

HEADER = "content-security-policy"


def served(app: Any, **options: Any) -> Serving:
    """An app on a port, under the policy that pages have by default."""
    return Serving(WebApp(app, csp="default", **options).app)


@pytest.mark.parametrize("app", [*APPS.values(), Demo])
async def test_no_app_violates_it(page: Page, app: type[Tag.App]) -> None:
    serving = served(app)
    await serving.start()
    try:
        answer = await load(page, serving.url)
        assert "'strict-dynamic'" in answer.headers[HEADER]
        await connected(page)
        assert await use_all(page)
        assert await violations(page) == []
    finally:
        await serving.stop()


class All(Tag.App):
    """Has JavaScript of each kind that an app can have."""

    statics = (Tag.script("window.ran = ['static']"), "<script>ran.push('text')</script>")

    def init(self) -> None:
        self <= Tag.script("ran.push('tree')")
        self <= Tag.button("own", _id="own", _onclick="ran.push('handler')")
        self <= Tag.button("server", _id="server", _onclick=self.answer)
        self.list = Tag.div(_id="list")
        self <= self.list

    def answer(self, event: Any) -> None:
        """Update, and run JavaScript."""
        self.call_js("ran.push('call_js')")
        self.list <= Tag.button("new", _id="new", _onclick="ran.push('later')")
        self.list <= Late()


class Late(Tag.p):
    """Brings a static when it comes."""

    statics = Tag.script("ran.push('late static')")


async def test_javascript_of_each_kind_runs_under_it(page: Page) -> None:
    serving = served(All)
    await serving.start()
    try:
        await load(page, serving.url)
        await connected(page)
        await page.click("#own")
        await page.click("#server")
        await page.click("#new")
        expected = ["static", "text", "tree", "handler", "late static", "call_js", "later"]
        assert sorted(await page.evaluate("window.ran")) == sorted(expected)
        assert await violations(page) == []
    finally:
        await serving.stop()


class Injected(Tag.App):
    """Shows what a visitor has typed as raw HTML: the fault of an author, which the policy makes harmless."""

    def init(self) -> None:
        self <= HTML("<script>window.stolen = 1</script><img src=x onerror='window.stolen = 2'>")
        self <= HTML("<a id=link href='javascript:window.stolen = 3'>a</a>")


async def test_scripts_that_were_injected_do_not_run_and_that_is_noticed_here(page: Page) -> None:
    serving = served(Injected)
    await serving.start()
    try:
        await load(page, serving.url)
        await connected(page)
        await page.click("#link")
        seen = await violations(page)
        assert await page.evaluate("window.stolen") is None
        assert [each.split()[0] for each in seen] == ["script-src-elem", "script-src-attr", "script-src-elem"]
    finally:
        await serving.stop()


async def test_without_a_policy_they_do(page: Page) -> None:
    serving = Serving(WebApp(Injected, csp="off").app)
    await serving.start()
    try:
        answer = await load(page, serving.url)
        assert HEADER not in answer.headers
        await connected(page)
        await page.click("#link")
        await comes(page, "window.stolen === 3")  # a link's script runs after the click
    finally:
        await serving.stop()


async def test_strict_keeps_the_page_from_other_origins(page: Page) -> None:
    class Loading(Tag.App):
        statics = Tag.link(_rel="stylesheet", _href="https://elsewhere.example/a.css")

        def init(self) -> None:
            self <= Tag.img(_src="https://elsewhere.example/a.png")
            self <= Tag.p("styled", _style="width: 5px")

    serving = Serving(WebApp(Loading, csp="strict").app)
    await serving.start()
    try:
        await load(page, serving.url)
        await connected(page)
        assert await page.evaluate("document.querySelector('p').offsetWidth") == 5
        assert sorted(each.split()[0] for each in await violations(page)) == ["img-src", "style-src-elem"]
    finally:
        await serving.stop()


@pytest.mark.parametrize("app", [APPS["shop"], Demo])
async def test_apps_work_under_the_strict_one(page: Page, app: type[Tag.App]) -> None:
    serving = Serving(WebApp(app, csp="strict").app)
    await serving.start()
    try:
        await load(page, serving.url)
        await connected(page)
        await use_all(page)
        assert await violations(page) == []
    finally:
        await serving.stop()


def policy_of_the_proxy() -> str:
    template = (ROOT / "nginx/templates/htag.conf.template").read_text()
    found = re.search(r'add_header Content-Security-Policy "(default-src[^"]+)" always;', template)
    assert found
    return found[1]


async def stands_in(request: Request) -> Response:
    """The pages that come in the place of an app's."""
    name = request.path_params["name"]
    if name == "again":
        page = (ROOT / "nginx/pages/again.html").read_text()
        return HTMLResponse(page, 503, {HEADER: policy_of_the_proxy(), "retry-after": "5"})
    return broken(RuntimeError("x"), debug=name == "debug") if name in ("debug", "broken") else busy(name)


@pytest.mark.parametrize("name", ["sessions", "rate", "debug", "broken", "again"])
async def test_pages_that_stand_in_for_an_app_live_under_theirs(page: Page, name: str) -> None:
    asked = []

    async def app(request: Request) -> Response:
        asked.append(request.path_params["name"])
        return await stands_in(request)

    serving = Serving(Starlette(routes=[Route("/{name}", app)]))
    await serving.start()
    try:
        await page.clock.install()
        await load(page, f"{serving.url}{name}")
        if name not in ("debug", "broken"):
            await page.clock.fast_forward(16_000)  # longer than any of them waits
            await until(lambda: asked.count(name) >= 2)  # so its script ran
        await page.clock.resume()
        assert await violations(page) == []
    finally:
        await serving.stop()


async def test_other_pages_of_the_application_around_are_not_touched(page: Page) -> None:
    async def own(request: Request) -> Response:
        return HTMLResponse("<script>window.mine = 1</script>")

    serving = Serving(Starlette(routes=[Route("/own", own), Mount("/app", WebApp(Demo, csp="default").app)]))
    await serving.start()
    try:
        answer = await load(page, f"{serving.url}own")
        assert HEADER not in answer.headers
        assert await page.evaluate("window.mine") == 1
    finally:
        await serving.stop()
