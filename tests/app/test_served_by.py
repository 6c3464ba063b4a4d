"""`htag_stack.served_by`: which slot served, and what nginx calls it, where the browser is to be bound to it."""

from hashlib import md5
from typing import Any

import pytest
from starlette.types import Message

from htag_stack.served_by import add_route, route_to_tell

ROUTE = md5(b"172.18.0.4:8001").hexdigest()  # as nginx's sticky cookie names the address to which it connects


def scope(query: bytes, server: Any = ("172.18.0.4", 8001)) -> dict[str, Any]:
    return {"type": "websocket", "query_string": query, "server": server}


@pytest.mark.parametrize("query", [b"elsewhere=7", b"v=2&elsewhere=7", b"at=" + ROUTE.encode(), b"v=2&at=x&rev=3"])
def test_who_asks_for_a_slot_is_told_its_route(query: bytes) -> None:
    assert route_to_tell(scope(query)) == ROUTE


@pytest.mark.parametrize("query", [b"", b"v=2", b"xelsewhere=7", b"v=2&cat=1", b"q=elsewhere"])
def test_who_does_not_is_bound_by_nginx_itself(query: bytes) -> None:
    assert route_to_tell(scope(query)) is None


def test_a_server_without_an_address_has_no_route() -> None:
    assert route_to_tell(scope(b"elsewhere=7", server=None)) is None


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"type": "websocket.accept"}, True),
        ({"type": "http.response.start", "status": 200, "headers": []}, True),
        ({"type": "http.response.start", "status": 503, "headers": []}, False),
        ({"type": "websocket.http.response.start", "status": 503, "headers": []}, False),
        ({"type": "websocket.close"}, False),
    ],
)
def test_who_is_refused_is_bound_to_nothing(message: Message, told: bool) -> None:
    if message["type"] == "websocket.accept":
        message["headers"] = []
    add_route(message, ROUTE)
    assert ((b"x-htag-route", ROUTE.encode()) in message.get("headers", [])) is told
