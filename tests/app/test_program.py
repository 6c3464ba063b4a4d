"""`htag_stack.program`: HTTP by routes, WebSockets straight to the app."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from htag_stack.program import Program


async def health(request: Request) -> Response:
    return PlainTextResponse("well")


async def page(request: Request) -> Response:
    return PlainTextResponse("page")


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(str(websocket.url_for("page")))
    await websocket.close()


@pytest.fixture
def client() -> TestClient:
    app = Starlette(routes=[Route("/", page, name="page"), WebSocketRoute("/ws", talk)])

    async def answers_everything(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    program = Program([Route("/health", health)], None, answers_everything)  # type: ignore[arg-type]
    return TestClient(program)


@pytest.mark.parametrize(("path", "text"), [("/health", "well"), ("/", "page")])
def test_http_finds_its_route(client: TestClient, path: str, text: str) -> None:
    assert client.get(path).text == text


def test_a_websocket_is_the_app_s(client: TestClient) -> None:
    with client.websocket_connect("/ws") as websocket:
        assert websocket.receive_text() == "http://testserver/"


@pytest.mark.parametrize("path", ["/health", "/nothing"])
def test_a_websocket_of_no_route_is_refused(client: TestClient, path: str) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(path):
        pass
