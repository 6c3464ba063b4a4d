"""What somebody brings along is served with all that is around it: sessions, health, metrics, limits, its lifespan."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from htag import Tag, WebApp
from htag.web.signing import Signer
from htag_stack.brought_app import BroughtApp, web_apps
from htag_stack.lifespan import LifespanError, lifespan_of
from htag_stack.main import compose
from htag_stack.settings import Settings
from htag_stack.startup import Prepared
from tests.app.processes import GUNICORN, SECRET, Start
from tests.app.visiting import click, get, health, is_live, tab
from tests.support.waiting import eventually

happened: list[str] = []


class Shop(Tag.App):
    def init(self) -> None:
        Tag.h1("Shop")

    def on_destroy(self) -> None:
        happened.append("session ended")


class Broken(Tag.App):
    def init(self) -> None:
        raise ZeroDivisionError("a secret of the author's")


@contextmanager
def served(application: Any, **settings: Any) -> Iterator[TestClient]:
    prepared = Prepared(Settings(**{"store": "memory://", "app": "mine:app", **settings}), SECRET)
    brought = BroughtApp(application, tuple(web_apps(application)))
    with TestClient(compose(prepared, brought), raise_server_exceptions=False) as client:
        yield client


@asynccontextmanager
async def host_lifespan(_: Any) -> AsyncIterator[dict[str, str]]:
    happened.append("host started")
    yield {"database": "open"}
    happened.append("host ended")


async def own_page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"the database is {request.state.database}")


async def own_health(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hidden")


def starlette_host() -> Starlette:
    routes = [Route("/own", own_page, name="own"), Route("/health", own_health), Mount("/shop", WebApp(Shop).app)]
    return Starlette(routes=routes, lifespan=host_lifespan)


def fastapi_host() -> FastAPI:
    host = FastAPI(lifespan=host_lifespan)
    host.add_api_route("/own", own_page, name="own", response_model=None)
    host.mount("/shop", WebApp(Shop).app)
    return host


@pytest.mark.parametrize("host", [starlette_host, fastapi_host])
def test_an_application_with_a_web_app_in_it_is_served_and_watched(host: Any) -> None:
    happened.clear()
    with served(host()) as client:
        assert happened == ["host started"]
        assert client.get("/own").text == "the database is open"
        assert "<h1" in client.get("/shop/").text
        assert client.get("/health").json()["sessions"]["new"] == 1
        assert client.get("/health/ready").text == "ready\n"
        metrics = client.get("/metrics").text
        assert 'htag_sessions{state="new"} 1.0' in metrics
        assert "htag_sessions_opened_total 1.0" in metrics
        assert 'http_requests_total{method="GET",route="own",status="200"} 1.0' in metrics
    assert happened == ["host started", "session ended", "host ended"]


def test_several_web_apps_count_as_one_worker() -> None:
    routes = [Mount("/one", WebApp(Shop).app), Mount("/two", WebApp(Shop))]
    with served(Starlette(routes=routes), max_sessions=3) as client:
        for path in ("/one/", "/two/", "/two/"):
            assert client.get(path).status_code == 200
            client.cookies.clear()
        assert client.get("/health").json()["sessions"] == {"new": 3, "connected": 0, "disconnected": 0, "parked": 0}
        assert client.get("/one/").status_code == 503
        assert 'htag_refused_total{reason="sessions"} 1.0' in client.get("/metrics").text


def test_the_settings_decide_and_not_what_the_author_chose() -> None:
    web = WebApp(Broken, debug=True, secret="the author's own secret, of thirty-two characters")
    with served(web.app) as client:
        assert "secret of the author" not in client.get("/").text  # debug is HTAG_DEBUG
    with served(WebApp(Broken, debug=False).app, debug=True) as client:
        assert "secret of the author" in client.get("/").text
    with served(WebApp(Shop, secret="the author's own secret, of thirty-two characters").app) as client:
        value = client.get("/").cookies["htag_sid"]
        assert Signer(SECRET).verified_ids([(b"cookie", f"htag_sid={value}".encode())])


@pytest.mark.parametrize(("author", "operator"), [(True, False), (False, True)])
def test_what_the_author_or_the_operator_wants_obfuscated_is(author: bool, operator: bool) -> None:
    with served(WebApp(Shop, parano=author).app, parano=operator) as client:
        assert 'window.PARANO = "' in client.get("/").text


@pytest.mark.parametrize(
    ("author", "operator", "header"),
    [
        ("img-src 'self'", "", "img-src 'self'"),
        ("img-src 'self'", "off", None),
        ("off", "font-src 'self'", "font-src 'self'"),
        ("off", "", None),
    ],
)
def test_the_author_s_policy_holds_unless_the_operator_names_one(
    author: str, operator: str, header: str | None
) -> None:
    with served(WebApp(Shop, csp=author).app, csp=operator) as client:
        assert client.get("/").headers.get("content-security-policy") == header


@pytest.mark.parametrize(("author", "operator"), [(True, False), (False, True), (False, False)])
def test_an_app_is_shown_in_frames_if_the_author_or_the_operator_says_so(author: bool, operator: bool) -> None:
    with served(WebApp(Shop, embedded=author).app, embedded=operator) as client:
        cookie = client.get("https://testserver/").headers["set-cookie"]
    assert ("Partitioned" in cookie) is (author or operator)


@pytest.mark.parametrize(("author", "operator", "ms"), [(200, 0, 200), (200, 300, 300), (0, 300, 300)])
def test_what_is_typed_waits_as_the_operator_says_or_else_the_author(author: int, operator: int, ms: int) -> None:
    with served(WebApp(Shop, input_delay=author).app, input_delay=operator) as client:
        assert f'<html data-htag-debounce="{ms}">' in client.get("/").text


def test_origins_that_the_author_allows_stay_allowed() -> None:
    web = WebApp(Shop, allowed_origins=["https://author.example"])
    with served(web.app, allowed_origins="https://operator.example") as client:
        client.get("/")
        for origin, status in {"author": 403, "operator": 403, "stranger": 403}.items():
            answer = client.post("/event", headers={"origin": f"https://{origin}.example"}, json={})
            assert answer.status_code == status
            assert ("Origin" in answer.text) is (origin == "stranger")  # the others lack the token only


# ---- lifespans


async def raises(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"


async def returns(scope: Any, receive: Any, send: Any) -> None:
    return None


@pytest.mark.parametrize("application", [raises, returns])
async def test_an_application_without_a_lifespan_has_none(application: Any) -> None:
    async with lifespan_of(application) as state:
        assert state == {}


@pytest.mark.parametrize("word", ["startup", "shutdown"])
async def test_a_lifespan_that_fails_is_told(word: str) -> None:
    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        if word == "startup":
            raise ConnectionRefusedError
        yield
        raise ConnectionRefusedError

    with pytest.raises(LifespanError, match=word) as caught:
        async with lifespan_of(Starlette(lifespan=lifespan)):
            pass
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


# ---- the real thing

TUTORIAL = """
from htag import Tag

