"""`WebApp.operate`: whoever deploys what somebody else has made chooses how it is operated, before it is served."""

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from htag import Tag, WebApp
from htag.limits import Limits
from tests.support.observers import RecordingObserver


class Page(Tag.App): ...


def test_it_is_operated_as_it_was_told_last() -> None:
    observer = RecordingObserver()
    web = WebApp(Page, debug=True)
    web.operate(debug=False, parano=True, observer=observer, limits=Limits(message_bytes=2048))
    assert web.debug is False
    assert web.parano_key
    assert web.app.web is web
    with TestClient(web.app) as client:
        assert 'window.PARANO = "' in client.get("/").text
        client.post("/event", json={})
    assert len(observer.told("session_opened")) == 1
    assert observer.labels("message_refused") == ["csrf"]  # the transports, too


def test_routes_that_the_author_has_added_stay() -> None:
    web = WebApp(Page)
    web.app.router.routes.insert(0, Route("/first", lambda request: PlainTextResponse("first")))
    web.app.router.routes.append(Route("/last", lambda request: PlainTextResponse("last")))
    before = [getattr(route, "path", None) for route in web.app.routes]
    web.operate()
    assert [getattr(route, "path", None) for route in web.app.routes] == before
    client = TestClient(web.app)
    assert client.get("/first").text + client.get("/last").text == "firstlast"
    assert client.get("/").status_code == 200


def test_not_once_it_has_sessions() -> None:
    web = WebApp(Page)
    with TestClient(web.app) as client:
        client.get("/")
        with pytest.raises(RuntimeError, match="has sessions"):
            web.operate()
