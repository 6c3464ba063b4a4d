"""htag in somebody's application behind somebody's proxy: prefixes, stripped or not. docs/embedding.md has the list."""

import contextlib
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Any

import fastapi
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from headless.asgi import Site
from headless.tab import Tab
from htag import Tag, WebApp
from htag.web.paths import with_prefix


class Page(Tag.App):
    ended = 0

    def init(self) -> None:
        self <= Tag.button("b", _id="b", _onclick=lambda event: "clicked")

    def on_destroy(self) -> None:
        type(self).ended += 1


def fastapi_with_root_path(web: WebApp) -> Any:
    return below_demo("/htag", web.app)


def below_demo(prefix: str, inner: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated since FastAPI 0.165, and in thousands of programs
        main = fastapi.FastAPI(root_path="/demo")
    main.mount(prefix, inner)
    return main


def server_with_root_path(web: WebApp) -> Any:
    return served_below_demo(Starlette(routes=[Mount("/htag", web.app)]))


def served_below_demo(main: Any) -> Any:
    """`uvicorn --root-path /demo`: the server puts the prefix before whatever path the proxy sent."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        await main({**scope, "root_path": "/demo", "path": "/demo" + scope["path"]}, receive, send)

    return served


def mounted_at_the_prefix(web: WebApp) -> Any:
    return Starlette(routes=[Mount("/demo/htag", web.app)])


@pytest.mark.parametrize(
    ("arrange", "arrival"),
    [
        (fastapi_with_root_path, "/htag/"),
        (fastapi_with_root_path, "/demo/htag/"),
        (server_with_root_path, "/htag/"),
        (mounted_at_the_prefix, "/demo/htag/"),
    ],
)
async def test_a_prefix_that_the_host_knows_whether_or_not_the_proxy_strips_it(
    arrange: Callable[[WebApp], Any], arrival: str, transport: str
) -> None:
    tab = await Tab(Site(arrange(WebApp(Page)), base=arrival), transport).load()
    await tab.connect()
    assert await tab.click("b") == "clicked"
    (cookie,) = (await tab.site.get()).set_cookies
    assert "Path=/demo/htag/" in cookie, "as the browser sees it"
    await tab.leave()


@pytest.mark.parametrize("arrival", ["/htag/htag.js", "/htag/logo.png", "/htag/favicon.ico"])
async def test_files_are_found_below_a_stripped_prefix(arrival: str) -> None:
    assert (await Site(fastapi_with_root_path(WebApp(Page))).get(arrival)).status == 200
    assert (await Site(fastapi_with_root_path(WebApp(Page))).get(arrival + "/nothing")).status == 404


async def test_a_mount_within_a_mount_below_the_servers_prefix() -> None:
    """Stripped under `FastAPI(root_path=…)` the outer one would not find the inner one: that is before us."""
    inner = Starlette(routes=[Mount("/htag", WebApp(Page).app)])
    tab = await Tab(Site(served_below_demo(Starlette(routes=[Mount("/outer", inner)])), base="/outer/htag/")).load()
    await tab.connect()
    assert await tab.click("b") == "clicked"
    await tab.leave()


@pytest.mark.parametrize(
    ("path", "root_path", "full"),
    [
        ("/htag/ws", "/demo/htag", "/demo/htag/ws"),
        ("/htag", "/demo/htag", "/demo/htag"),
        ("/htagged", "/demo/htag", "/demo/htag/htagged"),
        ("/ws", "/demo", "/demo/ws"),
        ("/", "/demo", "/demo/"),
        ("/b/c/ws", "/a/b/c", "/a/b/c/ws"),
        ("/c/ws", "/a/b/c", "/a/b/c/ws"),
    ],
)
def test_the_whole_path(path: str, root_path: str, full: str) -> None:
    assert with_prefix(path, root_path) == full


# -- whose lifespan


def test_sessions_end_with_the_lifespan_of_the_host_and_a_second_life_begins() -> None:
    web = WebApp(Page)
    main = Starlette(routes=[Mount("/htag", web.app)], lifespan=web.lifespan)
    for life in (1, 2):
        Page.ended = 0
        with TestClient(main) as client:
            assert client.get("/htag/").status_code == 200, life
            assert len(web.instances) == 1
        assert (Page.ended, len(web.instances)) == (1, 0)


def test_a_lifespan_of_ones_own_can_hold_several() -> None:
    webs = [WebApp(Page), WebApp(Page)]

    @contextlib.asynccontextmanager
    async def lifespan(application: Any) -> AsyncIterator[dict[str, str]]:
        async with webs[0].lifespan(), webs[1].lifespan():
            yield {"state": "of the host"}

    main = fastapi.FastAPI(lifespan=lifespan)
    for number, web in enumerate(webs):
        main.mount(f"/{number}", web.app)
    Page.ended = 0
    with TestClient(main) as client:
        assert [client.get(f"/{number}/").status_code for number in (0, 1)] == [200, 200]
    assert Page.ended == 2


@pytest.mark.parametrize("make", [lambda: WebApp(Page), lambda: WebApp(Page).app, lambda: Page().app])
def test_on_its_own_it_has_its_own_lifespan(make: Callable[[], Any]) -> None:
    Page.ended = 0
    with TestClient(make()) as client:
        assert client.get("/").status_code == 200
    assert Page.ended == 1
