"""htag.js: what a person sees, hears and can style while the page is away from its server."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.button_page import BODY, FORCED, STATE, count_clicks, reach
from tests.e2e.page_clock import comes_in_time
from tests.e2e.wire_server import WireServer
from tests.support.waiting import LOOP_SECONDS, until

Serve = Callable[..., Awaitable[WireServer]]

NOTICE = "document.querySelector('htag-notice')"
SHOWN = f"{NOTICE}?.hasAttribute('show')"
TEXT = f"{NOTICE}.shadowRoot.querySelector('[part=text]').textContent"
# window.older: milliseconds by which time has gone on since
LATER = """<script>{
    const {now} = performance;
    window.older = 0;
    performance.now = () => now.call(performance) + older;
}</script>"""
# window.lost and window.shown: when the connection was lost last, and the notice came first; window.aways: for how long
WATCH = """<script>
    window.aways = [];
    document.addEventListener('htag-disconnected', () => (window.lost = performance.now()));
    document.addEventListener('htag-connected', ({detail}) => aways.push(detail.awaySeconds));
    new MutationObserver(() => (window.shown ??= performance.now()))
        .observe(document, {attributeFilter: ['show'], subtree: true});
</script>"""
EVENTS = """<script>
    window.told = [];
    for (const name of ['htag-connected', 'htag-disconnected'])
        document.addEventListener(name, ({detail}) => told.push([name, detail.transport, detail.awaySeconds]));
