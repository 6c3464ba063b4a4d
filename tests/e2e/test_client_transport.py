"""htag.js: how it stays connected."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page

from tests.e2e.button_page import BODY, FORCED, STATE, count_clicks, reach
from tests.e2e.dialog import SHOWN_ERROR
from tests.e2e.page_clock import comes_in_time
from tests.e2e.wire_server import WireServer
from tests.support.waiting import LOOP_SECONDS, until

Serve = Callable[..., Awaitable[WireServer]]

# -- every transport


@pytest.mark.parametrize("transport", STATE)
@pytest.mark.parametrize(("prefix", "parano"), [("", None), ("/sub/path", "0123456789abcdef")])
async def test_a_click_over_each_transport(
    page: Page, serve: Serve, transport: str, prefix: str, parano: str | None
) -> None:
    server = await serve(BODY, head=FORCED[transport], prefix=prefix, parano=parano)
    count_clicks(server)
    await page.goto(server.url)
    await reach(page, transport)
    for number in (1, 2):
        await page.click("#b")
        assert await page.evaluate("answer") == number
        assert await page.inner_text("#b") == str(number)
    assert await page.evaluate("[use_fallback, use_pure_http]") == [transport != "ws", transport == "http"]
    names = {*server.tabs, *(headers["x-htag-tab"] for headers in server.headers)}
    assert len(names) == 1
    assert re.fullmatch("[a-z0-9]{10,30}", names.pop())
    if transport != "ws":
        assert server.headers[-1]["content-type"] == "application/json"
        assert server.headers[-1]["x-htag-token"] == "c" * 32


@pytest.mark.parametrize("transport", STATE)
async def test_pushes_over_each_transport(page: Page, serve: Serve, transport: str) -> None:
    server = await serve(BODY, head=FORCED[transport])
    await page.goto(server.url)
    await reach(page, transport)
    if transport != "http":
        await until(lambda: server.connected)
    server.push(updates={"b": "<button id=b>pushed</button>"})
    await page.wait_for_function("b.textContent === 'pushed'")


@pytest.mark.parametrize("transport", STATE)
async def test_events_keep_their_order(page: Page, serve: Serve, transport: str) -> None:
    server = await serve(BODY, head=FORCED[transport])
    await page.goto(server.url)
    await reach(page, transport)
    await page.evaluate("Promise.all([...Array(30).keys()].map(n => htag_event('b', 'n', n)))")
    assert server.events() == [("b", "n", n) for n in range(30)]


async def test_the_page_says_what_revision_it_shows(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    await page.goto(server.url)
    await reach(page, "ws")
    await page.evaluate("fallback()")
    await reach(page, "sse")
    assert server.attempts == ["ws?rev=7", "stream?rev=7"]


async def test_by_hand_down_and_up_again(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    count_clicks(server)
    await page.goto(server.url)
    await reach(page, "ws")
    for number, (call, transport) in enumerate(
        [("fallback", "sse"), ("fallback_pure_http", "http"), ("init_ws", "ws")], 1
    ):
        await page.evaluate(f"{call}()")
        await reach(page, transport)
        await page.wait_for_timeout(300)  # it stays: nothing climbs by itself
        await reach(page, transport)
        await page.click("#b")
        assert await page.evaluate("answer") == number
    assert server.connected == 1


# -- falling and climbing


async def test_without_websocket_it_uses_sse_and_climbs_back(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY)
    server.socket = "refuse"
    await page.goto(server.url)
    await reach(page, "sse")
    server.socket = "accept"
    await comes_in_time(page, STATE["ws"])
    await page.wait_for_function("sse === null && !use_fallback")
    await until(lambda: server.connected == 1)
    assert server.pages == 1


async def test_without_both_it_uses_http_and_climbs_over_sse_to_websocket(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY)
    server.socket = server.stream = "refuse"
    await page.goto(server.url)
    await reach(page, "http")
    server.stream = "accept"
    await comes_in_time(page, STATE["sse"])
    server.socket = "accept"
    await comes_in_time(page, STATE["ws"])
    assert await page.evaluate("[use_fallback, use_pure_http]") == [False, False]


async def test_a_socket_that_never_opens_ends_in_sse_after_the_timeout(page: Page, serve: Serve) -> None:
    server = await serve(BODY, head="<script>addEventListener('DOMContentLoaded', () => HTAG_TIMEOUT = 300)</script>")
    server.socket = "hang"
    await page.goto(server.url)
    await reach(page, "sse")
    assert server.attempts[:2] == ["ws?rev=7", "stream?rev=7"], "one that is silent needs no second chance"


# when the page last began to open a socket, and how often it has
NOTE_OPENINGS = """<script>{
    window.openings = 0;
    const Real = WebSocket;
    window.WebSocket = class extends Real {
        constructor(url) {
            super(url);
            openings++;
            window.opened = performance.now();
        }
    };
}</script>"""
AT_ONCE = 1000  # ms at most, of the page's time: where it has tried so often, it waits 2.5 s at least


async def tries(page: Page, often: int) -> None:
    """Put the page's clock forward until it has tried so often to connect, in vain."""
    while await page.evaluate("openings") < often:
        await page.wait_for_function("ws === null")  # a server's refusal takes its time
        await page.clock.run_for(500)
    await page.wait_for_function("ws === null")


