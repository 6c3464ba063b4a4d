"""Contract, sections 18 and 19: `WebApp`, its routes, cookies and pages."""

import re

import pytest
from starlette.applications import Starlette

from headless.asgi import Site
from headless.errors import Disconnected
from headless.tab import Tab
from htag import State, Tag, WebApp

TOKEN = re.compile(r'window\.HTAG_CSRF\s*=\s*"([^"]+)"')


class Page(Tag.App):
    def init(self):
        self.count = State(0)
        self <= Tag.p(self.count, _id="p")
        self <= Tag.button(_id="b", _onclick=self.more)

    def more(self, event):
        self.count.value += 1
        return self.count.value


def browse(entity=Page, **options):
    web = WebApp(entity, **options)
    return web, Site(web.app)


# -- WebApp


def test_app_is_a_starlette_application():
    assert isinstance(WebApp(Page).app, Starlette)


def test_its_attributes():
    web = WebApp(Page, debug=False)
    assert web.tag_entity is Page
    assert web.debug is False
    assert web.parano_key is None
    assert web.exit_on_disconnect is False
    assert len(web.instances) == 0


def test_parano_makes_one_key_of_sixteen_hex_characters():
    assert re.fullmatch("[0-9a-f]{16}", WebApp(Page, parano=True).parano_key)


async def test_instances_are_kept_by_session_id():
    web, site = browse()
    await site.get()
    ((sid, instance),) = web.instances.items()
    assert isinstance(instance, Page)
    assert sid


async def test_one_instance_per_session():
    web, site = browse()
    await site.get()
    await site.get()
    assert len(web.instances) == 1
    await Site(web.app).get()
    assert len(web.instances) == 2


async def test_an_instance_is_shared_by_everybody():
    shared = Page()
    web, site = browse(shared)
    one, other = await Tab(site).load(), await Tab(Site(web.app)).load()
    await one.connect()
    await other.connect()
    await one.click("b")
    await other.until(lambda: other.text("p") == "1")
    await one.leave()
    await other.leave()


@pytest.mark.mended
async def test_a_shared_instance_serves_the_posts_of_all_visitors():
    web, site = browse(Page())
    one = await Tab(site, "http").load()
    other = await Tab(Site(web.app), "http").load()
    assert await one.click("b") == 1
    assert await other.click("b") == 2


@pytest.mark.mended
async def test_results_in_a_shared_instance_go_to_the_one_who_asked():
    web, site = browse(Page())
    one, other = await Tab(site).load(), await Tab(Site(web.app)).load()
    await one.connect()
    await other.connect()
    assert await one.click("b") == 1
    await other.until(lambda: other.text("p") == "1")
    assert not any("result" in message for message in other.messages)
    await one.leave()
    await other.leave()


async def test_on_instance_with_one_parameter():
    born = []
    web, site = browse(on_instance=lambda instance: born.append((instance, instance.count)))
    await site.get()
    await site.get()
    ((instance, count),) = born
    assert instance in web.instances.values()
    assert count.value == 0


async def test_on_instance_with_two_parameters_gets_the_request_too():
    born = []
    _, site = browse(on_instance=lambda instance, request: born.append((instance, request)))
    await site.get("/?who=ann")
    ((instance, request),) = born
    assert isinstance(instance, Page)
    assert request.query_params["who"] == "ann"


async def test_on_instance_runs_after_init_and_before_the_mount_walk():
    log = []

    class Noting(Tag.App):
        def init(self):
            log.append("init")

        def on_mount(self):
            log.append("mount")

    _, site = browse(Noting, on_instance=lambda instance: log.append("on_instance"))
    await site.get()
    assert log == ["init", "on_instance", "mount"]


async def test_debug_reaches_the_instance():
    for debug in (True, False):
        web, site = browse(debug=debug)
        await site.get()
        (instance,) = web.instances.values()
        assert instance.debug is debug


# -- the page


async def test_get_is_a_page():
    answer = await browse()[1].get()
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.lstrip().lower().startswith("<!doctype html>")


