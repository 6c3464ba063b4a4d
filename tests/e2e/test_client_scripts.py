"""htag.js: JavaScript that comes as text, on a page whose policy has no `unsafe-eval` and no `unsafe-inline`."""

from typing import Any

import pytest
from playwright.async_api import Page

from tests.e2e.dialog import SHOWN_ERROR
from tests.e2e.strict_page import ServeStrict, StrictServer, comes, violations
from tests.support.waiting import until


async def go(page: Page, server: StrictServer, *js: str) -> Any:
    """Have an answer carry `js`; returns the result of its event once all of them ran."""
    server.reply = lambda event: {"js": [*js], "result": "R"}
    return await page.evaluate("htag_event('app', 'go')")


async def test_the_policy_is_really_sent_and_forbids(page: Page, serve_strict: ServeStrict) -> None:
    server = await serve_strict("<body id=app onclick='window.inline = 1'></body>")
    await server.visit(page)
    await page.evaluate("document.body.click()")
    assert {each["directive"] for each in await violations(page)} == {"script-src-attr"}
    assert await page.evaluate("[window.inline, (0, window.violations.length = 0)]") == [None, 0]
    await page.evaluate("document.body.innerHTML = '<p>text'")
    assert {each["directive"] for each in await violations(page)} == {"require-trusted-types-for"}
    await page.evaluate("window.violations.length = 0")


async def test_snippets_run_in_the_global_scope_in_order_and_one_that_throws_stops_no_other(
    page: Page, serve_strict: ServeStrict
) -> None:
    server = await serve_strict("<body id=app></body>")
    await server.visit(page)
    code = "order.push(2); throw new Error('<b>snippet</b>')"
    hostile = "var i = 99, id, data, code, js, script, failed; window.order = [1] // a comment at the end"
    assert (
        await go(
            page, server, hostile, code, "order.push(3)", "} this is no JavaScript {", "order.push(this === window)"
        )
        == "R"
    )
    assert await page.evaluate("[order, i]") == [[1, 2, 3, True], 99]
    title, trace = await page.evaluate(SHOWN_ERROR)
    assert title == "JS Eval Error"
    assert "this is no JavaScript" in trace
    await until(lambda: sum("error" in message for message in server.seen) == 2)
    told = next(message["error"] for message in server.seen if "error" in message)
    assert "<b>snippet</b>" in told
    assert code in told


async def test_functions_and_variables_of_a_snippet_are_globals_and_its_constants_are_its_own(
    page: Page, serve_strict: ServeStrict
) -> None:
    server = await serve_strict("<body id=app></body>")
    await server.visit(page)
    js = (
        "var kept = 1; function plain() { return 2 } async function later() { return 3 } function* each() { yield 4 }",
        "// an async function called (that) in a comment\nlet own = 5; const el = 6; class Own {}",
        "let own = 7; const el = 8; implicit = own + el; class Own {}",
    )
    await go(page, server, *js)
    assert await page.evaluate(SHOWN_ERROR) == ["", ""]
    assert await page.evaluate("(async () => [kept, plain(), await later(), ...each(), implicit])()") == [
        1,
        2,
        3,
        4,
        15,
    ]
    assert await page.evaluate("[typeof own, typeof el, typeof Own]") == ["undefined"] * 3


async def test_a_snippet_may_make_an_update_run_events_and_await(page: Page, serve_strict: ServeStrict) -> None:
    server = await serve_strict("<body id=app><p id=p></p></body>")
    await server.visit(page)
    js = ("htag_event('p', 'inner', 1)", "handle_payload({updates: {p: '<p id=p>made</p>'}, js: ['window.inner = 1']})")
    await go(
        page,
        server,
        *js,
        "(async () => { await 0; window.awaited = (await import('data:text/javascript,export default 4')).default })()",
    )
    await comes(page, "window.inner && window.awaited === 4")
    await until(lambda: ("p", "inner", 1) in server.events())
    assert await page.inner_text("#p") == "made"


async def test_the_error_of_a_snippet_is_reported_once_with_its_code_and_others_as_before(
    page: Page, serve_strict: ServeStrict
) -> None:
    server = await serve_strict("<body id=app></body>")
    await server.visit(page)
    printed: list[str] = []
    page.on("pageerror", lambda error: printed.append(str(error)))
    await page.evaluate("addEventListener('error', () => window.heard = 1); 0")
    await go(page, server, "nothing.there")
    await page.evaluate("setTimeout(() => { throw new Error('another') })")
    await comes(page, "window.heard")
    await until(lambda: sum("error" in message for message in server.seen) == 2)
    first, second = (message["error"] for message in server.seen if "error" in message)
    assert first.startswith("JS Eval Error: ReferenceError: nothing is not defined")
    assert second.startswith("Client JavaScript Error: Error: another")
    assert [text for text in printed if "nothing" in text] == []
    await go(page, server, "window.onerror = () => { window.own = 1; return true }", "nothing.there")
    await page.evaluate("setTimeout(() => { throw new Error('another') })")
    await comes(page, "window.own")


@pytest.mark.parametrize("kind", ["update", "page"])
async def test_statics_run_once_with_the_nonce_however_often_they_come(
    page: Page, serve_strict: ServeStrict, kind: str
) -> None:
    statics = ["<script>window.runs = (window.runs || 0) + 1</script>", "<style>p { color: rgb(1, 2, 3) }</style>"]
    server = await serve_strict("<body id=app><p>here</p></body>", head="".join(statics) if kind == "page" else "")
    await server.visit(page)
    for _ in range(2):
        await server.show(page, statics=statics)
    assert await page.evaluate("runs") == 1
    assert await page.evaluate("document.head.querySelectorAll('style').length") == 1
    assert await page.evaluate("getComputedStyle(document.querySelector('p')).color") == "rgb(1, 2, 3)"


async def test_a_script_with_an_address_may_load_others(page: Page, serve_strict: ServeStrict) -> None:
    server = await serve_strict("<body id=app></body>")
    await server.visit(page)
    await server.show(page, statics=['<script src="lib.js"></script>'], js=["window.order = [window.library]"])
    assert await page.evaluate("order") == ["loaded"]


async def test_updates_pass_where_trusted_types_are_required(page: Page, serve_strict: ServeStrict) -> None:
    server = await serve_strict("<body id=app><p id=p></p></body>")
    await server.visit(page)
    await server.show(page, updates={"p": "<p id=p>new</p>"})
    await server.show(page, updates={"app": "<body id=app><p id=p>newer</p></body>"})
    assert await page.inner_text("#p") == "newer"


async def test_a_page_within_an_attribute_is_trusted_as_the_page_is(page: Page, serve_strict: ServeStrict) -> None:
    server = await serve_strict("<body id=app><iframe id=f srcdoc='<p>one'></iframe></body>")
    await server.visit(page)
    for number, operation in enumerate(
        (["a", "f", "<iframe id=f srcdoc='0'>"], ["h", "f", "<iframe id=f srcdoc=1></iframe>"])
    ):
        await server.show(page, ops=[operation])
        assert await page.get_attribute("#f", "srcdoc") == str(number)