@pytest.mark.parametrize("event", ["online", "visibilitychange"])
async def test_a_tab_that_is_looked_at_again_reconnects_at_once(page: Page, serve: Serve, event: str) -> None:
    await page.clock.install()
    server = await serve(BODY, head=NOTE_OPENINGS)
    server.socket = "refuse"
    await page.goto(server.url)
    await reach(page, "sse")
    await tries(page, 9)
    server.socket = "accept"
    target = "window" if event == "online" else "document"
    await page.evaluate(f"window.looked = performance.now(); {target}.dispatchEvent(new Event('{event}'))")
    await page.wait_for_function(STATE["ws"])
    assert 0 <= await page.evaluate("opened - looked") < AT_ONCE


async def test_a_tab_that_is_looked_at_while_it_tries_in_vain_tries_again_at_once(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY, head=NOTE_OPENINGS)
    server.socket = "refuse"
    await page.goto(server.url)
    await reach(page, "sse")
    await tries(page, 8)
    server.socket = "refuse late"
    before = len(server.attempts)
    await comes_in_time(page, "ws !== null")
    await until(lambda: len(server.attempts) > before)
    await page.evaluate("ws?.addEventListener('close', () => (window.refused = performance.now()))")
    await page.evaluate("window.refused = performance.now(); document.dispatchEvent(new Event('visibilitychange'))")
    server.socket = "accept"
    server.late.set()
    await page.wait_for_function(STATE["ws"])
    assert await page.evaluate("opened - refused") < AT_ONCE


async def test_http_that_works_again_is_a_reason_to_try_the_socket_at_once(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY, head=NOTE_OPENINGS)
    server.socket = server.stream = "refuse"
    server.post = "500"
    await page.goto(server.url)
    await tries(page, 9)
    await page.evaluate("document.addEventListener('htag-connected', () => (window.served ??= performance.now()))")
    server.socket = server.post = "accept"
    await comes_in_time(page, STATE["ws"])
    assert await page.evaluate("opened - served") < AT_ONCE


@pytest.mark.parametrize("death", ["stop", "die"])
async def test_the_server_restarts_and_the_page_stays(page: Page, serve: Serve, death: str) -> None:
    server = await serve(BODY)
    count_clicks(server)
    await page.goto(server.url)
    await reach(page, "ws")
    await getattr(server, death)()
    await page.evaluate("window.stayed = true")
    server.initial = {"updates": {"app": BODY.replace(">0<", ">fresh<")}}
    await server.start()
    await page.wait_for_function("b.textContent === 'fresh'")
    await reach(page, "ws")
    await page.click("#b")
    assert await page.evaluate("answer") == 1
    assert (await page.evaluate("stayed"), server.pages) == (True, 1)


