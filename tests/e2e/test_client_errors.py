"""htag.js: which errors are shown and reported, and the dialog that comes with the first one."""

import json
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, Route

from tests.e2e.dialog import SHOWN_ERROR
from tests.e2e.wire_server import WireServer
from tests.support.waiting import until

Serve = Callable[..., Awaitable[WireServer]]

OWN, EXTENSION, ELSEWHERE = "ORIGIN/app.js", "chrome-extension://abcdef/content.js", "https://cdn.example/lib.js"


async def visit(page: Page, server: WireServer) -> None:
    await page.goto(server.url)
    await page.wait_for_function("document.documentElement.dataset.htagConnection === 'ws'")


async def fails(page: Page, server: WireServer, file: str, how: str) -> None:
    """An error whose stack is in `file` happens in the page."""
    stack = json.dumps(f"Error: boom\n    at run ({file.replace('ORIGIN', server.url.rstrip('/'))}:3:5)")
    await page.evaluate(f"const error = Object.assign(new Error('boom'), {{stack: {stack}}}); void {how}")


def reports(server: WireServer) -> list[str]:
    return [message["error"] for message in server.seen if "error" in message]


THROWN = "setTimeout(() => { throw error })"
REJECTED = "Promise.reject(error)"
FOREIGN = [(EXTENSION, REJECTED), (ELSEWHERE, REJECTED), ("moz-extension://1/a.js", REJECTED)]


@pytest.mark.parametrize(("file", "how"), FOREIGN)
async def test_an_error_of_an_extension_or_of_a_script_from_elsewhere_is_no_one_of_ours(
    page: Page, serve: Serve, file: str, how: str
) -> None:
    server = await serve("<body id=app></body>", head="<script>window.HTAG_DEBUG = false</script>")
    await visit(page, server)
    await fails(page, server, file, how)
    await page.evaluate("onerror('Script error.', '', 0, 0, null)")
    await page.evaluate("htag_event('app', 'after')")
    assert reports(server) == []
    assert await page.evaluate("_error_overlay.hasAttribute('show')") is False


@pytest.mark.parametrize(("file", "how"), [(OWN, REJECTED), (OWN, THROWN)])
async def test_an_error_of_the_page_s_own_scripts_is_shown_and_reported(
    page: Page, serve: Serve, file: str, how: str
) -> None:
    server = await serve("<body id=app></body>", head="<script>window.HTAG_DEBUG = false</script>")
    await visit(page, server)
    await fails(page, server, file, how)
    await until(lambda: reports(server))
    assert "boom" in (await page.evaluate(SHOWN_ERROR))[1]


@pytest.mark.parametrize(("file", "how"), FOREIGN)
async def test_who_debugs_sees_all(page: Page, serve: Serve, file: str, how: str) -> None:
    server = await serve("<body id=app></body>", head="<script>window.HTAG_DEBUG = true</script>")
    await visit(page, server)
    await fails(page, server, file, how)
    await until(lambda: reports(server))
    assert "boom" in (await page.evaluate(SHOWN_ERROR))[1]


async def test_an_error_in_a_handler_or_a_snippet_is_our_own(page: Page, serve: Serve) -> None:
    body = '<body id=app data-htag-on="click" data-htag-on-click="no.handler"></body>'
    server = await serve(body, head="<script>window.HTAG_DEBUG = false</script>")
    await visit(page, server)
    await page.evaluate("document.body.click()")
    server.push(js=["no.snippet"])
    await until(lambda: len(reports(server)) == 2)


async def test_the_dialog_comes_with_the_first_error_and_once(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app></body>")
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url.rpartition("/")[2].partition("?")[0]))
    await visit(page, server)
    assert "errors.js" not in loaded
    await page.evaluate("_error_overlay.show('one', '1'); _error_overlay.show('two', '2')")
    assert await page.evaluate(SHOWN_ERROR) == ["two", "2"]
    await page.evaluate("_error_overlay.show('three', '3')")
    assert await page.evaluate(SHOWN_ERROR) == ["three", "3"]
    assert loaded.count("errors.js") == 1


async def test_an_error_while_the_server_is_away_is_shown_on_return(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app></body>")
    away = True

    async def answer(route: Route) -> None:
        await (route.abort() if away else route.continue_())

    await page.route("**/errors.js*", answer)
    await visit(page, server)
    await page.evaluate("_error_overlay.show('Network Error', 'why'); 0")
    await page.wait_for_timeout(200)
    assert await page.evaluate("_error_overlay.heading") is None
    away = False
    server.cut()
    await page.wait_for_function("_error_overlay.heading?.textContent === 'Network Error'")


async def test_a_report_of_much_text_does_not_end_the_connection(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app></body>", head="<script>window.HTAG_LIMIT = 10000</script>")
    await visit(page, server)
    server.push(js=["/*" + "x" * 20_000 + "*/ throw new Error('why')"])
    await until(lambda: server.seen)
    (report,) = server.seen
    assert report["error"].startswith("JS Eval Error: Error: why")
    assert len(str(report)) < 5000