async def test_the_order_of_the_page(visit):
    class Ordered(Tag.App):
        statics = Tag.style(".own{}")

    page = (await visit(Ordered, connect=False)).page
    places = ["<html", "<head", "charset", "<title", "viewport", "icon", "HTAG_CSRF", ".own{}", "<body"]
    assert [page.index(place) for place in places] == sorted(page.index(place) for place in places)


async def test_the_page_has_one_element_of_each_kind(visit):
    tab = await visit(Page, connect=False)
    for name in ("html", "head", "body", "title"):
        tab.document.root.one(name)
    assert tab.body.parent is tab.document.root.one("html")
    assert tab.element("p").text == "0"


async def test_the_three_variables_are_written_to_be_found(visit):
    page = (await visit(Page, connect=False)).page
    assert "window.HTAG_RELOAD = false;" in page
    assert "window.PARANO = null;" in page
    assert re.fullmatch("[0-9a-f]{32}", TOKEN.search(page)[1])


@pytest.mark.mended
async def test_the_client_script_is_a_cached_file():
    _, site = browse()
    page = (await site.get()).text
    (source,) = re.findall(r'<script src="(htag\.js\?v=[^"]+)"', page)
    script = await site.get("/" + source)
    assert script.status == 200
    assert "javascript" in script.headers["content-type"]
    assert "immutable" in script.headers["cache-control"]
    assert "htag_event" in script.text


async def test_the_body_is_the_app_as_it_is_now():
    _, site = browse()
    tab = await Tab(site, "http").load()
    await tab.click("b")
    assert (await tab.load()).text("p") == "1"


async def test_a_changed_page_answers_with_the_render_of_each_reload():
    web, site = browse()
    await site.get()
    (instance,) = web.instances.values()
    instance.count.value = 9
    assert ">9</p>" in (await site.get()).text


@pytest.mark.parametrize("debug", [True, False])
async def test_a_render_error_shows_an_error_page(debug):
    class Failing(Tag.App):
        def init(self):
            self <= (lambda: 1 / 0)

    _, site = browse(Failing, debug=debug)
    answer = await site.get()
    if debug:
        assert "Initial Render Error" in answer.text
        assert "ZeroDivisionError" in answer.text
    else:
        assert "Internal Server Error" in answer.text
        assert "ZeroDivisionError" not in answer.text


@pytest.mark.mended
async def test_a_traceback_in_the_error_page_cannot_break_out():
    class Failing(Tag.App):
        def init(self):
            self <= (lambda: {}["</script><script>alert(1)</script>"])

    answer = await browse(Failing, debug=True)[1].get()
    assert "<script>alert(1)" not in answer.text


@pytest.mark.mended
async def test_an_error_page_is_not_200():
    class Failing(Tag.App):
        def init(self):
            self <= (lambda: 1 / 0)

    assert (await browse(Failing)[1].get()).status == 500


# -- other routes


@pytest.mark.parametrize("path", ["/favicon.ico", "/logo.png", "/logo.jpg"])
async def test_the_logo(path):
    answer = await browse()[1].get(path)
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.body.startswith(b"\x89PNG")


@pytest.mark.parametrize(("method", "path"), [("POST", "/"), ("GET", "/event"), ("POST", "/stream"), ("DELETE", "/")])
async def test_a_wrong_method_is_405(method, path):
    assert (await browse()[1].request(method, path)).status == 405


@pytest.mark.parametrize("path", ["/nothing", "/ws", "/htag"])
async def test_an_unknown_path_is_404(path):
    assert (await browse()[1].get(path)).status == 404


# -- cookies and sessions


async def test_the_session_cookie_is_sent_with_every_page():
    _, site = browse()
    for _ in range(2):
        answer = await site.get()
        (cookie,) = answer.set_cookies
        assert cookie.startswith("htag_sid=")
        assert "path=/" in cookie.lower()
        assert "samesite=lax" in cookie.lower()
        assert "max-age" not in cookie.lower()
        assert "expires" not in cookie.lower()


