"""htag.js: what it sends, and what it does to the page."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page

from tests.e2e.dialog import SHOWN_ERROR
from tests.e2e.wire_server import WireServer
from tests.support.waiting import until

Serve = Callable[..., Awaitable[WireServer]]


def on(event: str, identity: str) -> str:
    """The attribute that reports `event`, as htag renders it."""
    return f"id=\"{identity}\" on{event}=\"htag_event('{identity}','{event}',event)\""


async def visit(page: Page, server: WireServer) -> None:
    await page.goto(server.url)
    await page.wait_for_function("window.ws?.readyState === 1")
    await until(lambda: server.connected)


async def show(page: Page, server: WireServer, **content: Any) -> None:
    """Push an update and wait until it is applied."""
    server.push(**{**content, "js": [*content.get("js", []), "window.applied = (window.applied || 0) + 1"]})
    await page.wait_for_function("window.applied && window.applied--")


def data_of(server: WireServer, index: int = -1) -> dict[str, Any]:
    data: dict[str, Any] = dict(server.seen[index]["data"])
    data.pop("callback_id")
    return data


# -- what is sent


async def test_a_click_sends_its_place_and_resolves_with_the_result(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app><p id=p>here</p></body>")
    await visit(page, server)
    server.reply = lambda event: {"result": {"n": [1, None, "é"]}}
    assert await page.evaluate("htag_event('p', 'click', new MouseEvent('click', {clientX: 3, clientY: 4}))") == {
        "n": [1, None, "é"]
    }
    assert server.events() == [("p", "click", None)]
    assert data_of(server) == {"pageX": 3, "pageY": 4, "button": 0, "which": 1}


async def test_typing_sends_each_value_in_order(page: Page, serve: Serve) -> None:
    server = await serve(f"<body id=app><input {on('input', 'i')}></body>")
    await visit(page, server)
    await page.type("#i", "abc")
    await until(lambda: len(server.seen) == 3)
    assert server.events() == [("i", "input", "a"), ("i", "input", "ab"), ("i", "input", "abc")]


async def test_a_key_is_sent(page: Page, serve: Serve) -> None:
    server = await serve(f"<body id=app><input {on('keydown', 'i')}></body>")
    await visit(page, server)
    await page.press("#i", "Enter")
    await until(lambda: server.seen)
    assert data_of(server)["key"] == "Enter"


@pytest.mark.parametrize("kind", ["checkbox", "radio"])
async def test_a_tick_sends_value_and_checked_as_boolean(page: Page, serve: Serve, kind: str) -> None:
    server = await serve(f'<body id=app><input type={kind} value="v" {on("change", "c")}></body>')
    await visit(page, server)
    await page.check("#c")
    await until(lambda: server.seen)
    assert data_of(server) == {"value": True, "checked": True}


async def test_a_form_sends_its_named_fields(page: Page, serve: Serve) -> None:
    form = (
        "<form id=f onsubmit=\"event.preventDefault();htag_event('f','submit',event)\"><input name=id value=clobbers>"
        "<input name=a value=1><input name=a value=2><input type=checkbox name=off>"
        "<input type=checkbox name=on checked><select name=s><option>x<option selected>y</select>"
        "<textarea name=t>long</textarea><button>go</button></form>"
    )
    server = await serve(f"<body id=app>{form}</body>")
    await visit(page, server)
    await page.click("button")
    await until(lambda: server.seen)
    assert data_of(server)["value"] == {"id": "clobbers", "a": ["1", "2"], "on": "on", "s": "y", "t": "long"}


async def test_a_hash_change_sends_both_urls(page: Page, serve: Serve) -> None:
    server = await serve(f"<body {on('hashchange', 'app')}></body>")
    await visit(page, server)
    await page.evaluate("location.hash = '/x'")
    await until(lambda: server.seen)
    assert data_of(server) == {"oldURL": server.url, "newURL": server.url + "#/x"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("{a: 1, value: 2}", {"a": 1, "value": 2}),
        ("'text'", {"value": "text"}),
        ("0", {"value": 0}),
        ("null", {"value": None}),
        ("undefined", {}),
    ],
)
async def test_custom_data(page: Page, serve: Serve, given: str, sent: dict[str, Any]) -> None:
    server = await serve("<body id=app></body>")
    await visit(page, server)
    await page.evaluate(f"htag_event('app', 'custom', {given})")
    assert data_of(server) == sent


async def test_what_is_not_json_resolves_with_null_and_says_why(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app></body>")
    await visit(page, server)
    assert await page.evaluate("htag_event('app', 'custom', {n: 10n})") is None
    assert "BigInt" in (await page.evaluate(SHOWN_ERROR))[1]
    assert server.events() == []


async def test_the_body_is_interacting_while_an_answer_is_awaited(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app></body>")
    await visit(page, server)
    server.reply = lambda event: None
    await page.evaluate("void htag_event('app', 'slow')")
    await until(lambda: server.seen)
    await show(page, server, updates={"app": '<body id="app" class="dark">new</body>'})
    assert await page.get_attribute("body", "class") == "dark interacting"
    server.push(callback_id=server.seen[0]["data"]["callback_id"], result=1)
    await page.wait_for_function("document.body.className === 'dark'")


async def test_a_transport_of_the_page_gets_the_messages(page: Page, serve: Serve) -> None:
    head = "<script>window.HTAG_EXT_INIT = true; window.sent = []; window.htag_transport = m => sent.push(m)</script>"
    server = await serve("<body id=app></body>", head=head)
    await page.goto(server.url)
    await page.evaluate("window.answer = htag_event('app', 'x', 5); 0")
    (sent,) = await page.evaluate("sent")
    assert (sent["id"], sent["event"], sent["data"]["value"]) == ("app", "x", 5)
    answer = {"action": "update", "updates": {}, "callback_id": sent["data"]["callback_id"], "result": "R"}
    assert await page.evaluate("m => (handle_payload(m), answer)", answer) == "R"
    assert server.attempts == []


# -- updates


async def test_an_update_replaces_by_id_then_by_data_htag_id_and_skips_the_unknown(page: Page, serve: Serve) -> None:
    server = await serve('<body id=app><p id=a></p><p id=own data-htag-id="p-&quot;1"></p></body>')
    await visit(page, server)
    updates = {"a": "<p id=a>A</p>", 'p-"1': '<p id=own data-htag-id="p-&quot;1">B</p>', "gone": "<p>never</p>"}
    await show(page, server, updates=updates)
    assert await page.evaluate("[...document.querySelectorAll('p')].map(p => p.textContent)") == ["A", "B"]


async def test_a_table_row_can_be_replaced(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app><table><tbody><tr id=r><td>1</td></tr></tbody></table></body>")
    await visit(page, server)
    await show(page, server, updates={"r": "<tr id=r><td>2</td></tr>"})
    assert await page.inner_html("tbody") == '<tr id="r"><td>2</td></tr>'


async def test_the_body_is_changed_in_place(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app data-old=1 title=a onhashchange='window.hashes = 1'><p>old</p></body>")
    await visit(page, server)
    await page.evaluate("window.before = document.body; 0")
    await show(
        page, server, updates={"app": "<body id=app title=b lang=fr><script>window.ran = 1</script><p>new</p></body>"}
    )
    assert await page.evaluate("before === document.body")
    names = "[...document.body.attributes].map(a => a.name + '=' + a.value).sort()"
    assert await page.evaluate(names) == ["id=app", "lang=fr", "title=b"]
    assert await page.evaluate("[window.onhashchange, document.querySelector('p').textContent, window.ran]") == [
        None,
        "new",
        None,
    ]
    assert await page.evaluate("_error_overlay.isConnected")


async def test_focus_caret_and_scroll_survive_the_replacement_of_their_parent(page: Page, serve: Serve) -> None:
    tall = "<div id=s style='height:50px;overflow:auto'><p style='height:900px'></div>"
    box = f"<div id=box><input id=i value=abcdef>{tall}</div>"
    server = await serve(f"<body {on('focusin', 'app')}>{box}</body>")
    await visit(page, server)
    await page.focus("#i")
    await until(lambda: len(server.seen) == 1)
    await page.evaluate("document.querySelector('#i').setSelectionRange(2, 4, 'backward')")
    await page.evaluate(
        "s.scrollTop = 120; new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame))"
    )
    for replaced in ({"box": box}, {"app": f"<body {on('focusin', 'app')}>{box}</body>"}):
        await show(page, server, updates=replaced)
        state = "[document.activeElement.id, i.selectionStart, i.selectionEnd, i.selectionDirection, s.scrollTop]"
        assert await page.evaluate(state) == ["i", 2, 4, "backward", 120]
    # two within one frame: the scroll event of the first replacement has not come yet
    await page.evaluate("html => { for (const n of [1, 2]) handle_payload({updates: {box: html}}) }", box)
    assert await page.evaluate("s.scrollTop") == 120
    assert len(server.seen) == 1, "restoring the focus is nobody's event"


async def test_what_is_typed_survives_until_the_server_knows_it_and_then_the_server_decides(
    page: Page, serve: Serve
) -> None:
    def box(value: str) -> str:
        return f"<div id=box><input {on('input', 'i')} value='{value}'></div>"

    server = await serve(f"<body id=app>{box('')}</body>")
    await visit(page, server)
    server.reply = lambda event: None
    await page.type("#i", "ab")
    await until(lambda: len(server.seen) == 2)
    first, second = (message["data"]["callback_id"] for message in server.seen)
    await show(page, server, updates={"box": box("a")}, callback_id=first, result=None)
    assert await page.evaluate("[i.value, i.selectionStart, document.activeElement.id]") == ["ab", 2, "i"]
    await show(page, server, updates={"box": box("")}, callback_id=second, result=None)
    assert await page.input_value("#i") == ""


async def test_statics_go_to_the_head_before_the_js_and_scripts_run_in_order(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app></body>")
    await visit(page, server)
    await show(
        page,
        server,
        statics=[
            "<style>body { color: rgb(1, 2, 3) }</style>",
            '<script src="lib.js"></script>',
            "<script>window.order = [window.library]</script>",
            "<p id=nope>neither style, link nor script</p>",
        ],
        js=["order.push('js')"],
    )
    assert await page.evaluate("order") == ["loaded", "js"]
    assert await page.evaluate("getComputedStyle(document.body).color") == "rgb(1, 2, 3)"
    assert await page.evaluate("document.querySelector('#nope')") is None


async def test_a_script_that_does_not_load_holds_nothing_up(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app></body>")
    await visit(page, server)
    await show(page, server, statics=['<script src="missing.js"></script>'])


async def test_js_snippets_run_in_order_alone_and_one_may_fail(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app></body>")
    await visit(page, server)
    hostile = "var i = 99, id, data, code, js, message, element; window.order = [1]"
    js = [
        hostile,
        "let x = 1",
        "throw new Error('<b>snippet</b>')",
        "let x = 2",
        "order.push(2)",
        "function later() { return 3 }",
    ]
    server.reply = lambda event: {"js": [*js, "order.push('last')"], "result": "R"}
    assert await page.evaluate("htag_event('app', 'go').then(result => [result, ...order])") == ["R", 1, 2, "last"]
    assert await page.evaluate("later()") == 3
    title, trace = await page.evaluate(SHOWN_ERROR)
    assert title == "JS Eval Error"
    assert "<b>snippet</b>" in trace
    await until(lambda: any(message.get("action") == "log_error" for message in server.seen))


async def test_a_snippet_that_changes_the_transport_does_not_lose_its_own_answer(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app></body>")
    await visit(page, server)
    server.reply = lambda event: {"js": ["fallback()"], "result": "R"}
    assert await page.evaluate("htag_event('app', 'go')") == "R"


# -- errors


async def test_a_server_error_is_shown_as_text_closed_by_its_button_and_the_promise_is_null(
    page: Page, serve: Serve
) -> None:
    server = await serve("<body id=app></body>")
    await visit(page, server)
    server.reply = lambda event: {"action": "error", "traceback": "<img src=x onerror=alert(1)>"}
    assert await page.evaluate("htag_event('app', 'go')") is None
    assert await page.evaluate(SHOWN_ERROR) == ["Server Error", "<img src=x onerror=alert(1)>"]
    panel = page.locator("htag-error section")
    assert await panel.is_visible()
    assert await panel.locator("img").count() == 0
    await page.locator("htag-error button[title=Close]").click()
    assert await panel.is_hidden()


@pytest.mark.parametrize(
    ("cause", "title"),
    [
        ("setTimeout(() => { throw new Error('boom') })", "Client JavaScript Error"),
        ("Promise.reject(new Error('boom'))", "Unhandled Promise Rejection"),
    ],
)
async def test_errors_of_the_page_are_shown_and_reported(page: Page, serve: Serve, cause: str, title: str) -> None:
    server = await serve("<body id=app></body>")
    await visit(page, server)
    await page.evaluate(f"{cause}; 0")
    await until(lambda: server.seen)
    assert server.seen[0]["action"] == "log_error"
    assert "boom" in server.seen[0]["error"]
    assert (await page.evaluate(SHOWN_ERROR))[0] == title


async def test_a_failing_loop_does_not_flood_the_server(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app></body>")
    await visit(page, server)
    await page.evaluate("for (let n = 0; n < 200; n++) onerror('again ' + n)")
    await page.evaluate("htag_event('app', 'after')")
    assert 1 <= sum("error" in message for message in server.seen) < 50


async def test_the_copy_button_selects_and_copies_the_trace(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app></body>")
    await visit(page, server)
    await page.evaluate("_error_overlay.show('t', 'the trace'); document.oncopy = () => { window.copied = true }; 0")
    await page.get_by_role("button", name="Copy").click()
    assert await page.evaluate("copied")


# -- parano


async def test_parano_in_both_directions(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app><p id=p></p></body>", parano="0123456789abcdef")
    await visit(page, server)
    text = "é€😀<&\u2028"
    server.reply = lambda event: {"updates": {"p": f"<p id=p>{text}</p>".replace("<&", "&lt;&amp;")}, "result": text}
    assert await page.evaluate("text => htag_event('p', 'x', text)", text) == text
    assert server.events() == [("p", "x", text)]
    assert await page.inner_text("#p") == text


async def test_a_megabyte_of_parano_is_fast(page: Page, serve: Serve) -> None:
    server = await serve("<body id=app></body>", parano="0123456789abcdef")
    await visit(page, server)
    server.reply = lambda event: {"result": len(json.dumps(event["data"]["value"]))}
    took = await page.evaluate(
        "{ const text = 'x'.repeat(1 << 20); const start = performance.now();"
        "htag_event('app', 'x', text); window.took = performance.now() - start }; took"
    )
    await until(lambda: server.seen)
    assert len(server.seen[0]["data"]["value"]) == 1 << 20
    assert took < 500, "ms that the page stood still; 20 are usual"


async def test_a_page_that_was_to_begin_anew_does_not_do_so_again_by_itself(page: Page, serve: Serve) -> None:
    """Where another tab has begun a session since, the two would end each other's for ever."""
    server = await serve("<body></body>")
    await page.goto(f"{server.url}?n&shown=1")
    await page.wait_for_function("window.ws?.readyState === 1")
    await until(lambda: server.connected)
    await server.close(4404)
    await page.wait_for_url(lambda url: url.endswith("?shown=1"))
    await page.wait_for_function("window.ws?.readyState === 1")
