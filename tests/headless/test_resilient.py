"""The headless client of wire version 2 over a network: its clicks count once, whatever becomes of the server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headless.errors import ServerError, SessionLost
from headless.protocol import TRANSPORTS, Transport
from headless.resilient import ResilientClient
from htag import Tag, WebApp
from htag.stores import open_store
from tests.htag.session.lasting import Counter
from tests.support.servers import served_in_thread

every_transport = pytest.mark.parametrize("transport", TRANSPORTS)
Visit = Callable[..., ResilientClient]


class Failing(Counter):
    """Fails when it is asked to."""

    def init(self) -> None:
        super().init()
        Tag.button("fail", _id="fail", _onclick=self.fail)

    def fail(self, event: Any) -> None:
        raise ValueError("on purpose")


BREAKS: dict[str, Message] = {
    "websocket.send": {"type": "websocket.close", "code": 1011},
    "http.response.body": {"type": "http.response.body", "body": b"", "more_body": False},
}


class Flaky:
    """Lets each WebSocket and stream break after so many messages to the browser."""

    def __init__(self, app: ASGIApp, messages: int) -> None:
        self.app, self.messages = app, messages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        left = self.messages

        async def counted(message: Message) -> None:
            nonlocal left
            if message["type"] == "websocket.send" or scope["path"] == "/stream":
                left -= 1
                if left == -1:
                    await send(BREAKS[message["type"]])
                if left < 0:
                    raise OSError("the network broke")
            await send(message)

        await self.app(scope, receive, counted)


@pytest.fixture
def visit() -> Iterator[Visit]:
    """`visit(url, transport)`: a client that has opened the page and connected."""
    clients: list[ResilientClient] = []

    def arrive(url: str, transport: Transport = "websocket") -> ResilientClient:
        client = ResilientClient(url, transport)
        clients.append(client)
        client.open()
        client.connect()
        return client

    yield arrive
    for client in clients:
        client.leave()
        client.http.close()


@every_transport
def test_clicks_are_answered(visit: Visit, transport: Transport) -> None:
    with served_in_thread(WebApp(Counter).app) as url:
        client = visit(url, transport)
        assert [client.click("more") for _ in range(3)] == [1, 2, 3]
        assert client.document.text("count") == "3"


@every_transport
def test_an_error_is_raised(visit: Visit, transport: Transport) -> None:
    with served_in_thread(WebApp(Failing).app) as url:
        client = visit(url, transport)
        with pytest.raises(ServerError, match="on purpose"):
            client.click("fail")


@every_transport
def test_a_server_that_is_replaced_is_not_noticed(visit: Visit, transport: Transport, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/sessions.sqlite"

    def worker() -> ASGIApp:
        return WebApp(Counter, secret="s" * 32, store=open_store(store, 60)).app

    with served_in_thread(worker()) as url:
        client = visit(url, transport)
        assert client.click("more") == 1
    with served_in_thread(worker(), port=int(url.rpartition(":")[2])):
        assert client.click("more") == 2
        assert client.document.text("count") == "2"
        assert client.page_loads == 1


@pytest.mark.parametrize("transport", ["websocket", "sse"])
def test_connections_that_break_all_the_time_lose_nothing(visit: Visit, transport: Transport) -> None:
    with served_in_thread(Flaky(WebApp(Counter).app, 4)) as url:
        client = visit(url, transport)
        assert [client.click("more") for _ in range(12)] == list(range(1, 13))
        assert client.reconnects > 2
        assert client.page_loads == 1


@every_transport
def test_a_session_that_is_gone_is_said_to_be_lost(visit: Visit, transport: Transport) -> None:
    with served_in_thread(WebApp(Counter).app) as url:
        client = visit(url, transport)
        client.click("more")
    with served_in_thread(WebApp(Counter).app, port=int(url.rpartition(":")[2])):
        with pytest.raises(SessionLost):
            client.click("more")
        client.open()
        client.connect()
        assert client.click("more") == 1
        assert client.page_loads == 2