async def test_a_socket_that_breaks_is_replaced_by_a_socket(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    await page.goto(server.url)
    for count in range(1, 3):
        await until(lambda count=count: server.connected and len(server.attempts) == count)
        server.cut()
    await until(lambda: len(server.attempts) == 3)
    assert set(server.attempts) == {"ws?rev=7"}
    assert len(set(server.tabs)) == 1


async def test_a_server_that_hangs_up_at_once_is_not_hammered(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    await page.goto(server.url)
    await reach(page, "ws")
    await page.evaluate("""
        window.openings = window.waited = window.closed = 0;
        const Real = WebSocket;
        window.WebSocket = class extends Real {
            constructor(url) {
                super(url);
                if (openings++) waited += performance.now() - closed;
                this.addEventListener('open', () => this.close());
                this.addEventListener('close', () => (closed = performance.now()));
            }
        };
        ws.close()""")
    await page.wait_for_function("openings >= 7")
    assert await page.evaluate("waited") > 1000, "ms: at least half of the sum of six delays, which is 2850"


async def test_development_reloads_when_the_server_is_back(page: Page, serve: Serve) -> None:
    server = await serve(BODY, head="<script>HTAG_RELOAD = true</script>")
    await page.goto(server.url)
    await reach(page, "ws")
    await server.die()
    server.body = BODY.replace(">0<", ">new code<")
    await server.start()
    await page.wait_for_function("window.b?.textContent === 'new code'")
    assert server.pages == 2


# -- events without a connection


async def test_events_wait_for_the_connection_and_keep_their_order(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    await page.goto(server.url)
    await reach(page, "ws")
    await server.die()
    await page.wait_for_function("ws === null || ws.readyState !== 1")
    await page.evaluate("window.all = Promise.all([1, 2, 3, 4].map(n => htag_event('b', 'n', n))); 0")
    server.reply = lambda event: {"result": event["data"]["value"] * 10}
    await server.start()
    assert await page.evaluate("all") == [10, 20, 30, 40]
    assert [value for _, _, value in server.events()] == [1, 2, 3, 4]


async def test_what_is_typed_while_disconnected_stays_in_the_field(page: Page, serve: Serve) -> None:
    body = "<body id=app><div><input id=i oninput=\"htag_event('i','input',event)\"></div></body>"
    server = await serve(body)
    await page.goto(server.url)
    await reach(page, "ws")
    await page.type("#i", "ab")
    await until(lambda: len(server.seen) == 2)
    await server.die()
    await page.wait_for_function("ws === null || ws.readyState !== 1")
    await page.type("#i", "cd")
    server.initial = {"updates": {"app": body.replace("<input", "<input value=ab class=fresh")}}
    await server.start()
    await until(lambda: len(server.seen) == 4)
    await page.wait_for_selector("input.fresh")
    assert await page.evaluate("[i.value, document.activeElement.id, i.selectionStart]") == ["abcd", "i", 4]
    assert [value for _, _, value in server.events()] == ["a", "ab", "abc", "abcd"]


async def test_too_many_events_are_refused_but_the_last_word_typed_counts(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    await page.goto(server.url)
    await reach(page, "ws")
    await server.die()
    await page.wait_for_function("ws === null || ws.readyState !== 1")
    await page.evaluate("for (let n = 0; n < 499; n++) void htag_event('b', 'n', n)")
    values = await page.evaluate(
        "Promise.race([Promise.all([htag_event('b', 'input', 'a'), htag_event('b', 'n', 'too many')].slice(1)),"
        "new Promise(done => setTimeout(done, 2000, 'pending'))])"
    )
    assert values == [None]
    await page.evaluate("window.last = htag_event('b', 'input', 'ab'); 0")
    await server.start()
    await page.evaluate("last")
    assert [value for _, _, value in server.events()] == [*range(499), "ab"]


@pytest.mark.parametrize("transport", ["ws", "sse", "http"])
async def test_where_events_are_not_counted_an_unanswered_one_ends_with_null_and_is_never_sent_again(
    page: Page, serve: Serve, transport: str
) -> None:
    server = await serve(BODY, head=FORCED[transport], version=1)
    server.reply = lambda event: None
    server.delay = 0.3 if transport == "http" else 0
    await page.goto(server.url)
    await reach(page, transport)
    await page.evaluate("window.answer = htag_event('b', 'once'); 0")
    await until(lambda: server.seen or len(server.headers) > 1)
    server.cut()
    assert await page.evaluate("answer") is None
    server.reply = lambda event: {"result": "R"}
    server.delay = 0
    assert await page.evaluate("htag_event('b', 'next')") == "R"
    # Chromium itself repeats a POST whose kept-alive connection breaks; the server can tell by its callback id
    sent = [message["data"]["callback_id"] for message in server.seen if message["event"] == "once"]
    assert len(sent) == 1 or (transport == "http" and len(set(sent)) <= 1)


async def test_an_http_answer_of_version_1_without_the_result_settles_the_promise(page: Page, serve: Serve) -> None:
    server = await serve(BODY, head=FORCED["http"], version=1)
    server.reply = lambda event: None
    await page.goto(server.url)
    await reach(page, "http")
    assert await page.evaluate("htag_event('b', 'unanswered')") is None


@pytest.mark.parametrize("transport", ["sse", "http"])
async def test_a_refused_post_settles_the_promise_and_is_shown(page: Page, serve: Serve, transport: str) -> None:
    server = await serve(BODY, head=FORCED[transport])
    await page.goto(server.url)
    await reach(page, transport)
    await page.evaluate("htag_event('b', 'fine')")
    server.post = "403"
    assert await page.evaluate("htag_event('b', 'refused')") is None
    assert (await page.evaluate(SHOWN_ERROR))[0] == "HTTP Error"
    assert "403" in (await page.evaluate(SHOWN_ERROR))[1]


async def test_a_failed_request_settles_the_promise_and_is_shown(page: Page, serve: Serve) -> None:
    server = await serve(BODY, head=FORCED["sse"])
    await page.goto(server.url)
    await reach(page, "sse")
    await page.route("**/event*", lambda route: route.abort())
    assert await page.evaluate("htag_event('b', 'lost')") is None
    assert (await page.evaluate(SHOWN_ERROR))[0] == "Network Error"


# -- a session that is gone


UNLUCKY = "<script>Math.random = () => 0.99</script>"  # a delay is half as long again: 1.5 s before the first reload


async def loaded(page: Page, server: WireServer, often: int) -> None:
    """Put the page's clock forward until it has been loaded so often, and show it."""
    await page.evaluate("window.former = true")
    async with asyncio.timeout(LOOP_SECONDS):
        while server.pages < often:
            await page.clock.run_for(250)
            await page.wait_for_timeout(100)  # what the page asks for meanwhile takes its time
    await page.wait_for_function("!window.former && window._error_overlay")


@pytest.mark.parametrize("transport", STATE)
async def test_an_unknown_session_reloads_the_page(page: Page, serve: Serve, transport: str) -> None:
    await page.clock.install()
    server = await serve(BODY, head=UNLUCKY + FORCED[transport])
    await page.goto(server.url)
    await reach(page, transport)
    server.socket = server.stream = server.post = "unknown"
    server.cut()
    await loaded(page, server, 2)
    await page.wait_for_function("window._error_overlay?.hasAttribute('show')")
    assert "Trying again" in (await page.evaluate(SHOWN_ERROR))[1]
    await page.clock.run_for(2500)  # longer than the first reload took
    assert server.pages == 2
    server.socket = server.stream = server.post = "accept"
    await loaded(page, server, 3)
    await reach(page, transport)
    assert await page.evaluate("htag_event('b', 'x')") is None
    await page.wait_for_selector("htag-notice", state="attached")  # later.js is there
    await page.clock.run_for(5500)  # it lasts: what was before does not count any more
    server.socket = server.stream = server.post = "unknown"
    server.cut()
    began = await page.evaluate("Date.now()")
    await loaded(page, server, 4)
    assert await page.evaluate("Date.now()") - began < 6500, "after 2 s and not after 8 s"


async def test_a_session_that_grew_too_large_is_not_asked_for_again_and_the_page_says_why(
    page: Page, serve: Serve
) -> None:
    await page.clock.install()
    server = await serve(BODY, head=NOTE_OPENINGS)
    await page.goto(server.url)
    await reach(page, "ws")
    server.socket = "too large"
    server.cut()
    await page.wait_for_function("window._error_overlay?.hasAttribute('show')")
    openings = await page.evaluate("openings")
    await page.clock.run_for(60_000)
    assert await page.evaluate("openings") == openings
    assert server.pages == 1
    assert (await page.evaluate(SHOWN_ERROR))[1] == "This page was closed"
    assert await page.evaluate("htag_event('b', 'x')") is None


@pytest.mark.parametrize("transport", STATE)
async def test_answers_of_sessions_that_do_not_last_do_not_release_the_brake(
    page: Page, serve: Serve, transport: str
) -> None:
    await page.clock.install()
    server = await serve(BODY, head=UNLUCKY + FORCED[transport])
    await page.goto(server.url)
    for often in (2, 3, 4):
        await reach(page, transport)
        assert await page.evaluate("htag_event('b', 'x')") is None  # an answer
        server.socket = server.stream = server.post = "unknown"
        server.cut()
        await page.wait_for_function(IS_LEFT)
        server.socket = server.stream = server.post = "accept"
        if often < 4:
            await loaded(page, server, often)
    await page.clock.run_for(15_000)
    assert server.pages == 3, "the first, one soon after, one later; and half a minute is not over"


IS_LEFT = "document.documentElement?.dataset.htagConnection === 'left'"


async def test_reloading_goes_on_while_the_server_forgets_again_and_again_but_ever_later(
    page: Page, serve: Serve
) -> None:
    await page.clock.install()
    server = await serve(BODY, head="<script>Math.random = () => 0.5</script>")  # no delay is a matter of chance
    server.socket = "unknown"
    await page.goto(server.url)
    for often, seconds in enumerate([1, 5, 20, 60, 60], 1):
        await page.wait_for_function(f"!window.former && {IS_LEFT}")
        await page.evaluate("window.former = true")
        if seconds > 1:
            await page.wait_for_function("_error_overlay.trace?.textContent.includes('Trying again soon')")
            await page.clock.run_for(500 * seconds)
            assert server.pages == often
        await page.clock.run_for(500 * seconds)
        await loaded(page, server, often + 1)


async def test_where_cookies_are_blocked_it_reloads_once_and_says_so(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY, head=FORCED["http"])
    server.post = "blocked"
    await page.goto(server.url)
    await loaded(page, server, 2)
    await page.wait_for_function("window._error_overlay?.trace?.textContent.includes('cookies blocked?')")
    await page.clock.run_for(60_000)
    assert server.pages == 2
