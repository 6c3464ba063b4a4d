"""Whom the page and the transports take for whom: names of cookies, origins, and what other sites make a browser do."""

import asyncio
import re

import pytest

from headless.asgi import Headers, Site
from headless.errors import Disconnected
from headless.tab import Tab
from htag import Tag, WebApp
from htag.session import registry
from tests.support.visits import Visit
from tests.support.waiting import passed


class Page(Tag.App):
    def init(self) -> None:
        self.count = 0
        self <= Tag.button("b", _id="b", _onclick=self.more)

    def more(self, event: object) -> int:
        self.count += 1
        return self.count


class At(Site):
    """A browser that calls the app at `host`; its jar, as a real one, knows no ports."""

    def __init__(self, web: WebApp, host: str, jar: dict[str, str]) -> None:
        super().__init__(web.app)
        self.cookies = jar
        self.host = host

    def scope(self, kind, path, headers=None, **more):  # type: ignore[no-untyped-def]
        return super().scope(kind, path, {"host": self.host, **(headers or {})}, **more)


@pytest.mark.parametrize("secrets", [("a", "b"), ("same", "same")])
async def test_two_installations_on_one_host_leave_each_others_sessions_alone(
    transport: str, secrets: tuple[str, str]
) -> None:
    jar: dict[str, str] = {}
    ports = ("8080", "8081")
    tabs = [
        Tab(At(WebApp(Page, secret=secret), f"here:{port}", jar), transport)
        for secret, port in zip(secrets, ports, strict=True)
    ]
    for tab in tabs:
        await tab.load()
        await tab.connect()
    for expected in (1, 2):
        for tab in tabs:
            assert await tab.click("b") == expected
    for tab in tabs:
        await tab.leave()
        await tab.load()
        await tab.connect()
        assert await tab.click("b") == 3, "a reload finds the session of before"
        await tab.leave()
    assert sorted(jar) == ["htag_sid_8080", "htag_sid_8081"]


async def test_a_setting_names_the_cookie() -> None:
    site = Site(WebApp(Page, cookie_name="shop").app)
    await site.get()
    assert list(site.cookies) == ["shop"]


@pytest.mark.parametrize(("page", "rest"), [("here:8080", "backend"), ("here", "backend:9000"), ("a:1", "b:2")])
async def test_a_proxy_may_show_one_host_for_the_page_and_another_for_the_rest(
    transport: str, page: str, rest: str
) -> None:
    site = At(WebApp(Page), page, {})
    tab = await Tab(site, transport).load()
    site.host = rest
    await tab.connect()
    assert await tab.click("b") == 1
    await tab.leave()


async def test_the_session_of_before_an_update_of_ours_is_found_under_its_old_name() -> None:
    web = WebApp(Page)
    old = Site(web.app)
    await old.get()
    new = At(web, "here:8080", dict(old.cookies))
    await new.get()
    assert len(web.instances) == 1
    assert new.cookies["htag_sid_8080"] == old.cookies["htag_sid"]


# -- what other sites make a browser do

