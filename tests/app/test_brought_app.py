"""What HTAG_APP may name, and what is said of everything else."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Host, Mount, Router
from starlette.testclient import TestClient

import htag.web.webapp
from htag import Tag, WebApp
from htag_stack.brought_app import load_app, web_apps
from htag_stack.errors import StartError
from tests.support.source import ROOT

Module = Callable[[str, str], None]

MODULE = """
from starlette.applications import Starlette
from fastapi import FastAPI
from htag import Tag, WebApp

class Shop(Tag.App): pass

instance = Shop()
web = WebApp(Shop)
app = WebApp(Shop, debug=False).app  # as in htag's tutorial
starlette = Starlette()
starlette.mount("/shop", WebApp(Shop).app)
fastapi = FastAPI()
fastapi.mount("/shop", WebApp(Shop).app)
empty = Starlette()
class Other: ...
def function(): ...
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Module]:
    """Writes a module that can be imported during the test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write(name: str, source: str) -> None:
        (tmp_path / f"{name}.py").write_text(source)

    yield write
    for name in set(sys.modules) - before:
        if name.startswith("mine"):
            del sys.modules[name]


@pytest.mark.parametrize("name", ["Shop", "instance", "web", "app", "web.app", "instance.app", "starlette", "fastapi"])
def test_all_these_are_served(module: Module, name: str) -> None:
    module("mine", MODULE)
    brought = load_app(f"mine:{name}")
    (web,) = brought.webs
    assert isinstance(web, htag.web.webapp.WebApp)
    assert callable(brought.application)


@pytest.mark.parametrize(
    ("path", "source", "sentence"),
    [
        ("mine", "", "is not of the form package.module:name"),
        (":Shop", "", "is not of the form package.module:name"),
        ("mine:", "", "is not of the form package.module:name"),
        ("nowhere:Shop", "", "there is no module nowhere"),
        ("mine.nowhere:Shop", "", "there is no module mine.nowhere"),
        ("mine:Shop", "import nowhere_else", "the module nowhere_else is not installed"),
        ("mine:Shop", "", "the module mine has no Shop"),
        ("mine:web.nothing", MODULE, "the object mine.web has no nothing"),
        ("mine:function", MODULE, "function is a function, and not a subclass of Tag.App, a WebApp, or an ASGI app"),
        ("mine:Other", MODULE, "Other is another class, and not a subclass of Tag.App"),
        ("mine:Starlette", MODULE, "Starlette is another class, and not"),
        ("mine:sys", "import sys", "sys is a module, and not"),
        ("mine:x", "x = 1", "x is of the type int, and not"),
        ("mine:empty", MODULE, "empty is an ASGI application in which no WebApp is to be found"),
        ("mine:Shop", "x = 1\ny = [][x]", r"IndexError: list index out of range \(.*mine.py, line 2\)"),
        ("mine:Shop", "class:", r"SyntaxError: .*mine.py, line 1"),
        ("mine:Shop", "raise SystemExit('no licence')", r"importing it ended the program, with SystemExit: no licence"),
    ],
)
def test_whatever_is_wrong_is_one_sentence(module: Module, path: str, source: str, sentence: str) -> None:
    module("mine", source)
    with pytest.raises(StartError, match=sentence) as caught:
        load_app(path)
    assert str(caught.value).startswith(f"HTAG_APP={path}")
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


class Own:
    """A layer that somebody has written; what is inside has a name of its own."""

    def __init__(self, inside: Any) -> None:
        self._whatever = inside

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._whatever(scope, receive, send)


class Page(Tag.App): ...


def inside(app: Any) -> list[Any]:
    fast = FastAPI()
    fast.add_middleware(GZipMiddleware)
    fast.mount("/deep", Starlette(routes=[Mount("/deeper", app)]))
    return [
        app,
        Own(app),
        CORSMiddleware(app),
        CORSMiddleware(Own(Starlette(routes=[Mount("/x", Own(app))]))),
        fast,
        Router([Host("shop.example", app)]),
        Starlette(routes=[Mount("/x", app, middleware=[Middleware(GZipMiddleware)])]),
        Starlette(routes=[Mount("/x", routes=[Mount("/y", app)])]),
    ]


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("bare", [True, False])
def test_a_web_app_is_found_wherever_it_is_mounted(number: int, bare: bool) -> None:
    web = WebApp(Page)
    assert list(web_apps(inside(web if bare else web.app)[number])) == [web]


def test_several_are_found_in_their_order_and_each_once() -> None:
    first, second, third = WebApp(Page), WebApp(Page), WebApp(Page)
    first.app.mount("/within", third.app)
    app = Starlette(routes=[Mount("/one", first.app), Mount("/two", second), Mount("/again", first)])
    assert list(web_apps(app)) == [first, third, second]


def test_the_example_of_a_website_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "apps"))
    client = TestClient(load_app("website:app").application)
    assert 'href="app/"' in client.get("/").text
    assert "Hello</button>" in client.get("/app/").text