@pytest.mark.mended
async def test_the_session_cookie_is_http_only_and_secure_behind_tls():
    _, site = browse()
    (cookie,) = (await site.get()).set_cookies
    assert "httponly" in cookie.lower()
    assert "secure" not in cookie.lower()
    web, _ = browse()
    secure = Site(_behind_tls(web.app))
    (cookie,) = (await secure.get()).set_cookies
    assert "secure" in cookie.lower()


def _behind_tls(app):
    async def wrapped(scope, receive, send):
        await app({**scope, "scheme": "https"}, receive, send)

    return wrapped


@pytest.mark.mended
@pytest.mark.parametrize("sid", ["", "x", "00000000-0000-4000-8000-000000000000", "a.b.c", "é"])
async def test_a_session_id_that_we_did_not_make_is_nobodys(sid):
    web, _ = browse()
    site = Site(web.app, cookies={"htag_sid": sid})
    await site.get()
    assert site.cookies["htag_sid"] != sid
    assert sid not in web.instances
    assert len(web.instances) == 1


@pytest.mark.mended
async def test_a_session_id_with_one_character_changed_is_nobodys():
    web, site = browse()
    await site.get()
    good = site.cookies["htag_sid"]
    forged = ("A" if good[0] != "A" else "B") + good[1:]
    other = Site(web.app, cookies={"htag_sid": forged})
    await other.get()
    assert other.cookies["htag_sid"] not in (good, forged)


@pytest.mark.mended
async def test_nothing_but_get_of_the_page_makes_a_session():
    web, site = browse()
    assert (await site.request("HEAD", "/")).status == 200
    for path in ("/favicon.ico", "/logo.png", "/nothing", "/stream"):
        await site.get(path)
    await site.post("/event", "{}")
    with pytest.raises(Disconnected):
        await site.websocket("/ws")
    stale = Site(web.app, cookies={"htag_sid": "unknown"})
    await stale.get("/stream")
    await stale.post("/event", "{}")
    assert len(web.instances) == 0


async def test_a_websocket_without_a_cookie_is_closed_before_accept():
    with pytest.raises(Disconnected) as refused:
        await browse()[1].websocket("/ws")
    assert not refused.value.accepted


@pytest.mark.mended
async def test_a_websocket_of_an_unknown_session_is_accepted_then_closed_with_4404():
    socket = await Site(browse()[0].app, cookies={"htag_sid": "unknown"}).websocket("/ws")
    with pytest.raises(Disconnected) as refused:
        await socket.receive()
    assert refused.value.code == 4404


@pytest.mark.parametrize("path", ["/stream", "/event"])
async def test_without_a_cookie_stream_and_event_answer_400(path):
    site = browse()[1]
    answer = await (site.get(path) if path == "/stream" else site.post(path, "{}"))
    assert (answer.status, answer.text) == (400, "No session cookie")


@pytest.mark.mended
@pytest.mark.parametrize("path", ["/stream", "/event"])
async def test_of_an_unknown_session_stream_and_event_answer_404(path):
    site = Site(browse()[0].app, cookies={"htag_sid": "unknown"})
    answer = await (site.get(path) if path == "/stream" else site.post(path, "{}"))
    assert (answer.status, answer.text) == (404, "Unknown session")


@pytest.mark.mended
async def test_after_n_the_old_tabs_channel_is_closed(visit):
    tab = await visit(Page)
    other = Tab(tab.site)
    await other.load("?n")
    await other.connect()
    assert other.text("p") == "0"
    await other.leave()
    with pytest.raises(Disconnected):
        await tab.until(lambda: False)
    tab.channel = None


# -- htag_mode


@pytest.mark.parametrize(
    ("mode", "websocket", "sse"),
    [("http", True, True), ("sse", True, False), ("anything", False, False), ("", False, False)],
)
async def test_the_mode_cookie_makes_channels_fail(mode, websocket, sse):
    site = Site(browse()[0].app, cookies={"htag_mode": mode})
    page = (await site.get()).text
    assert bool(re.search(r"window\.WebSocket\s*=", page.split('<script src="htag.js')[0])) is websocket
    assert bool(re.search(r"window\.EventSource\s*=", page.split('<script src="htag.js')[0])) is sse


# -- posts


