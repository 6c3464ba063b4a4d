"""What is a page and what is a path, for every route alike."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from htag import Tag, WebApp
from htag.web.paths import PlainPaths, is_page, is_plain

ROUTES = (
    "/",
    "/ws",
    "/stream",
    "/event",
    "/htag.js",
    "/errors.js",
    "/later.js",
    "/logo.png",
    "/logo.jpg",
    "/favicon.ico",
)
STRANGE = ["\n", "\r", "\r\n", "\x00", "\t", "\x1f", "\x7f", "\x85", "\u2028", "\u2029"]


class Shop(Tag.App):
    def init(self) -> None:
        Tag.h1("Shop")


def as_it_is(web: WebApp) -> tuple[Any, str]:
    return web.app, ""


def mounted(web: WebApp) -> tuple[Any, str]:
    return Starlette(routes=[Mount("/shop", web.app)]), "/shop"


def with_middleware(web: WebApp) -> tuple[Any, str]:
    web.app.add_middleware(Passing)
    return web.app, ""


class Passing:
    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


async def ask(app: Any, kind: str, path: str, method: str = "GET") -> Any:
    """The status, or for a WebSocket the type of the first message."""
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect" if kind == "websocket" else "http.request", "body": b""}

    async def send(message: Any) -> None:
        said.append(message)

    scope = {"type": kind, "method": method, "path": path, "raw_path": b"", "root_path": "", "query_string": b""}
    more = {"headers": [], "scheme": "http", "server": ("here", 80), "client": ("there", 1), "subprotocols": []}
    await app({**scope, **more}, receive, send)
    return said[0].get("status", said[0]["type"])


@pytest.mark.parametrize("way", [as_it_is, mounted, with_middleware])
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("strange", STRANGE)
async def test_no_route_answers_to_a_path_with_a_control_character(way: Any, route: str, strange: str) -> None:
    web = WebApp(Shop)
    app, prefix = way(web)
    for path in (f"{prefix}{route}{strange}", f"{prefix}{strange}{route}"):
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            assert await ask(app, "http", path, method) == 404
        assert await ask(app, "websocket", path) == "websocket.close"
    assert not web.registry.sessions


@pytest.mark.parametrize("path", ["//", "/./", "/;", "//ws", "/ws/", "/../", "/%2e/", "/htag.js/", "/\\", "/ ", "/é"])
async def test_no_other_form_of_a_path_is_a_route_of_ours(path: str) -> None:
    web = WebApp(Shop)
    assert await ask(web.app, "http", path) in (307, 404)  # the former tells the path without the slash at the end
    assert not web.registry.sessions


async def test_the_layer_for_others_lets_all_else_through() -> None:
    web = WebApp(Shop)
    layer = PlainPaths(web.app)
    assert await ask(layer, "http", "/") == 200
    assert await ask(layer, "http", "/\n") == 404
    assert await ask(layer, "websocket", "/ws\n") == "websocket.close"


@pytest.mark.parametrize("path", ["/", "/a/b.c", "/été", "/a b", "/\xa0", "/\U0001f600", "/日本"])
def test_paths_that_people_have_are_plain(path: str) -> None:
    assert is_plain(path)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({}, True),
        ({"path": "/sub/", "root_path": "/sub"}, True),
        ({"root_path": "/sub"}, True),
        ({"path": "/sub/"}, False),
        ({"path": "/\n"}, False),
        ({"path": "/health"}, False),
        ({"method": "POST"}, False),
        ({"method": "HEAD"}, False),
        ({"type": "websocket", "path": "/ws"}, False),
        ({"type": "lifespan"}, False),
    ],
)
def test_a_page_is_what_stands_at_the_root(scope: dict[str, Any], expected: bool) -> None:
    assert is_page({"type": "http", "path": "/", "method": "GET", **scope}) is expected
