"""The headless client over a network: what it does against a real server, over every transport."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headless.client import Client
from headless.errors import Disconnected, Refused, ServerError
from headless.http import SERVED_BY
from headless.protocol import TRANSPORTS, Transport
from htag import State, Tag, WebApp
from tests.support.servers import served_in_thread

every_transport = pytest.mark.parametrize("transport", TRANSPORTS)


class Desk(Tag.App):
    """A counter, a field, a form, something that fails and something that comes later."""

    def init(self) -> None:
        self.clicks = 0
        self.late = State("not yet")
        self.add(
            Tag.span("0", _id="clicks"),
            Tag.button("up", _id="up", _onclick=self.up),
            Tag.button("fail", _id="fail", _onclick=self.fail),
            Tag.button("later", _id="later", _onclick=self.soon),
            Tag.span(lambda: self.late.value, _id="late"),
            Tag.input(_id="name", _oninput=self.named),
            Tag.input(_id="box", _type="checkbox", _onchange=self.named),
            Tag.form(Tag.input(_name="colour"), _id="form", _onsubmit=self.named),
            Tag.p(_id="said"),
        )
        self.said = self.childs[-1]

    def up(self, event: Any) -> int:
        self.clicks += 1
        self.childs[0].text = str(self.clicks)
        return self.clicks

    def fail(self, event: Any) -> None:
        self.up(event)
        raise ValueError("on purpose")

    def soon(self, event: Any) -> None:
        asyncio.get_running_loop().call_later(0.05, self.late.set, "here")

    def named(self, event: Any) -> None:
        self.said.text = repr(event.value)


class Slot:
    """Says who serves, as the deployed program does; `name` may change while it serves."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.name = "here:1"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def signed(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                header = (SERVED_BY.lower().encode(), self.name.encode())
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        await self.app(scope, receive, signed)


Visit = Callable[..., Client]


@pytest.fixture
def slot() -> Slot:
    return Slot(WebApp(Desk, debug=True).app)


@pytest.fixture
def url(slot: Slot) -> Iterator[str]:
    with served_in_thread(slot) as url:
        yield url


@pytest.fixture
def visit() -> Iterator[Visit]:
    """`visit(url, transport)`: a client that has opened the page and connected."""
    clients: list[Client] = []

    def arrive(url: str, transport: Transport = "websocket") -> Client:
        client = Client(url, transport)
        clients.append(client)
        client.open()
        client.connect()
        return client

    yield arrive
    for client in clients:
        client.leave()
        client.http.close()


@every_transport
def test_a_click_is_answered_and_shows(url: str, visit: Visit, transport: Transport) -> None:
    client = visit(url, transport)
    assert [client.click("up") for _ in range(3)] == [1, 2, 3]
    assert client.document.text("clicks") == "3"


@every_transport
def test_parano(visit: Visit, transport: Transport) -> None:
    with served_in_thread(WebApp(Desk, parano=True).app) as url:
        client = visit(url, transport)
        assert client.click("up") == 1
        client.type("name", "Zoë")
        assert client.document.text("said") == "'Zoë'"


@every_transport
def test_what_is_pushed_arrives_without_an_event(url: str, visit: Visit, transport: Transport) -> None:
    client = visit(url, transport)
    client.click("later")
    client.wait_until(lambda: client.document.text("late") == "here", "the push")


@every_transport
def test_an_error_of_the_server_is_raised_and_the_session_goes_on(url: str, visit: Visit, transport: Transport) -> None:
    client = visit(url, transport)
    with pytest.raises(ServerError, match="on purpose"):
        client.click("fail")
    assert client.click("up") == 2
    assert len(client.failures) == 1


@every_transport
def test_fields_and_forms(url: str, visit: Visit, transport: Transport) -> None:
    client = visit(url, transport)
    client.type("name", "Ada")
    assert client.document.text("said") == "'Ada'"
    client.tick("box")
    assert client.document.text("said") == "True"
    client.submit("form", {"colour": "red"})
    assert client.document.text("said") == "{'colour': 'red'}"


def test_an_unknown_id_is_answered_with_nothing(url: str, visit: Visit) -> None:
    assert visit(url).click("nobody") is None


@every_transport
def test_leaving_and_coming_back_finds_the_same_session(url: str, visit: Visit, transport: Transport) -> None:
    client = visit(url, transport)
    client.click("up")
    client.leave()
    with pytest.raises(Disconnected):
        client.click("up")
    client.connect()
    assert client.click("up") == 2
    client.open()
    assert client.document.text("clicks") == "2"


@every_transport
def test_two_tabs_of_one_visitor_show_the_same(url: str, visit: Visit, transport: Transport) -> None:
    first = visit(url, "websocket")
    second = Client(url, transport)
    second.http.cookies = first.http.cookies
    with second:
        second.open()
        second.connect()
        second.click("up")
        first.wait_until(lambda: first.document.text("clicks") == "1", "the other tab's click")


@every_transport
def test_a_session_that_is_gone_gets_a_new_page(visit: Visit, transport: Transport) -> None:
    with served_in_thread(WebApp(Desk).app) as url:
        client = visit(url, transport)
        client.click("up")
    if transport != "http":
        with pytest.raises(Disconnected):
            client.wait_until(lambda: False, "the end of the server")
    with served_in_thread(WebApp(Desk).app, port=int(url.rpartition(":")[2])):
        client.reconnect()
        assert client.click("up") == 1


@every_transport
def test_a_session_that_the_server_does_not_know_is_refused(url: str, transport: Transport) -> None:
    def barge_in() -> None:
        stranger.connect()
        stranger.click("up")

    with Client(url, transport) as stranger, pytest.raises((Refused, Disconnected)):
        barge_in()


@every_transport
def test_a_change_of_the_serving_slot_is_noted(slot: Slot, url: str, visit: Visit, transport: Transport) -> None:
    client = visit(url, transport)
    client.click("up")
    assert client.served_by == "here:1"
    assert client.moves == []
    slot.name = "there:2"
    client.reconnect()
    client.click("up")
    assert client.moves == ["there:2"]
