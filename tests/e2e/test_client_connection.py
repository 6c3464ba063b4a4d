"""htag.js: links that freeze, proxies that swallow, expired logins, hidden tabs. Each click counts once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from htag import State, Tag, WebApp
from tests.e2e.button_page import BODY, FORCED, STATE, count_clicks, reach
from tests.e2e.page_clock import comes_in_time
from tests.e2e.serving import Serving
from tests.e2e.strict_page import value
from tests.e2e.swallowing_proxy import SwallowingProxy
from tests.e2e.wire_server import WireServer
from tests.support.waiting import LOOP_SECONDS, until

Serve = Callable[..., Awaitable[WireServer]]

CLICKS = 100
CLICK = f"""window.stayed = true; window.results = []; window.all = (async () => {{
    const answers = [];
    for (let n = 1; n <= {CLICKS}; n++) {{
        answers.push(htag_event('more', 'click', n).then((result) => results.push(result)));
        await new Promise((done) => setTimeout(done, 12));
    }}
    await Promise.all(answers);
}})(); 0"""
FIELD = "<input id=i name=i oninput=\"htag_event('i','input',event)\">"
CONNECTED = "document.documentElement?.dataset.htagConnection in {ws: 1, sse: 1, http: 1}"
HIDE = """(hidden) => {
    Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
    document.dispatchEvent(new Event('visibilitychange'));
}"""


class Desk(Tag.App):
    def init(self) -> None:
        self.count = State(0)
        self <= Tag.span(lambda: str(self.count.value), _id="count")
        self <= Tag.button("more", _id="more", _onclick=self.more)

    def more(self, event: Any) -> int:
        return self.count.set(self.count.value + 1)


@pytest_asyncio.fixture(loop_scope="session")
async def app() -> AsyncIterator[Serving]:
    serving = Serving(WebApp(Desk).app)
    await serving.start()
    yield serving
    await serving.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def link(app: Serving) -> AsyncIterator[SwallowingProxy]:
    """To a real WebApp."""
    proxy = SwallowingProxy(app.port)
    await proxy.start()
    yield proxy
    await proxy.stop()


async def visit(page: Page, server: WireServer, transport: str = "ws") -> None:
    await page.goto(server.url)
    await reach(page, transport)
    await page.evaluate("htag_event('b', 'fine')")


async def visit_app(page: Page, url: str, transport: str) -> None:
    await page.context.add_cookies([{"name": "htag_mode", "value": transport, "url": url}])
    await page.goto(url)
    await reach(page, transport)


async def all_counted(page: Page) -> None:
    await page.evaluate("all")
    assert sorted(await page.evaluate("results")) == list(range(1, CLICKS + 1))
    assert await page.evaluate("stayed")
    await page.wait_for_function(f"count.textContent === '{CLICKS}'")


# -- a link that breaks, freezes, is changed for another


@pytest.mark.parametrize("transport", STATE)
async def test_a_link_that_freezes_is_left_within_ten_seconds(
    page: Page, link: SwallowingProxy, transport: str
) -> None:
    await page.clock.install()
    await visit_app(page, link.url, transport)
    await page.evaluate("htag_event('nothing', 'click')")
    await page.evaluate(CLICK)
    await page.wait_for_function("results.length > 10")
    link.freeze()
    await page.clock.run_for(10_000)
    assert await page.evaluate("document.documentElement?.dataset.htagConnection") == "away"
    link.thaw()
    await all_counted(page)


async def test_a_page_that_was_told_something_again_and_again_notices_when_that_ends(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY)
    await visit(page, server)
    await page.evaluate("ws.addEventListener('message', ({data}) => (window.answered ||= data.includes('pong')))")
    await tell(page, server)
    await page.clock.run_for(5000)
    await tell(page, server)
    await page.clock.run_for(6000)
    assert server.pings == 0, "something came within ten seconds"
    await page.clock.run_for(6000)
    await page.wait_for_function("window.answered")
    assert server.pings == 1
    await page.clock.run_for(60_000)
    assert server.pings == 1, "nothing came since: nothing is expected"
    await tell(page, server)
    server.mute = True
    await page.clock.run_for(17_000)
    await until(lambda: len(server.attempts) > 1)


async def tell(page: Page, server: WireServer) -> None:
    """Have the page hear something new."""
    server.push(js=["window.heard = (window.heard || 0) + 1"])
    await page.wait_for_function("window.heard && window.heard--")


@pytest.mark.parametrize("transport", ["sse", "http"])
async def test_requests_to_a_server_that_does_not_answer_do_not_pile_up(
    page: Page, serve: Serve, transport: str
) -> None:
    await page.clock.install()
    server = await serve(BODY, head=FORCED[transport])
    await visit(page, server, transport)
    await page.evaluate("""
        window.open = 0; const real = fetch;
        window.fetch = (...all) => { open++; return real(...all).finally(() => open--) }; 0""")
    server.mute = True
    await page.evaluate("void htag_event('b', 'x')")
    for _ in range(30):
        await page.clock.run_for(1500)
        assert await page.evaluate("open") <= 2
    server.mute = False
    await comes_in_time(page, STATE[transport])
    await until(lambda: len(server.seen) == 2)


# -- proxies


@pytest.mark.parametrize("what", ["stream", "socket", "both"])
async def test_a_proxy_that_opens_connections_and_delivers_nothing(page: Page, serve: Serve, what: str) -> None:
    await page.clock.install()
    server = await serve(BODY)
    server.socket = "refuse" if what == "stream" else "buffer"
    server.stream = "accept" if what == "socket" else "buffer"
    count_clicks(server)
    await page.goto(server.url)
    for path in [path for path, swallowed in [("ws", what != "stream"), ("stream", what != "socket")] if swallowed]:
        await until(lambda path=path: any(attempt.startswith(path) for attempt in server.attempts))
        await page.clock.run_for(3000)
    await page.click("#b")
    await page.wait_for_function("window.answer")
    assert await page.evaluate("answer") == 1
    served = await page.evaluate("document.documentElement?.dataset.htagConnection")
    assert served == ("sse" if what == "socket" else "http")
    server.socket = "accept"
    await comes_in_time(page, "document.documentElement?.dataset.htagConnection === 'ws'")
    await page.click("#b")
    assert await page.evaluate("answer") == 2


async def test_a_stream_that_falls_silent_is_noticed_by_what_it_owes(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY, head=FORCED["sse"])
    count_clicks(server)
    await visit(page, server, "sse")
    server.deaf = True
    await page.click("#b")
    await page.clock.run_for(3000)
    assert await page.evaluate("answer") == 2, "it was asked for by another way"
    assert server.pages == 1


# -- a login in front


@pytest.mark.parametrize("gate", ["302", "401"])
@pytest.mark.parametrize("transport", STATE)
async def test_an_expired_login_reloads_the_page_once_and_nothing_is_lost(
    page: Page, serve: Serve, transport: str, gate: str
) -> None:
    body = BODY.replace("</body>", FIELD + "<input id=p type=password><textarea id=t></textarea></body>")
    server = await serve(body, head=FORCED[transport])
    await visit(page, server, transport)
    await page.fill("#t", "long thoughts")
    await page.fill("#p", "secret")
    await page.type("#i", "ab")
    await until(lambda: len(server.seen) == 3)
    server.gate = gate
    server.cut()
    await page.evaluate("void htag_event('b', 'late')")
    await until(lambda: server.pages == 2)
    await page.wait_for_function("document.body?.textContent.includes('Who are you?')")
    server.gate = ""
    await page.goto(server.url)
    await until(lambda: ("b", "late", None) in server.events())
    await page.wait_for_function("document.querySelector('#i').value === 'ab'")
    assert await page.evaluate("['i', 't', 'p'].map((id) => document.getElementById(id).value)") == [
        "ab",
        "long thoughts",
        "",
    ]
    await until(lambda: server.events().count(("i", "input", "ab")) == 2)
    assert "secret" not in await page.evaluate("JSON.stringify(sessionStorage)")
    await page.reload()
    assert await page.evaluate("document.querySelector('#t').value") == ""


async def test_answers_that_are_not_ours_on_a_page_that_loads_make_no_loop(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY, head=FORCED["http"])
    await page.route("**/event*", lambda route: route.fulfill(status=200, body="<h1>Log in</h1>"))
    await page.goto(server.url)
    await until(lambda: server.pages == 2)
    await page.wait_for_function("document.querySelector('htag-notice')?.hasAttribute('show')")
    await page.wait_for_function(
        "document.querySelector('htag-notice').shadowRoot.querySelector('[part=text]').textContent.includes('log in')"
    )
    await page.clock.run_for(60_000)
    assert server.pages == 2
    await page.unroute("**/event*")
    await comes_in_time(page, "document.documentElement?.dataset.htagConnection === 'http'")


# -- several tabs


async def on_one_session(pages: list[Page]) -> None:
    """Wait until all are connected, and to the same session. One that the cookie does not name is left."""
    async with asyncio.timeout(LOOP_SECONDS):
        while True:
            sessions = {await value(page, f"{CONNECTED} && window.HTAG_SESSION") for page in pages}
            if len(sessions) == 1 and all(sessions):
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("transport", STATE)
async def test_two_first_tabs_at_once(browser_context: BrowserContext, app: Serving, transport: str) -> None:
    await browser_context.add_cookies([{"name": "htag_mode", "value": transport, "url": app.url}])
    pages = [await browser_context.new_page() for _ in range(2)]
    await asyncio.gather(*(page.goto(app.url) for page in pages))
    await on_one_session(pages)
    for page in pages:
        await page.evaluate(CLICK)
    for page in pages:
        await page.evaluate("all")
    results = [result for page in pages for result in await page.evaluate("results")]
    assert sorted(results) == list(range(1, 2 * CLICKS + 1))
    for page in pages:
        await page.wait_for_function(f"count.textContent === '{2 * CLICKS}'")


@pytest.mark.parametrize("transport", STATE)
async def test_a_tab_whose_cookie_another_one_replaced_leaves_its_session_while_nothing_is_lost_yet(
    browser_context: BrowserContext, app: Serving, transport: str
) -> None:
    pages = []
    for _ in range(2):
        await browser_context.clear_cookies()  # the second page was asked for before the first one's answer had come
        pages.append(await browser_context.new_page())
        await visit_app(pages[-1], app.url, transport)
    await on_one_session(pages)


async def test_a_hidden_tab_gives_up_its_stream_and_has_it_back_when_it_is_seen(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY, head=FORCED["sse"])
    await page.goto(server.url)
    await page.wait_for_function("document.documentElement.dataset.htagConnection === 'sse'")
    await page.wait_for_selector("htag-notice", state="attached")  # later.js is there: nothing is asked for any more
    await page.evaluate(HIDE, True)
    await page.clock.run_for(20_000)
    assert server.connected == 1
    await page.clock.run_for(15_000)
    await until(lambda: not server.connected)
    attempts = len(server.attempts)
    await page.clock.run_for(60_000)
    assert len(server.attempts) == attempts, "it does not try either"
    assert await page.evaluate("document.documentElement?.dataset.htagConnection") == "resting"
    server.push(updates={"b": "<button id=b>news</button>"})
    await page.evaluate(HIDE, False)
    await page.wait_for_function("b.textContent === 'news'")
    assert server.connected == 1


async def test_a_hidden_tab_that_rests_comes_back_for_an_event(page: Page, serve: Serve) -> None:
    await page.clock.install()
    unmeasured = "<script>setInterval = () => 0</script>"  # nothing is told now and then, and is on its way at the time
    server = await serve(BODY, head=FORCED["sse"] + unmeasured)
    server.reply = lambda event: {"result": 2}  # no news, of whose receipt the page would tell by and by
    await page.goto(server.url)
    await reach(page, "sse")
    await page.evaluate(HIDE, True)
    await page.clock.run_for(31_000)
    await until(lambda: not server.connected)
    assert await page.evaluate("htag_event('b', 'click')") == 2
    await page.clock.run_for(31_000)
    await until(lambda: not server.connected)  # and rests again


async def test_a_seventh_tab_on_sse_loads(browser_context: BrowserContext, app: Serving) -> None:
    await browser_context.add_cookies([{"name": "htag_mode", "value": "sse", "url": app.url}])
    for _ in range(6):
        page = await browser_context.new_page()
        await page.clock.install()
        await page.goto(app.url)
        await reach(page, "sse")
        await page.evaluate(HIDE, True)
        await page.clock.run_for(31_000)
    page = await browser_context.new_page()
    await page.goto(app.url)
    await reach(page, "sse")


# -- many people


async def test_the_more_people_the_later_they_come_again(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY)
    server.people = 2000
    await visit(page, server)
    await page.evaluate("Math.random = () => 0.9")  # of 10 s: each has a turn of its own, this one a late one
    server.cut()
    await page.wait_for_function("ws === null")
    await page.clock.run_for(8000)
    assert len(server.attempts) == 1
    await page.clock.run_for(2000)
    await until(lambda: len(server.attempts) == 2)


async def test_who_waits_for_an_answer_does_not_wait_for_a_turn_among_all_people(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY)
    server.people = 12000
    count_clicks(server)
    await visit(page, server)
    await page.evaluate("Math.random = () => 0.9")  # of a minute
    for count in (2, 3):
        await page.clock.run_for(1100)  # it lasted
        server.cut()
        await page.wait_for_function("ws === null")
        assert await page.evaluate("htag_event('b', 'click')") == count