class MyApp(Tag.App):
    def init(self):
        self <= Tag.h1("Production App")
        self.number = 0
        Tag.button("+", _id="more", _onclick=self.more)

    def more(self, event):
        self.number += 1
        self <= Tag.b(str(self.number))

from htag import WebApp
app = WebApp(MyApp, debug=False).app
"""


@pytest.mark.parametrize(("command", "slot"), [(GUNICORN, 1), (("htag_stack",), 0)])
def test_the_tutorial_s_own_app_py_is_served_from_a_checkout(
    start: Start, free_base: int, tmp_path: Any, command: tuple[str, ...], slot: int
) -> None:
    """As `make run` does it: in a folder that has an `app/` of its own, with the module in another folder."""
    (tmp_path / "app" / "htag_stack").mkdir(parents=True)
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "app.py").write_text(TUTORIAL)
    server = start(*command, HTAG_APP="app:app", HTAG_PORT=str(free_base), apps=str(tmp_path / "apps"))
    port = free_base + slot
    eventually(lambda: is_live(port) or server.process.poll() is not None, "the port serves")
    assert server.process.poll() is None, server.stderr()
    assert b"Production App" in get(port).body  # type: ignore[attr-defined]
    with tab(port) as websocket:
        assert "1" in str(click(websocket)["updates"])
        assert health(port)["sessions"]["connected"] == 1


NOT_YET = """
from contextlib import asynccontextmanager
from pathlib import Path
from starlette.applications import Starlette
from htag import Tag, WebApp

class Shop(Tag.App): ...

@asynccontextmanager
async def lifespan(app):
    Path("database").read_text()
    yield

app = Starlette(lifespan=lifespan)
app.mount("/", WebApp(Shop).app)
"""


def test_an_app_whose_lifespan_does_not_start_is_tried_again(start: Start, free_base: int, tmp_path: Any) -> None:
    (tmp_path / "shop.py").write_text(NOT_YET)
    server = start(*GUNICORN, HTAG_APP="shop:app", HTAG_PORT=str(free_base))
    port = free_base + 1
    eventually(lambda: "tries again" in server.stdout(), "a line in the log")
    eventually(lambda: not is_live(port) and get(port).status == 503, "the slot says that it cannot serve")
    (tmp_path / "database").write_text("up")
    eventually(lambda: is_live(port), "it has tried again")
    assert server.process.poll() is None