NAVIGATION = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.mark.parametrize(
    ("headers", "anew"),
    [
        ({}, True),
        ({"sec-fetch-site": "none", **NAVIGATION}, True),
        ({"sec-fetch-site": "same-origin", **NAVIGATION}, True),
        ({"sec-fetch-site": "cross-site", **NAVIGATION}, False),
        ({"sec-fetch-site": "same-site", **NAVIGATION}, False),
        ({"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, False),
        ({"referer": "http://evil.example/"}, False),
        ({"referer": "http://testserver/"}, True),
    ],
)
async def test_only_our_own_page_or_the_person_ends_a_session(headers: Headers, anew: bool) -> None:
    web = WebApp(Page)
    site = Site(web.app)
    await site.get()
    (before,) = web.instances.values()
    answer = await site.get("/?n", headers)
    (after,) = web.instances.values()
    assert answer.status == 200, "it is a visit in any case"
    assert (after is not before) is anew


# -- origins


async def test_a_refused_origin_is_named_with_the_host_and_the_setting(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(WebApp(Page).app)
    await site.get()
    for _ in range(5):
        with pytest.raises(Disconnected):
            await site.websocket("/ws", {"origin": "https://app.example", "host": "backend:8000"})
        assert (await site.get("/stream", {"origin": "https://app.example", "host": "backend:8000"})).status == 403
    (line,) = [record.getMessage() for record in caplog.records if record.name == "htag"]
    assert re.search("https://app.example.*backend:8000.*HTAG_ALLOWED_ORIGINS.*allowed_origins", line)


async def test_such_a_line_is_short_and_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(WebApp(Page).app)
    await site.get()
    with pytest.raises(Disconnected):
        await site.websocket("/ws", {"origin": "x\nERROR forged" * 1000, "host": "y" * 10000})
    (line,) = [record.getMessage() for record in caplog.records if record.name == "htag"]
    assert "\n" not in line
    assert len(line) < 800


@pytest.mark.parametrize(
    ("scheme", "origin", "taken"), [("wss", "http", False), ("wss", "https", True), ("ws", "https", True)]
)
async def test_a_page_over_http_is_a_stranger_to_a_socket_over_tls(scheme: str, origin: str, taken: bool) -> None:
    web = WebApp(Page)

    async def over(scope, receive, send):  # type: ignore[no-untyped-def]
        await web.app({**scope, "scheme": scheme}, receive, send)

    plain = Site(web.app)
    await plain.get()
    site = Site(over, cookies=plain.cookies)
    if taken:
        await (await site.websocket("/ws", {"origin": f"{origin}://testserver"})).close()
    else:
        with pytest.raises(Disconnected):
            await site.websocket("/ws", {"origin": f"{origin}://testserver"})


# -- a new id at a login


class Login(Page):
    def init(self) -> None:
        super().init()
        self <= Tag.button("in", _id="in", _onclick=lambda event: self.root.renew_session_id())


async def renewed(tab: Tab) -> None:
    """What the browser's script does when it is told `_htag_renew()`."""
    await tab.click("in")
    await tab.until(lambda: "_htag_renew()" in tab.scripts)
    tab.scripts.clear()
    await fetch(tab)


async def fetch(tab: Tab) -> None:
    answer = await tab.site.post("/renew", "", {"x-htag-token": tab.token})
    assert answer.status == 200, answer.text
    tab.token = answer.json["csrf"]


async def test_all_tabs_are_told_of_the_new_id_whichever_asked() -> None:
    web = WebApp(Login)
    site = Site(web.app)
    tabs = [Tab(site, "websocket", 2), Tab(site, "websocket", 2)]
    for tab in tabs:
        await tab.load()
        await tab.connect()
    await tabs[0].click("in")
    for tab in tabs:
        await tab.until(lambda tab=tab: "_htag_renew()" in tab.scripts)  # type: ignore[misc]  # mypy types no default of a lambda
    for tab in tabs:
        await tab.leave()
    await web.registry.close()


def sid(site: Site) -> str:
    return site.cookies["htag_sid"].partition(".")[0]


async def test_a_login_renews_id_and_token_and_the_session_stays(visit: Visit, transport: str) -> None:
    tab = await visit(Login, transport)
    assert await tab.click("b") == 1
    before, token = sid(tab.site), tab.token
    await renewed(tab)
    assert (sid(tab.site) == before, tab.token == token) == (False, False)
    assert await tab.click("b") == 2, "over the channel of before"
    await tab.leave()
    await tab.load()
    await tab.connect()
    assert await tab.click("b") == 3, "and over a new one"


async def test_the_old_id_names_no_session_after_a_while(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "FORMER_SECONDS", 0.1)
    tab = await visit(Login)
    old, token = Site(tab.site.app, cookies=tab.site.cookies), tab.token
    await renewed(tab)
    assert (await old.get("/stream", {"origin": "http://evil.example"})).status == 403
    assert (await old.post("/event", '{"id": "b", "event": "click"}', {"x-htag-token": token})).status == 200
    await passed(0.15)
    assert (await old.post("/event", '{"id": "b", "event": "click"}', {"x-htag-token": token})).status == 404
    assert (await tab.site.post("/event", '{"id": "b", "event": "click"}', {"x-htag-token": token})).status == 403
    assert (await tab.site.post("/event", '{"id": "b", "event": "click"}', {"x-htag-token": tab.token})).status == 200


async def test_each_tab_asks_and_all_have_the_same_id(visit: Visit) -> None:
    tab = await visit(Login)
    other = await Tab(Site(tab.site.app, cookies=tab.site.cookies), "sse").load()
    await other.connect()
    await renewed(tab)
    await other.until(lambda: "_htag_renew()" in other.scripts)
    assert await other.click("b") == 1, "with its old cookie and token, meanwhile"
    other.site.cookies.update(tab.site.cookies)  # as all tabs of a browser share them
    answer = await other.post('{"id": "b", "event": "click"}')
    assert (answer.status, answer.headers["x-htag-token"]) == (200, tab.token), "the old token learns the new one"
    assert "x-htag-token" not in (await tab.post('{"id": "b", "event": "click"}')).headers
    await fetch(other)
    assert (sid(other.site), other.token) == (sid(tab.site), tab.token)
    stale = Tab(tab.site)
    stale.token = tab.token
    await fetch(stale)
    assert sid(tab.site) == sid(other.site), "asking again changes nothing"
    await other.leave()


async def test_two_logins_in_a_row_keep_every_tab(visit: Visit) -> None:
    tab = await visit(Login)
    other = Tab(Site(tab.site.app, cookies=tab.site.cookies))
    other.token = tab.token
    for _ in range(2):
        await renewed(tab)
    await fetch(other)
    assert (sid(other.site), other.token) == (sid(tab.site), tab.token)


async def test_a_page_load_brings_the_new_cookie_too(visit: Visit) -> None:
    tab = await visit(Login)
    before = sid(tab.site)
    tab.app.renew_session_id()
    assert len((await tab.site.get()).set_cookies) == 1
    assert sid(tab.site) != before
    assert tab.app.count == 0
    assert (await tab.site.get()).status == 200


async def test_a_tab_that_was_away_is_told_when_it_is_back(visit: Visit, transport: str) -> None:
    tab = await visit(Login, transport)
    await tab.leave()
    tab.app.renew_session_id()
    await passed(0.1)  # the push that it asks for
    await tab.connect()
    if transport == "http":
        assert await tab.click("b") == 1
    await tab.until(lambda: "_htag_renew()" in tab.scripts)


async def test_a_task_may_ask_for_it(visit: Visit, transport: str) -> None:
    class Later(Login):
        def init(self) -> None:
            super().init()
            self <= Tag.button("later", _id="later", _onclick=self.later)

        async def later(self, event: object) -> None:
            self.task = asyncio.create_task(self.soon())

        async def soon(self) -> None:
            await asyncio.sleep(0.1)
            self.renew_session_id()

    tab = await visit(Later, transport)
    await tab.click("later")
    await tab.until(lambda: "_htag_renew()" in tab.scripts)


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_a_renewal_needs_the_token(visit: Visit, token: str) -> None:
    tab = await visit(Login)
    before = sid(tab.site)
    tab.app.renew_session_id()
    assert (await tab.site.post("/renew", "", {"x-htag-token": token})).status == 403
    assert (await tab.site.post("/renew", "", {"x-htag-token": tab.token, "origin": "http://evil"})).status == 403
    assert (await Site(tab.site.app).post("/renew", "", {"x-htag-token": tab.token})).status == 400
    assert sid(tab.site) == before


async def test_a_shared_instance_and_a_page_that_is_just_made_have_nothing_to_renew(visit: Visit) -> None:
    class Eager(Login):
        def init(self) -> None:
            super().init()
            self.renew_session_id()

    tab = await visit(Eager)
    assert tab.scripts == []
    shared = await visit(Login())
    with pytest.raises(RuntimeError, match="everybody"):
        shared.app.renew_session_id()
    assert (await shared.site.post("/renew", "", {"x-htag-token": shared.token})).status == 404


async def test_a_session_that_ends_leaves_nothing_of_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "FORMER_SECONDS", 0.05)
    web = WebApp(Login)
    tab = await Tab(Site(web.app)).load()
    await tab.connect()
    (app,) = web.instances.values()
    (session,) = web.registry.sessions.values()
    old = Site(web.app, cookies=tab.site.cookies)
    await renewed(tab)
    app.renew_session_id()
    await tab.leave()
    await tab.load("?n")
    assert (await old.get("/stream")).status == 404
    app.renew_session_id()
    assert not session.renewing, "nobody waits for the new id of a session that is gone"
    await passed(0.1)
    assert (await tab.site.get()).status == 200
