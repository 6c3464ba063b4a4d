"""htag.js: the globals it makes, and no others, whether a page loads it or PyScript evaluates it."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page

from htag.web.page import asset
from tests.e2e.wire_server import WireServer

Serve = Callable[..., Awaitable[WireServer]]

FUNCTIONS = {
    "htag_event",
    "htag_id",
    "htag_transport",
    "handle_payload",
    "init_ws",
    "fallback",
    "fallback_pure_http",
    "_htag_renew",
}
VALUES = {
    "ws": "null",
    "sse": "null",
    "use_fallback": "false",
    "use_pure_http": "false",
    "HTAG_TIMEOUT": "3000",
    "_htag_queue": "[]",
    "_htag_callbacks": "{}",
    "_base_path": '"/"',
    "_error_overlay": "{}",
}
NAMES = "Object.getOwnPropertyNames(window)"
HEAD = f"<script>window.HTAG_EXT_INIT = true; window.before = {NAMES}</script>"


@pytest.mark.parametrize("evaluated", [False, True])
async def test_the_globals_are_these(evaluated: bool, page: Page, serve: Serve) -> None:
    server = await serve("<body id=app></body>", head=HEAD)
    if evaluated:
        await page.route("**/htag.js", lambda route: route.abort())
    await page.goto(server.url)
    if evaluated:
        await page.evaluate("script => { (0, eval)(script) }", asset("htag.js").decode())
    added = set(await page.evaluate(f"{NAMES}.filter(name => !before.includes(name))")) - {"before"}
    assert added == FUNCTIONS | set(VALUES)
    kinds = await page.evaluate("names => names.map(name => typeof window[name])", sorted(FUNCTIONS))
    assert set(kinds) == {"function"}
    assert {name: await page.evaluate(f"JSON.stringify(window.{name})") for name in VALUES} == VALUES
    assert await page.evaluate("document.body.lastElementChild === _error_overlay")
