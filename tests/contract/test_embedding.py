"""Contract, section 18, and the page "Production Deployment" of htag's documentation, for Starlette 1.x: an htag app
mounted in somebody's Starlette or FastAPI application, with their /health beside it."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from headless.asgi import Site
from headless.tab import Tab
from htag import State, Tag, WebApp


class MyApp(Tag.App):
    def init(self):
        self.count = State(0)
        self <= Tag.h1("Production App")
        self <= Tag.p(self.count, _id="p")
        self <= Tag.button("more", _id="b", _onclick=self.more)

    def more(self, event):
        self.count.value += 1
        return self.count.value


async def health(request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


def in_starlette():
    return Starlette(routes=[Route("/health", health), Mount("/htag", WebApp(MyApp, debug=False).app)])


def in_starlette_by_mount():
    main = Starlette()
    main.mount("/htag", WebApp(MyApp, debug=False).app)
    main.add_route("/health", health)
    return main


def in_fastapi():
    import fastapi

    main = fastapi.FastAPI()

    @main.get("/health")
    def answer():
        return {"status": "ok"}

    main.mount("/htag", WebApp(MyApp, debug=False).app)
    return main


@pytest.fixture(params=[in_starlette, in_starlette_by_mount, in_fastapi])
def main(request):
    return request.param()


async def test_the_mounted_app_works_over_every_transport(main, transport):
    tab = await Tab(Site(main, base="/htag/"), transport).load()
    await tab.connect()
    assert await tab.click(tab.button("more")) == 1
    assert tab.text("p") == "1"
    await tab.leave()


async def test_health_beside_it_is_the_hosts(main):
    answer = await Site(main).get("/health")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


async def test_the_script_and_the_icon_are_found_below_the_mount(main):
    site = Site(main, base="/htag/")
    tab = await Tab(site).load()
    sources = [script.attributes["src"] for script in tab.head.all("script") if "src" in script.attributes]
    icons = [link.attributes["href"] for link in tab.head.all("link") if link.attributes.get("rel") == "icon"]
    for place in sources + icons:
        found = await site.get(place if place.startswith("/") else "/htag/" + place)
        assert found.status == 200 or place.startswith("/"), place


@pytest.mark.mended
async def test_the_page_asks_for_nothing_outside_its_mount(main):
    tab = await Tab(Site(main, base="/htag/")).load()
    for element in tab.head:
        for attribute in ("src", "href"):
            assert not (element.attributes.get(attribute) or "").startswith("/")


@pytest.mark.mended
async def test_the_cookie_belongs_to_the_mount(main):
    (cookie,) = (await Site(main, base="/htag/").get()).set_cookies
    assert "path=/htag/" in cookie.lower()


@pytest.mark.mended
async def test_two_apps_on_one_host_do_not_share_a_session():
    main = Starlette(routes=[Mount("/one", WebApp(MyApp).app), Mount("/two", WebApp(MyApp).app)])
    cookies = [(await Site(main, base=base).get()).set_cookies[0] for base in ("/one/", "/two/")]
    assert [cookie.lower().split("path=")[1].split(";")[0] for cookie in cookies] == ["/one/", "/two/"]


def test_the_whole_application_with_starlettes_own_client(main):
    with TestClient(main) as client:
        assert client.get("/health").json() == {"status": "ok"}
        page = client.get("/htag/")
        assert "Production App" in page.text
        sid = page.cookies["htag_sid"]
        with client.websocket_connect("/htag/ws", headers={"cookie": f"htag_sid={sid}"}) as socket:
            assert socket.receive_json()["action"] == "update"
            socket.send_json({"id": "b", "event": "click", "data": {"callback_id": "c"}})
            assert socket.receive_json()["result"] == 1


async def test_the_app_property_can_be_mounted_too():
    shared = MyApp()
    tab = await Tab(Site(Starlette(routes=[Mount("/htag", shared.app)]), base="/htag/")).load()
    await tab.connect()
    assert await tab.click("b") == 1
    assert shared.count.value == 1
    await tab.leave()


async def test_the_session_of_a_session_middleware_is_there():
    class Remembering(Tag.App):
        def init(self):
            self.request.session["visits"] = self.request.session.get("visits", 0) + 1
            self <= Tag.p(self.request.session["visits"], _id="p")
            self <= Tag.button(_id="b", _onclick=lambda event: event.target.request.session["visits"])

    main = Starlette(
        routes=[Mount("/htag", WebApp(Remembering).app)],
        middleware=[Middleware(SessionMiddleware, secret_key="only for this test")],
    )
    tab = await Tab(Site(main, base="/htag/")).load()
    await tab.connect()
    assert tab.text("p") == "1"
    assert await tab.click("b") == 1
    await tab.leave()
