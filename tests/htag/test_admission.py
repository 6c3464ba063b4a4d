"""Whom the page and the transports take for whom: names of cookies, origins, and what other sites make a browser do."""

import re

import pytest

from htag import Tag, WebApp
from tests.browser import Headers, Refused, Site, Tab


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
        with pytest.raises(Refused):
            await site.websocket("/ws", {"origin": "https://app.example", "host": "backend:8000"})
        assert (await site.get("/stream", {"origin": "https://app.example", "host": "backend:8000"})).status == 403
    (line,) = [record.getMessage() for record in caplog.records if record.name == "htag"]
    assert re.search("https://app.example.*backend:8000.*HTAG_ALLOWED_ORIGINS.*allowed_origins", line)


async def test_such_a_line_is_short_and_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(WebApp(Page).app)
    await site.get()
    with pytest.raises(Refused):
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
        with pytest.raises(Refused):
            await site.websocket("/ws", {"origin": f"{origin}://testserver"})
