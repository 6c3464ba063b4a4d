import platform

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from htag_stack.request_layer import RequestLayer
from htag_stack.served_by import HEADER, Place


async def page(request: Request) -> Response:
    return PlainTextResponse(f"{request.url_for('page')} {request.state.served_by}")


async def broken(request: Request) -> Response:
    raise RuntimeError


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.state.served_by)
    await websocket.close()


async def refuse(websocket: WebSocket) -> None:
    await websocket.close(1008)


Answer = tuple[str, str, int]


class Recorder:
    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def __call__(self, route: str, method: str, status: int, seconds: float) -> None:
        assert 0 <= seconds < 10
        self.answers.append((route, method, status))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def client_of(recorder: Recorder, root_path: str = "", port: int = 8002) -> TestClient:
    inner = Starlette(
        routes=[
            Route("/", page, methods=["GET"], name="page"),
            WebSocketRoute("/ws", talk, name="ws"),
            WebSocketRoute("/no", refuse, name="no"),
            Route("/broken", broken, name="broken"),
        ]
    )
    outer = Starlette(routes=[Route("/health", page, name="health"), Mount("/", inner)])
    app = RequestLayer(outer, Place(8000, 2), recorder, root_path)
    return TestClient(app, base_url=f"http://testserver:{port}", raise_server_exceptions=False)


@pytest.fixture
def client(recorder: Recorder) -> TestClient:
    return client_of(recorder)


@pytest.mark.parametrize(("port", "slot"), [(8001, 1), (8002, 2), (8000, 1)])
def test_every_answer_says_who_gave_it(recorder: Recorder, port: int, slot: int) -> None:
    response = client_of(recorder, port=port).get("/")
    assert response.headers[HEADER] == f"{platform.node()}:{slot}"
    assert response.text.endswith(f" {platform.node()}:{slot}")


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/", ("page", "GET", 200)),
        ("HEAD", "/", ("page", "HEAD", 200)),
        ("POST", "/", ("page", "POST", 405)),
        ("GET", "/health", ("health", "GET", 200)),
        ("GET", "/broken", ("broken", "GET", 500)),
        ("GET", "/wp-login.php", ("unmatched", "GET", 404)),
    ],
)
def test_answers_are_told_by_route_name(
    client: TestClient, recorder: Recorder, method: str, path: str, answer: Answer
) -> None:
    response = client.request(method, path)
    assert recorder.answers == [answer]
    assert HEADER in response.headers


def test_a_websocket_s_handshake_is_an_answer(client: TestClient, recorder: Recorder) -> None:
    with client.websocket_connect("/ws") as websocket:
        served_by = dict(websocket.extra_headers or [])[HEADER.lower().encode()].decode()
        assert websocket.receive_text() == served_by
    assert recorder.answers == [("ws", "GET", 101)]


def test_a_websocket_that_is_refused_is_counted_as_the_403_it_becomes(client: TestClient, recorder: Recorder) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/no"):
        pass
    assert recorder.answers == [("no", "GET", 403)]


@pytest.mark.parametrize("path", ["/", "/demo/"])
def test_a_prefix_works_whether_or_not_the_proxy_strips_it(recorder: Recorder, path: str) -> None:
    response = client_of(recorder, root_path="/demo").get(path)
    assert response.status_code == 200
    assert response.text.startswith("http://testserver:8002/demo/ ")
    assert recorder.answers == [("page", "GET", 200)]