async def test_a_post_needs_the_token(visit):
    tab = await visit(Page, transport="http")
    for token in ("", "wrong", tab.token[:-1], tab.token + "0", "é"):
        tab.token, right = token, tab.token
        answer = await tab.post('{"id": "b", "event": "click"}')
        assert answer.status == 403
        assert "CSRF Token mismatch" in answer.text
        tab.token = right
    assert (await tab.post('{"id": "b", "event": "click"}')).status == 200


async def test_a_post_of_another_session_does_not_fit(visit):
    tab = await visit(Page, transport="http")
    stranger = await Tab(Site(tab.site.app), "http").load()
    assert stranger.token != tab.token
    stranger.token = tab.token
    assert (await stranger.post("{}")).status == 403


async def test_a_post_without_fallback_is_answered_at_once(visit):
    tab = await visit(Page, transport="sse")
    answer = await tab.post('{"id": "b", "event": "click", "data": {"callback_id": "c"}}')
    assert answer.json == {"status": "ok"}
    await tab.until(lambda: tab.messages[-1].get("callback_id") == "c")
    assert tab.text("p") == "1"


async def test_a_post_with_fallback_is_answered_with_payloads(visit):
    tab = await visit(Page, transport="http")
    answer = await tab.post('{"id": "b", "event": "click", "data": {"callback_id": "c"}, "fallback": true}')
    assert answer.json["status"] == "ok"
    assert all(isinstance(payload, str) for payload in answer.json["payloads"])
    assert any('"callback_id"' in payload for payload in answer.json["payloads"])


BAD_BODIES = ["", "{", "[]", "5", "null", '"text"', b"\xff\xfe", "[" * 10_000]


@pytest.mark.mended
@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("body", BAD_BODIES)
async def test_a_malformed_body_is_400_with_a_fixed_text(visit, body, debug):
    tab = await visit(Page, transport="http", debug=debug)
    answer = await tab.post(body)
    assert answer.status == 400
    first = answer.text
    assert (await tab.post("{]")).text == first


@pytest.mark.mended
async def test_a_body_that_is_too_large_is_refused(visit):
    tab = await visit(Page, transport="http")
    assert (await tab.post('{"id": "' + "x" * (1 << 20) + '"}')).status == 413
    assert await tab.click("b") == 1


# -- origin


@pytest.mark.mended
@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://testserver", True),
        ("https://evil.example", False),
        ("null", False),
        ("http://testserver.evil.example", False),
    ],
)
async def test_the_origin_of_a_websocket_and_of_a_post_must_be_ours(visit, origin, allowed):
    tab = await visit(Page, connect=False)
    headers = {"origin": origin}
    posted = await tab.site.post("/event", '{"id": "b"}', {**headers, "x-htag-token": tab.token})
    assert posted.status == (200 if allowed else 403)
    if allowed:
        await (await tab.site.websocket("/ws", headers)).close()
    else:
        with pytest.raises(Disconnected) as refused:
            await tab.site.websocket("/ws", headers)
        assert not refused.value.accepted


@pytest.mark.mended
async def test_other_origins_may_be_allowed(visit):
    tab = await visit(Page, connect=False, allowed_origins=["https://friend.example"])
    headers = {"origin": "https://friend.example"}
    assert (await tab.site.post("/event", "{}", {**headers, "x-htag-token": tab.token})).status == 200
    await (await tab.site.websocket("/ws", headers)).close()


# -- limits


@pytest.mark.mended
async def test_more_sessions_than_allowed_are_refused_and_known_ones_never():
    from htag.limits import Limits

    web = WebApp(Page, limits=Limits(max_sessions=1))
    site = Site(web.app)
    assert (await site.get()).status == 200
    busy = await Site(web.app).get()
    assert busy.status == 503
    assert int(busy.headers["retry-after"]) > 0
    assert (await site.get()).status == 200


@pytest.mark.mended
async def test_pressure_refuses_newcomers_only():
    reasons = [None, "memory", "memory"]
    web = WebApp(Page, pressure=lambda: reasons.pop(0))
    site = Site(web.app)
    assert (await site.get()).status == 200
    assert (await Site(web.app).get()).status == 503
    assert (await site.get()).status == 200