</script>"""


async def visit(page: Page, server: WireServer, transport: str = "ws") -> None:
    await page.goto(server.url)
    await reach(page, transport)
    await page.evaluate("htag_event('b', 'fine')")


async def go_away(page: Page, server: WireServer) -> None:
    await server.die()
    await page.wait_for_function("ws === null || ws.readyState !== 1")


# -- the notice


async def test_half_a_second_away_is_told_and_so_is_the_return(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY, head=WATCH)
    await visit(page, server)
    assert not await page.evaluate(SHOWN)
    await go_away(page, server)
    await page.clock.run_for(600)
    await page.wait_for_function(SHOWN)
    assert await page.evaluate("shown - lost") > 450, "a moment is no reason to alarm"
    assert "connection" in (await page.evaluate(TEXT)).lower()
    await server.start()
    await comes_in_time(page, f"{TEXT}.startsWith('Connected')")
    await comes_in_time(page, f"!{SHOWN}")


async def test_a_connection_that_is_back_at_once_is_not_told(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY, head=WATCH)
    await visit(page, server)
    for count in range(2, 5):
        await until(lambda count=count: len(server.attempts) == count - 1 and server.connected)
        server.cut()
        await until(lambda count=count: len(server.attempts) == count)
    await page.wait_for_function(STATE["ws"])
    await page.clock.run_for(800)
    assert await page.evaluate("window.shown === undefined || Math.max(...aways) > 0.45"), "that would be no moment"


async def test_a_screen_reader_hears_it(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    await visit(page, server)
    await go_away(page, server)
    await page.wait_for_function(SHOWN)
    box = f"{NOTICE}.shadowRoot.querySelector('[role=status]')"
    assert await page.evaluate(f"{box}.getAttribute('aria-live')") == "polite"
    assert await page.get_by_role("status").count() == 1
    assert await page.evaluate("document.activeElement === document.body"), "and is not torn from where it is"


async def test_texts_are_the_apps(page: Page, serve: Serve) -> None:
    server = await serve(BODY, head="<script>window.HTAG_TEXTS = {away: 'Verbindung weg'}</script>")
    await visit(page, server)
    await go_away(page, server)
    await page.wait_for_function(SHOWN)
    assert await page.evaluate(TEXT) == "Verbindung weg"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_readable_and_has_the_colours_of_the_person(chromium: Browser, serve: Serve, scheme: Any) -> None:
    server = await serve(BODY, head='<meta name="color-scheme" content="light dark">')
    context = await chromium.new_context(color_scheme=scheme, viewport={"width": 320, "height": 240})
    page = await context.new_page()
    await visit(page, server)
    await go_away(page, server)
    await page.wait_for_function(SHOWN)
    box = f"{NOTICE}.shadowRoot.querySelector('[part=notice]')"
    back, ink = await page.evaluate(f"(s => [s.backgroundColor, s.color])(getComputedStyle({box}))")
    assert (luminance(back) > luminance(ink)) == (scheme == "light")
    lighter, darker = sorted((luminance(back), luminance(ink)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) > 7
    left, right = await page.evaluate(f"(r => [r.left, r.right])({box}.getBoundingClientRect())")
    assert left >= 0
    assert right <= 320
    await context.close()


def luminance(colour: str) -> float:
    """The relative luminance of `rgb(…)`, as WCAG has it."""
    channels = [int(each) / 255 for each in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return sum(share * each for share, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(("wish", "moves"), [("no-preference", True), ("reduce", False)])
async def test_it_moves_only_where_that_is_wanted(chromium: Browser, serve: Serve, wish: Any, moves: bool) -> None:
    server = await serve(BODY)
    context = await chromium.new_context(reduced_motion=wish)
    page = await context.new_page()
    await visit(page, server)
    await go_away(page, server)
    await page.wait_for_function(SHOWN)
    box = f"{NOTICE}.shadowRoot.querySelector('[part=notice]')"
    assert (await page.evaluate(f"getComputedStyle({box}).animationName") != "none") == moves
    await context.close()


async def test_it_stays_under_a_policy_without_inline_styles(page: Page, serve: Serve) -> None:
    policy = "<meta http-equiv=Content-Security-Policy content=\"style-src 'self'\">"
    server = await serve(BODY, head=policy)
    await visit(page, server)
    await go_away(page, server)
    await page.wait_for_function(SHOWN)
    box = f"{NOTICE}.shadowRoot.querySelector('[part=notice]')"
    assert await page.evaluate(f"getComputedStyle({box}).position") == "fixed"


# -- clicks that wait


async def test_an_element_whose_click_waits_shows_that(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY, head=WATCH)
    count_clicks(server)
    await visit(page, server)
    await go_away(page, server)
    await page.click("#b")
    marked, seconds = await page.evaluate("[b.hasAttribute('data-htag-waiting'), (performance.now() - lost) / 1000]")
    assert not marked or seconds > 0.45
    await page.clock.run_for(600)
    await page.wait_for_selector("#b[data-htag-waiting]")
    assert await page.evaluate("getComputedStyle(b).cursor") == "progress"
    await server.start()
    await comes_in_time(page, "!b.hasAttribute('data-htag-waiting')")
    assert await page.evaluate("answer") == 2


async def test_clicks_that_waited_too_long_are_not_done_and_that_is_said(page: Page, serve: Serve) -> None:
    body = BODY.replace("</body>", "<input id=i oninput=\"htag_event('i','input',event)\"></body>")
    server = await serve(body, head=LATER)
    await visit(page, server)
    await go_away(page, server)
    await page.evaluate("window.clicks = Promise.all([1, 2].map((n) => htag_event('b', 'click', n))); 0")
    await page.type("#i", "typed")
    await page.evaluate("window.older = 61000")
    await page.evaluate("window.fresh = htag_event('b', 'click', 3); 0")
    server.reply = lambda event: {"result": event["data"]["value"]}
    await server.start()
    assert await page.evaluate("clicks") == [None, None]
    assert await page.evaluate("fresh") == 3
    assert server.events()[-2:] == [("i", "input", "typed"), ("b", "click", 3)]
    assert await page.evaluate(SHOWN)
    assert "2" in await page.evaluate(TEXT)
    assert not await page.evaluate("document.querySelector('[data-htag-waiting]')")
    await page.locator("htag-notice button").click()
    await page.wait_for_function(f"!{SHOWN}")


# -- what an app hears


@pytest.mark.parametrize("transport", STATE)
async def test_an_app_hears_of_connections(page: Page, serve: Serve, transport: str) -> None:
    await page.clock.install()
    server = await serve(BODY, head=EVENTS + FORCED[transport])
    await visit(page, server, transport)
    assert await page.evaluate("told.at(-1).slice(0, 2)") == ["htag-connected", transport]
    assert await page.evaluate("told[0].at(-1)") == 0, "a page that has just been loaded was not away"
    before = len(await page.evaluate("told"))
    await server.die()
    await comes_in_time(page, f"told.length > {before}")
    assert (await page.evaluate("told"))[before][:2] == ["htag-disconnected", transport]
    await page.clock.run_for(700)
    await server.start()
    await comes_in_time(page, "told.at(-1)[0] === 'htag-connected'")
    told = (await page.evaluate("told"))[before:]
    assert [name for name, *_ in told[:2]] == ["htag-disconnected", "htag-connected"], "each once"
    assert told[1][-1] > 0.6


async def test_an_app_can_show_by_itself_what_the_notice_would_say(page: Page, serve: Serve) -> None:
    own = """<script>document.addEventListener('htag-notice', (event) => {
        event.preventDefault();
        window.said = [event.detail.text, event.detail.n];
    })</script>"""
    server = await serve(BODY, head=own + LATER)
    await visit(page, server)
    await go_away(page, server)
    await page.evaluate("void htag_event('b', 'click')")
    await page.evaluate("window.older = 61000")
    await server.start()
    await page.wait_for_function("window.said")
    assert await page.evaluate("said") == ["unkept", 1]
    assert not await page.evaluate(f"{SHOWN} && {TEXT}.includes('Not done')")


async def test_clicks_of_a_session_that_is_gone_are_said_to_be_lost_by_the_next_page(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    await visit(page, server)
    server.reply = lambda event: None
    await page.evaluate("void htag_event('b', 'click'), void htag_event('b', 'click')")
    await until(lambda: len(server.seen) == 3)
    server.session = "another"
    server.socket = "unknown"
    server.cut()
    await until(lambda: server.pages == 2)
    server.socket = "accept"
    await page.wait_for_function(f"{SHOWN} && {TEXT}.includes('(2)')")


async def test_what_is_needed_later_is_asked_for_again_where_it_did_not_come(page: Page, serve: Serve) -> None:
    server = await serve(BODY)
    asked = []

    async def fail_once(route: Any) -> None:
        asked.append(route)
        await (route.abort() if len(asked) == 1 else route.continue_())

    await page.route("**/later.js*", fail_once)
    await visit(page, server)
    await until(lambda: len(asked) == 2)
    await page.wait_for_selector("htag-notice", state="attached")  # it has come
    await go_away(page, server)
    await page.wait_for_function(SHOWN)


# -- inside another site


async def test_a_page_whose_cookie_is_kept_from_it_in_a_frame_says_so(page: Page, serve: Serve) -> None:
    server = await serve(BODY, head=FORCED["http"])
    server.post = "blocked"
    outside = await serve(f'<body><iframe src="{server.url}"></iframe></body>')
    await page.goto(outside.url)
    frame = page.frames[1]
    await frame.wait_for_function(f"{SHOWN} && {TEXT}.includes('inside another site')")
    assert server.pages == 2


# -- what is measured


async def test_an_operator_sees_how_long_people_wait(page: Page, serve: Serve) -> None:
    await page.clock.install()
    server = await serve(BODY)
    count_clicks(server)
    await visit(page, server)
    await page.wait_for_selector("htag-notice", state="attached")  # later.js is there
    await page.click("#b")
    assert await page.evaluate("answer") == 2
    await page.clock.run_for(30_000)
    await until(lambda: server.measures)
    [told] = server.measures
    assert told.keys() >= {"action", "roundtrips", "aways", "transport", "errors"}
    assert told["transport"] == "ws"
    assert 1 <= len(told["roundtrips"]) <= 2, "the first may have come before what measures"
    assert 0 < told["roundtrips"][-1] < LOOP_SECONDS
    assert (told["aways"], told["errors"]) == ([], 0)
    await page.clock.run_for(60_000)
    await page.evaluate("ws.send(JSON.stringify({action: 'ping'}))")
    await until(lambda: server.pings)
    assert len(server.measures) == 1, "nothing new, nothing said"
    await go_away(page, server)
    await page.clock.run_for(700)
    await server.start()
    await comes_in_time(page, STATE["ws"])
    await page.clock.run_for(30_000)
    await until(lambda: len(server.measures) == 2)
    [seconds] = server.measures[1]["aways"]
    assert seconds > 0.7


@pytest.mark.parametrize("transport", STATE)
async def test_what_was_measured_last_is_told_when_the_page_is_left(page: Page, serve: Serve, transport: str) -> None:
    server = await serve(BODY, head=FORCED[transport])
    count_clicks(server)
    await visit(page, server, transport)
    await page.wait_for_selector("htag-notice", state="attached")
    await page.evaluate("htag_event('b', 'click')")
    await page.goto("about:blank")
    await until(lambda: server.measures)
    assert server.measures[0]["transport"] == transport
