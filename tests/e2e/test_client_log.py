"""htag.js: each event counts once, whatever becomes of connections, servers and the page."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page

from tests.e2e.button_page import BODY, FORCED, STATE, count_clicks, reach
from tests.e2e.dialog import SHOWN_ERROR
from tests.e2e.page_clock import comes_in_time
from tests.e2e.wire_server import WireServer
from tests.support.waiting import until

Serve = Callable[..., Awaitable[WireServer]]
CLICKS = 100
# a hundred clicks of a person who does not wait for answers
CLICK = f"""window.stayed = true; window.results = []; window.all = (async () => {{
    const answers = [];
    for (let n = 1; n <= {CLICKS}; n++) {{
        answers.push(htag_event('b', 'click', n).then((result) => results.push([n, result])));
        await new Promise((done) => setTimeout(done, 10));
    }}
    await Promise.all(answers);
}})(); 0"""


async def visit(page: Page, server: WireServer, transport: str = "ws") -> None:
    await page.goto(server.url)
    await reach(page, transport)


def echo(server: WireServer) -> None:
    server.reply = lambda event: {"result": event["data"]["value"]}


def said(server: WireServer, path: str = "ws") -> list[dict[str, Any]]:
    return [hello for hello in server.hellos if hello["path"] == path]


# -- exactly once


@pytest.mark.parametrize("transport", STATE)
async def test_connections_that_break_cost_no_click_and_count_none_twice(
    page: Page, serve: Serve, transport: str
) -> None:
    server = await serve(BODY, head=FORCED[transport])
    echo(server)
    await visit(page, server, transport)
    await page.evaluate(CLICK)
    for _ in range(6):
        await asyncio.sleep(0.3)
        server.cut()
    await page.evaluate("all")
    assert [value for _, _, value in server.events()] == list(range(1, CLICKS + 1))
    assert sorted(await page.evaluate("results")) == [[n, n] for n in range(1, CLICKS + 1)]
    assert await page.evaluate("stayed")
    assert server.pages == 1
    assert server.gaps == [] or transport != "ws"


@pytest.mark.parametrize("transport", STATE)
async def test_an_event_that_made_elements_says_so_when_it_is_sent_again(
    page: Page, serve: Serve, transport: str
) -> None:
    server = await serve(BODY, head=FORCED[transport])
    server.saves = False
    server.reply = lambda event: {} if event["data"]["value"] == 2 else {"made": f"{event['data']['value']}0.abc"}
    await visit(page, server, transport)
    await page.evaluate("(async () => { for (const n of [1, 2, 3]) await htag_event('b', 'click', n); })()")
    server.crash()
    await page.evaluate("htag_event('b', 'click', 4); 0")  # by POST, only an event tells that it has forgotten
    await until(lambda: len([each for each in server.seen if "n" in each]) >= 7)
    told = [(each["n"], each.get("made")) for each in server.seen if "n" in each]
    assert told[:3] == [(1, None), (2, None), (3, None)]
    assert told[3:7] == [(1, "10.abc"), (2, None), (3, "30.abc"), (4, None)]


@pytest.mark.parametrize("transport", STATE)
async def test_a_server_that_forgets_what_it_had_not_saved_gets_it_again(
    page: Page, serve: Serve, transport: str
) -> None:
    server = await serve(BODY, head=FORCED[transport])
    server.saves = False
    echo(server)
    await visit(page, server, transport)
    await page.evaluate(CLICK)
    for step in range(6):
        await asyncio.sleep(0.3)
        if step % 2:
            server.save()
            await asyncio.sleep(0.05)
        server.crash()
    await page.evaluate("all")
    await until(lambda: [number for _, number in server.counted()] == list(range(1, CLICKS + 1)))
    assert sorted(await page.evaluate("results")) == [[n, n] for n in range(1, CLICKS + 1)]
    assert await page.evaluate("stayed")
    assert server.pages == 1
    assert server.skipped == []
    assert server.gaps == [] or transport != "ws"  # a POST on its way, or that Chromium itself repeats


async def test_the_page_says_from_where_it_can_send_again(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    await visit(page, server)
    assert said(server)[-1].items() >= {"v": "2", "from": "1", "next": "1", "done": "0"}.items()
    await page.evaluate("Promise.all([htag_event('b', 'x'), htag_event('b', 'x')])")
    server.saves = False
    await page.evaluate("htag_event('b', 'x')")
    server.reply = lambda event: None
    await page.evaluate("void htag_event('b', 'x')")
    await until(lambda: len(server.seen) == 4)
    server.cut()
    await until(lambda: len(said(server)) == 2)
    assert said(server)[-1].items() >= {"from": "3", "next": "5", "done": "3"}.items()


async def test_an_answer_can_say_which_events_are_saved(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    server.saves = False
    await visit(page, server)
    await page.evaluate("Promise.all([htag_event('b', 'x'), htag_event('b', 'x')])")
    server.reply = lambda event: {"saved": 2}
    await page.evaluate("htag_event('b', 'x')")
    server.cut()
    await until(lambda: len(said(server)) == 2)
    assert said(server)[-1].items() >= {"from": "3", "next": "4", "done": "3"}.items()


async def test_what_was_answered_before_is_settled_by_its_number(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    server.reply = lambda event: None
    await visit(page, server)
    await page.evaluate("window.answer = htag_event('b', 'x'); 0")
    await until(lambda: server.seen)
    (log,) = server.logs.values()
    log.results[1] = {"result": "kept", "js": ["window.ran = (window.ran || 0) + 1"]}  # no callback_id: another process
    server.cut()
    assert await page.evaluate("answer") == "kept"
    server.cut()
    await until(lambda: len(said(server)) == 3)
    await page.evaluate("htag_event('b', 'y').catch(() => 0), 0")
    await until(lambda: len(server.seen) == 2)
    assert await page.evaluate("ran") == 1, "an answer may come twice"


async def test_an_error_that_answers_an_event_is_shown_and_ends_the_promise(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    server.reply = lambda event: None
    await visit(page, server)
    await page.evaluate("window.answer = htag_event('b', 'x'); 0")
    await until(lambda: server.seen)
    (log,) = server.logs.values()
    log.results[1] = {"action": "error", "traceback": "interrupted"}
    server.cut()
    assert await page.evaluate("answer") is None
    assert await page.evaluate(SHOWN_ERROR) == ["Server Error", "interrupted"]
    await page.evaluate("_error_overlay.removeAttribute('show')")
    server.cut()
    await until(lambda: len(said(server)) == 3)
    await page.wait_for_timeout(300)
    assert await page.evaluate("_error_overlay.hasAttribute('show')") is False


# -- an event that breaks the server


@pytest.mark.parametrize("transport", STATE)
async def test_an_event_that_kills_the_server_three_times_is_skipped_and_named(
    page: Page, serve: Serve, transport: str
) -> None:
    server = await serve(BODY, head=FORCED[transport])
    deaths = []

    def reply(event: dict[str, Any]) -> dict[str, Any] | None:
        if event["event"] != "poison":
            return {"result": event["n"]}
        deaths.append(event["n"])
        server.saves = False
        asyncio.get_running_loop().call_soon(server.crash)
        asyncio.get_running_loop().call_soon(setattr, server, "saves", True)
        return None

    server.reply = reply
    await visit(page, server, transport)
    assert await page.evaluate("htag_event('b', 'fine')") == 1
    results = await page.evaluate(
        "Promise.all([htag_event('b', 'poison'), htag_event('b', 'after'), htag_event('b', 'last')])"
    )
    assert results == [None, 3, 4], "those behind it are not at fault"
    assert [message["n"] for message in server.skipped] == [2]
    assert server.skipped[0].items() >= {"id": "b", "event": "poison"}.items()
    assert deaths == [2, 2, 2] or (transport == "http" and set(deaths) == {2})  # Chromium repeats a POST by itself
    title, text = await page.evaluate(SHOWN_ERROR)
    assert title == "Network Error"
    assert '"poison" of "b"' in text


async def test_a_server_that_says_goodbye_puts_no_event_under_suspicion(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    server.reply = lambda event: None
    server.saves = False
    await visit(page, server)
    await page.evaluate("window.answer = htag_event('b', 'x'); 0")
    for count in range(1, 6):
        await until(lambda count=count: len(server.seen) == count)
        for log in server.logs.values():
            log.last = log.saved
        await server.close(1012)
    await until(lambda: len(server.seen) == 6)
    assert server.skipped == []


@pytest.mark.parametrize("transport", ["sse", "http"])
async def test_a_post_that_the_server_never_takes_is_skipped_at_once(page: Page, serve: Serve, transport: str) -> None:
    server = await serve(BODY, head=FORCED[transport])
    server.reply = lambda event: {
        "result": event["data"]["value"],
        "js": ["0"],
    }  # news, so that the next POST says `got`
    await visit(page, server, transport)
    assert await page.evaluate("htag_event('b', 'x', 1)") == 1
    server.post = "413"
    assert await page.evaluate("htag_event('b', 'large', 2)") is None
    server.post = "accept"
    assert "413" in (await page.evaluate(SHOWN_ERROR))[1]
    assert await page.evaluate("htag_event('b', 'x', 3)") == 3
    assert [message["n"] for message in server.skipped] == [2]


# -- the page is loaded again


@pytest.mark.parametrize("transport", STATE)
async def test_what_was_not_saved_is_sent_again_by_the_next_page(page: Page, serve: Serve, transport: str) -> None:
    server = await serve(BODY, head=FORCED[transport])
    server.saves = False
    await visit(page, server, transport)
    await page.evaluate("Promise.all([1, 2, 3].map((n) => htag_event('b', 'x', n)))")
    (tab,) = server.logs
    await page.goto("about:blank")
    server.crash()
    assert server.counted() == []
    await page.goto(server.url)
    await reach(page, transport)
    await page.evaluate("void htag_event('b', 'new', 4)")
    await until(lambda: len(server.counted()) == 4)
    assert [number for name, number in server.counted() if name == tab] == [1, 2, 3]
    assert len(server.logs) == 2
    await page.goto("about:blank")  # still not saved: it is this page's task now
    server.crash()
    await page.goto(server.url)
    await until(lambda: len(server.counted()) == 4)
    server.save()
    await until(lambda: tab in server.left)
    await page.clock.install()
    await page.reload()
    await reach(page, transport)
    await page.wait_for_selector("htag-notice", state="attached")  # later.js is there: what is left is sent by now
    await page.clock.run_for(2000)
    assert len(server.counted()) == 4
    assert await page.evaluate("sessionStorage.length") == 0


async def test_what_waited_for_a_connection_is_sent_by_the_next_page(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    await visit(page, server)
    server.socket = server.stream = "refuse"
    server.post = "500"
    server.cut()
    await page.wait_for_function("ws === null || ws.readyState !== 1")
    await page.evaluate("void htag_event('b', 'away', 1)")
    server.socket = server.stream = server.post = "accept"
    await page.evaluate("location.reload()")
    await until(lambda: server.events() == [("b", "away", 1)])


async def test_a_duplicated_tab_sends_the_same_and_the_server_counts_it_once(
    browser_context: BrowserContext, page: Page, serve: Serve
) -> None:
    server = await serve(BODY)
    server.saves = False
    await visit(page, server)
    await page.evaluate("Promise.all([1, 2, 3].map((n) => htag_event('b', 'x', n)))")
    (tab,) = server.logs
    server.crash()
    await page.goto("about:blank")
    other = await browser_context.new_page()
    copy = "sessionStorage.setItem(...%s)"
    await page.route(
        "**/lib.js", lambda route: route.fulfill(body="<title>same origin</title>", content_type="text/html")
    )
    await page.goto(server.url + "lib.js")
    (kept,) = await page.evaluate("Object.entries(sessionStorage)")
    await other.route("**/lib.js", lambda route: route.fulfill(body="<title>same</title>", content_type="text/html"))
    await other.goto(server.url + "lib.js")
    await other.evaluate("entry => sessionStorage.setItem(...entry)", kept)
    del copy
    await asyncio.gather(page.goto(server.url), other.goto(server.url))
    await until(lambda: len(server.counted()) == 3)
    server.save()
    await until(lambda: server.left.count(tab) == 2)
    assert server.counted() == [(tab, 1), (tab, 2), (tab, 3)]


@pytest.mark.parametrize("status", ["429", "503", "401"])
async def test_a_server_that_is_busy_gets_what_was_left_when_it_is_not(page: Page, serve: Serve, status: str) -> None:
    server = await serve(BODY)
    server.saves = False
    await visit(page, server)
    await page.evaluate("htag_event('b', 'x')")
    await page.goto("about:blank")
    server.crash()
    polls = 0

    async def refuse_events(route: Any) -> None:
        nonlocal polls
        if '"poll"' in (route.request.post_data or ""):
            polls += 1
        if '"n":1' in (route.request.post_data or "") and polls < 5:  # more often than an event may break connections
            await route.fulfill(status=int(status), body="no such luck")
        else:
            await route.continue_()

    await page.route("**/event*", refuse_events)
    await page.clock.install()
    await page.goto(server.url)
    while not server.counted():
        await page.clock.run_for(500)
    assert server.skipped == []


async def test_what_another_session_left_is_not_for_this_one(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    server.saves = False
    await visit(page, server)
    await page.evaluate("htag_event('b', 'x')")
    server.session = "5e551042"
    server.logs.clear()
    server.seen.clear()
    await page.clock.install()
    await page.reload()
    await reach(page, "ws")
    await page.wait_for_selector("htag-notice", state="attached")  # later.js is there: what is left is sent by now
    await page.clock.run_for(2000)
    await page.evaluate("htag_event('b', 'new')")
    assert [event for _, event, _ in server.events()] == ["new"]


@pytest.mark.parametrize("transport", STATE)
async def test_a_page_that_is_left_says_goodbye(page: Page, serve: Serve, transport: str) -> None:
    server = await serve(BODY, head=FORCED[transport])
    await visit(page, server, transport)
    await page.evaluate("htag_event('b', 'x')")
    await page.wait_for_timeout(100)  # saved
    await page.goto("about:blank")
    await until(lambda: server.left == server.tabs[-1:] or server.left == [*server.logs])


# -- a server that is silent


async def test_a_frozen_server_is_left_for_another_within_seconds(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY)
    await visit(page, server)
    assert await page.evaluate("htag_event('b', 'x', 1)") is None
    server.mute = True
    await page.evaluate("window.answer = htag_event('b', 'x', 2); 0")
    await until(lambda: len(server.seen) == 1)
    await page.clock.run_for(5500)
    assert not any("elsewhere" in hello for hello in server.hellos), "it is asked first"
    await page.clock.run_for(6500)
    await until(lambda: sum("elsewhere" in hello for hello in server.hellos) >= 2)
    server.mute = False
    await comes_in_time(page, STATE["ws"])
    await page.evaluate("answer")
    asked = [hello["elsewhere"] for hello in server.hellos if "elsewhere" in hello]
    assert len(set(asked)) == len(asked)
    assert [value for _, _, value in server.events()] == [1, 2]
    connections = len(said(server))
    server.cut()
    await until(lambda: len(said(server)) > connections)
    await page.wait_for_function(STATE["ws"])
    assert "elsewhere" not in said(server)[-1], "the cookie says it now"


@pytest.mark.parametrize("transport", ["sse", "http"])
async def test_a_frozen_server_is_left_over_http_too(page: Page, serve: Serve, transport: str) -> None:
    await page.clock.install()
    server = await serve(BODY, head=FORCED[transport])
    await visit(page, server, transport)
    assert await page.evaluate("htag_event('b', 'x', 1)") is None
    server.mute = True
    await page.evaluate("window.answer = htag_event('b', 'x', 2); 0")
    await page.clock.run_for(12_000)
    await until(lambda: any("elsewhere" in hello for hello in server.hellos))
    server.mute = False
    await comes_in_time(page, STATE[transport])
    await page.evaluate("answer")
    assert [value for _, _, value in server.events()] == [1, 2]


@pytest.mark.parametrize("transport", STATE)
async def test_a_handler_that_takes_long_is_waited_for(page: Page, serve: Serve, transport: str) -> None:
    await page.clock.install()
    server = await serve(BODY, head=FORCED[transport])
    await visit(page, server, transport)
    await page.evaluate("htag_event('b', 'fast')")
    server.reply = lambda event: None
    if transport == "http":
        server.delay = 8
    attempts = len(server.attempts)
    await page.evaluate(WATCH_FOR_ANSWERS)
    await page.evaluate("window.answer = htag_event('b', 'slow'); 0")
    if transport == "sse":
        await page.wait_for_function("posted")  # else the request itself would be what does not come
    for _ in range(3):
        asked = await page.evaluate("told_to_be_there")
        await page.clock.run_for(3000)
        await page.wait_for_function(f"told_to_be_there > {asked}")
    assert len(server.attempts) == attempts or transport == "http"
    assert not any("elsewhere" in hello for hello in server.hellos)


# What a page that waits asks its server, by the socket or by a request, is counted as it is answered.
WATCH_FOR_ANSWERS = """
    window.told_to_be_there = window.posted = 0;
    ws?.addEventListener?.('message', ({data}) => (told_to_be_there += data.includes('pong')));
    const real = fetch;
    const count = (response) => response.clone().text().then(() => setTimeout(() => told_to_be_there++));
    window.fetch = (url, options) => {
        const request = real(url, options);
        if (options.body?.includes('"poll"')) request.then(count);
        else request.then((response) => response.clone().text().then(() => setTimeout(() => posted++)));
        return request;
    }; 0"""


async def test_a_tab_that_waits_for_nothing_asks_for_nothing(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY)
    await visit(page, server)
    await page.evaluate("htag_event('b', 'x')")
    await page.clock.run_for(60_000)
    assert await page.evaluate("htag_event('b', 'x')") is None
    assert server.pings == 0


async def test_a_connection_that_died_while_the_computer_slept_is_noticed_when_its_person_is_back(
    page: Page, serve: Serve
) -> None:
    await page.clock.install()
    server = await serve(BODY)
    await visit(page, server)
    await page.evaluate("htag_event('b', 'x')")
    await page.evaluate(WATCH_FOR_ANSWERS)
    await page.evaluate("window.first = ws; dispatchEvent(new Event('online'))")
    await page.wait_for_function("told_to_be_there")
    assert server.pings == 1
    await page.clock.run_for(6500)
    assert await page.evaluate("ws === first")
    server.mute = True
    await page.evaluate("dispatchEvent(new Event('online'))")
    await page.clock.run_for(6500)
    await until(lambda: len(server.attempts) >= 2)
    server.mute = False
    await comes_in_time(page, STATE["ws"])


async def test_where_nothing_is_ever_saved_no_other_server_would_know_the_session(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY)
    server.saves = False
    await visit(page, server)
    await page.evaluate("htag_event('b', 'x')")
    await page.clock.run_for(31_000)
    server.mute = True
    await page.evaluate("void htag_event('b', 'x')")
    await page.clock.run_for(12_000)
    await until(lambda: len(server.hellos) > 2)
    assert not any("elsewhere" in hello for hello in server.hellos)


# -- where the session is


async def test_a_server_that_names_another_is_believed(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    await visit(page, server)
    server.socket = "4307 0123abcd"
    server.cut()
    await until(lambda: len(said(server)) >= 3)
    server.socket = "accept"
    await reach(page, "ws")
    first, second, *_ = said(server)[1:]
    assert "insist" not in first
    assert second.items() >= {"at": "0123abcd", "insist": "1"}.items()
    server.cut()
    await until(lambda: len(said(server)) > 4 or "at" not in said(server)[-1])
    assert await page.evaluate("htag_event('b', 'x')") is None
    assert server.pages == 1


@pytest.mark.parametrize("transport", ["sse", "http"])
async def test_a_post_that_is_refused_for_another_server_goes_there(page: Page, serve: Serve, transport: str) -> None:
    server = await serve(BODY, head=FORCED[transport])
    echo(server)
    await visit(page, server, transport)
    assert await page.evaluate("htag_event('b', 'x', 1)") == 1
    server.post = "409 0123abcd"
    await page.evaluate("window.answer = htag_event('b', 'x', 2); 0")
    await until(lambda: server.hellos[-1].get("at") == "0123abcd" or any("at" in hello for hello in server.hellos))
    server.post = "accept"
    assert await page.evaluate("answer") == 2
    assert [value for _, _, value in server.events()] == [1, 2]


@pytest.mark.parametrize(("transport", "status"), [("sse", "429"), ("sse", "502"), ("sse", "503"), ("http", "503")])
async def test_a_post_to_a_server_in_trouble_is_sent_again(
    page: Page, serve: Serve, transport: str, status: str
) -> None:
    server = await serve(BODY, head=FORCED[transport])
    echo(server)
    await visit(page, server, transport)
    assert await page.evaluate("htag_event('b', 'x', 1)") == 1
    server.post = status
    await page.evaluate("window.answer = htag_event('b', 'x', 2); 0")
    posts = len(server.headers)
    await until(lambda: len(server.headers) > posts + (status != "502"))  # three of those would be too many
    server.post = "accept"
    assert await page.evaluate("answer") == 2
    assert any("elsewhere" in hello for hello in server.hellos) == (status == "503")
    assert await page.evaluate("_error_overlay.hasAttribute('show')") is False


async def test_a_server_that_moves_its_sessions_is_left_at_once_and_one_that_is_busy_later(
    page: Page, serve: Serve
) -> None:
    await page.clock.install()
    server = await serve(BODY)
    await visit(page, server)
    await page.evaluate(
        "document.addEventListener('htag-disconnected', () => window.away = performance.now());"
        "const Real = WebSocket; window.WebSocket = class extends Real {"
        "constructor(url) { super(url); window.opened = performance.now() } }; 0"
    )
    for code, soonest, latest in [(1012, 0, 100), (1013, 900, 3100)]:
        await page.clock.run_for(1200)  # it lasted
        attempts = len(server.attempts)
        await page.evaluate("window.away = 0")
        await server.close(code)
        await page.wait_for_function("window.away")
        await page.clock.run_for(latest)
        await until(lambda attempts=attempts: len(server.attempts) > attempts)
        assert soonest <= await page.evaluate("opened - away")
        await reach(page, "ws")


async def test_a_gap_is_closed_by_connecting_again(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    echo(server)
    await visit(page, server)
    server.saves = False
    assert await page.evaluate("htag_event('b', 'x', 1)") == 1
    (log,) = server.logs.values()
    log.last = 0  # the server loses something, and the connection does not show it
    assert await page.evaluate("htag_event('b', 'x', 2)") == 2
    assert len(server.gaps) == 1
    assert log.last == 2


# -- what the page shows


async def test_an_update_that_the_page_shows_already_is_ignored(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    await visit(page, server)
    server.push(updates={"b": "<button id=b>1</button>"}, js=["window.ran = (window.ran || 0) + 1"])
    await page.wait_for_function("b.textContent === '1'")
    assert await page.evaluate("HTAG_REVISION") == 8
    again = {"action": "update", "updates": {"b": "<button id=b>old</button>"}, "js": ["ran++"], "seq": 8}
    await page.evaluate("m => handle_payload(m)", again)
    assert await page.evaluate("[b.textContent, ran]") == ["1", 1]


async def test_an_update_behind_a_missing_one_makes_the_page_ask_for_both(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    await visit(page, server)
    await until(lambda: server.connected)
    server.revision += 1
    server.journal[8] = {"action": "update", "updates": {}, "js": ["window.missed = 1"], "seq": 8}
    server.push(updates={"b": "<button id=b>9</button>"}, js=["missed++"])
    await page.wait_for_function("b.textContent === '9'")
    assert await page.evaluate("[missed, HTAG_REVISION]") == [2, 9]
    assert server.attempts == ["ws?rev=7", "ws?rev=7"]


@pytest.mark.parametrize("revision", [5_000_000_000, 3])
async def test_a_full_render_of_a_server_that_lost_count_is_shown(page: Page, serve: Serve, revision: int) -> None:
    server = await serve(BODY)
    server.revision = 2_000_000_000
    await visit(page, server)
    server.initial = {"updates": {"app": BODY.replace(">0<", ">fresh<")}, "seq": revision}
    server.revision = revision
    server.cut()
    await page.wait_for_function("b.textContent === 'fresh'")
    assert await page.evaluate("HTAG_REVISION") == revision
    server.push(updates={"b": "<button id=b>next</button>"})
    await page.wait_for_function("b.textContent === 'next'")


async def test_the_server_hears_what_the_page_shows_but_not_all_the_time(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY)
    await visit(page, server)
    await until(lambda: server.connected)
    for number in range(1, 41):
        server.push(js=["window.heard = (window.heard || 0) + 1"])
        await page.wait_for_function(f"window.heard === {number}")
        await page.clock.run_for(100)
    await page.clock.run_for(3000)
    await until(lambda: server.got and server.got[-1] == 47)
    assert len(server.got) <= 1 + await page.evaluate("performance.now()") / 3000, "once in three seconds"
    told = len(server.got)
    await page.evaluate("handle_payload({seq: 48, updates: {}, js: ['0']}), htag_event('b', 'x')")
    assert server.got[-1] == 48, "an event says it too"
    await page.clock.run_for(3500)
    await page.evaluate("htag_event('b', 'x')")
    assert len(server.got) == told + 1


async def test_an_event_confirms_one_in_so_many_updates_of_texts_alone_and_each_of_anything_else(
    page: Page, serve: Serve
) -> None:
    await page.clock.install()
    server = await serve(BODY)
    await visit(page, server)
    await until(lambda: server.connected)
    await page.clock.pause_at(
        datetime.fromtimestamp(await page.evaluate("Date.now()") / 1000 + 10)
    )  # else it tells by itself
    server.got.clear()
    first = server.revision
    confirmed = []
    for number in range(1, 141):
        server.push(ops=[["b", f"text {number}"]])
        await page.wait_for_function(f"b.textContent === 'text {number}'")
        told = len(server.got)
        await page.evaluate("htag_event('b', 'x')")
        confirmed += [number] if len(server.got) > told else []
    assert confirmed == [64, 128]
    assert server.got == [first + 64, first + 128]
    server.push(ops=[["a", "b", "<button id=b title='a title'>"]])
    await page.wait_for_function("b.title === 'a title'")
    await page.evaluate("htag_event('b', 'x')")
    assert server.got[2:] == [first + 141]
    server.push(ops=[["b", "the last"]])
    await page.wait_for_function("b.textContent === 'the last'")
    await page.clock.run_for(3500)
    await until(lambda: server.got[3:] == [first + 142])


# -- the log is bounded


async def test_while_nothing_is_saved_the_log_keeps_the_latest_and_says_so_once(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    warnings: list[str] = []
    page.on("console", lambda message: warnings.append(message.text))
    server.saves = False
    await visit(page, server)
    for _ in range(8):
        await page.evaluate("Promise.all([...Array(100).keys()].map((n) => htag_event('b', 'x', n)))")
    server.crash()
    await until(lambda: len(said(server)) == 2)
    assert said(server)[-1].items() >= {"from": "301", "next": "801"}.items()
    assert len([text for text in warnings if "does not save" in text]) == 1


LARGE = """const events = [...Array(20).keys()].map(() => htag_event('b', 'x', 'x'.repeat(20000)));
void Promise.all(events).then(() => (window.over = 1))"""


async def test_the_log_is_bounded_in_bytes_as_well(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    server.saves = False
    await visit(page, server)
    await page.evaluate(LARGE)
    await page.wait_for_function("window.over")
    server.crash()
    await until(lambda: len(said(server)) == 2)
    assert int(said(server)[-1]["from"]) == 8, "the latest 13 have 260 kB"
    await until(lambda: len(server.counted()) == 13)


async def test_what_has_no_answer_is_in_the_log_however_large(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    server.reply = lambda event: None
    server.saves = False
    await visit(page, server)
    await page.evaluate(LARGE)
    await until(lambda: len(server.counted()) == 20)
    server.crash()
    await until(lambda: len(server.counted()) == 20)
    assert said(server)[-1]["from"] == "1"


# -- loss upon loss


async def test_losing_the_connection_again_and_again_is_not_taken_for_blocked_cookies(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY)
    count_clicks(server)
    await visit(page, server)
    await page.evaluate("window.stayed = true; window.answer = htag_event('b', 'x'); 0")
    server.socket = server.stream = "refuse"
    server.post = "502"
    for _ in range(20):
        attempts = len(server.attempts)
        server.cut()
        while len(server.attempts) == attempts:
            await page.clock.run_for(1000)
    server.socket = server.stream = server.post = "accept"
    await comes_in_time(page, STATE["ws"])
    assert await page.evaluate("answer.then((result) => [stayed, result, _error_overlay.hasAttribute('show')])") == [
        True,
        1,
        False,
    ]
    assert server.pages == 1
