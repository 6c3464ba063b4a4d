"""The same apps behind a real server, on a real network, with the headless client: side by side in one process."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from headless.client import Client
from htag import WebApp
from tests.apps.chat import Chat, Room
from tests.apps.dashboard import Dashboard
from tests.apps.gallery import Gallery
from tests.apps.shop import Shop
from tests.apps.signup import Signup
from tests.apps.table import ROWS, Table
from tests.apps.todo import Todo
from tests.support.servers import served_in_thread

APPS = {each.__name__.lower(): each for each in (Chat, Dashboard, Gallery, Shop, Signup, Table, Todo)}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    main = Starlette(routes=[Mount(f"/{name}", WebApp(each).app) for name, each in APPS.items()])
    with served_in_thread(main) as url:
        yield url


@pytest.fixture
def visit(address, transport):
    clients = []

    def open_app(name):
        client = Client(f"{address}/{name}", transport)
        clients.append(client)
        client.open()
        client.connect()
        return client

    yield open_app
    for client in clients:
        client.leave()
        client.http.close()


def test_todo(visit):
    client = visit("todo")
    assert client.url.endswith("/todo/")
    client.submit("new", {"text": "milk"})
    client.submit("new", {"text": "bread"})
    client.tick(client.document.with_event("change")[0])
    assert client.document.text("count") == "1 open of 2"


def test_signup(visit):
    client = visit("signup")
    client.type("bio", "typed")
    client.click(client.document.find_text("redraw", "button"))
    assert client.document.text("bio") == "typed"
    assert client.submit("form", {"name": "Ann", "password": "hunter2"}) == 2
    assert "*******" in client.document.text("summary")


def test_chat(visit, monkeypatch):
    monkeypatch.setattr(Chat, "room", Room())
    ann, bob = visit("chat"), visit("chat")
    for client, name in ((ann, "Ann"), (bob, "Bob")):
        client.submit("welcome", {"name": name})
    ann.submit("talk", {"text": "hello"})
    bob.poll()
    bob.wait_until(lambda: bob.document.text("lines") == "Ann: hello", "what Ann said")


def test_dashboard(visit):
    client = visit("dashboard")
    client.click(client.document.find_text("job", "button"))
    assert client.document.find("progress").attributes["value"] == "100"
    client.wait_until(lambda: client.document.text("ticks") == "5", "the clock")


def test_shop(visit):
    client = visit("shop")
    client.navigate("/goods/tea")
    client.click(client.document.find_text("buy", "button"))
    client.navigate("/cart")
    assert client.document.text("cart") == "1 of tea"


def test_table(visit):
    client = visit("table")
    client.click(client.document.find_text("sort", "button"))
    cells = [element for element in client.document.elements("td") if element.attributes.get("class") == "name"]
    assert len(cells) == ROWS
    client.click(cells[ROWS // 2])
    assert len([field for field in client.document.elements("input") if field.attributes.get("name") == "edit"]) == 1


def test_gallery(visit):
    client = visit("gallery")
    client.click("a")
    client.click("tab-two")
    client.click("d")
    client.click("tab-one")
    assert client.document.text("a") == "a: 1"
    assert not client.failures
