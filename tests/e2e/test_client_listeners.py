"""htag.js: handlers of elements are listeners, with the semantics of inline handlers, on a page that forbids those."""

from typing import Any

import pytest
from playwright.async_api import Page

from tests.e2e.strict_page import ServeStrict
from tests.support.waiting import until


def on(event: str, source: str, more: str = "") -> str:
    """The attributes of an element that has JavaScript of the app for `event`, and other events that are reported."""
    return f'data-htag-on="{f"{event} {more}".strip()}" data-htag-on-{event}="{source}"'


PREFIXED = on("click", "event.preventDefault();htag_event(htag_id(this), 'click', event)")


async def test_an_event_is_reported_under_the_id_that_the_server_gave(page: Page, serve_strict: ServeStrict) -> None:
    server = await serve_strict(
        '<body id=app data-htag-on="dblclick">'
        '<b id=a data-htag-on="click">a</b><p id=own data-htag-id=p-1 data-htag-on="click mouseover">b</p></body>'
    )
    await server.visit(page)
    await page.evaluate("a.click(); own.click()")
    await page.evaluate("own.dispatchEvent(new MouseEvent('dblclick', {bubbles: true}))")
    await until(lambda: len(server.seen) == 3)
    assert server.events() == [("a", "click", None), ("p-1", "click", None), ("app", "dblclick", None)]


async def test_elements_of_an_update_listen_and_no_longer_to_what_is_gone(
    page: Page, serve_strict: ServeStrict
) -> None:
    server = await serve_strict('<body id=app data-htag-on="click keydown"><p id=p></p></body>')
    await server.visit(page)
    update = {"p": '<p id=p><b id=b data-htag-on="click">b</b></p>'}
    await server.show(page, updates=update, js=["b.click()"])
    await until(lambda: len(server.seen) == 2)
    assert server.events() == [("b", "click", None), ("app", "click", None)]
    await server.show(page, updates={"app": '<body id=app data-htag-on="keydown"></body>'})
    await page.evaluate("document.body.click(); document.body.dispatchEvent(new Event('keydown'))")
    await until(lambda: len(server.seen) == 3)
    assert server.events()[2:] == [("app", "keydown", None)]


async def test_elements_that_the_apps_own_javascript_makes_listen(page: Page, serve_strict: ServeStrict) -> None:
    server = await serve_strict('<body id=app><i id=i data-htag-on="click">x</i></body>')
    await server.visit(page)
    await server.show(page, js=["document.body.append(i.cloneNode(true))"])
    await page.evaluate("document.querySelectorAll('i')[1].click()")
    await until(lambda: server.events() == [("i", "click", None)])


async def test_events_of_the_window_are_heard_by_the_body(page: Page, serve_strict: ServeStrict) -> None:
    names = "hashchange resize message storage online popstate load blur"
    server = await serve_strict(f'<body id=app data-htag-on="{names} click input"><input id=i></body>')
    await server.visit(page)
    await until(lambda: ("app", "load", None) in server.events())
    await page.evaluate("location.hash = 'x'; dispatchEvent(new Event('resize')); postMessage(1); i.focus(); i.blur()")
    await page.evaluate("dispatchEvent(new Event('storage')); dispatchEvent(new Event('online'))")
    await page.evaluate("document.body.dispatchEvent(new Event('resize')); document.body.click()")
    wanted = {"load", "hashchange", "popstate", "resize", "message", "storage", "online", "click"}
    await until(lambda: {event for _, event, _ in server.events()} >= wanted)
    heard = [event for _, event, _ in server.events()]
    assert sorted(heard) == sorted(wanted), "each once; a blur of a field is none of the window"


@pytest.mark.parametrize(
    "event", ["focus", "blur", "load", "scroll", "toggle", "play", "mouseenter", "error", "cancel"]
)
async def test_events_that_do_not_bubble_reach_their_element_only(
    page: Page, serve_strict: ServeStrict, event: str
) -> None:
    server = await serve_strict(
        f'<body id=app><div id=out data-htag-on="{event}"><p id=p data-htag-on="{event}"><i id=i></i></p></div></body>'
    )
    await server.visit(page)
    await page.evaluate("name => { i.dispatchEvent(new Event(name)); p.dispatchEvent(new Event(name)) }", event)
    await page.evaluate("htag_event('app', 'after')")
    assert server.events() == [("p", event, None), ("app", "after", None)]


async def test_what_loads_is_heard_where_the_page_brings_it_and_where_an_update_does(
    page: Page, serve_strict: ServeStrict
) -> None:
    gif = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    images = "".join(
        (
            f'<img id=good{n} data-htag-on="load" src="{gif}"><img id=bad{n} data-htag-on="error" src="data:,x">'
            f'<iframe id=frame{n} data-htag-on="load" srcdoc="x"></iframe>'
        )
        for n in "{}"
    )
    server = await serve_strict(f"<body id=app>{images.replace('{', '1').replace('}', '2')}<p id=p></p></body>")
    await server.visit(page)
    await until(lambda: len(server.seen) == 6)
    await server.show(page, updates={"p": f"<p id=p>{images.replace('{', '3').replace('}', '4')}</p>"})
    await until(lambda: len(server.events()) == 12)
    assert {identity for identity, _, _ in server.events()} == {
        f"{kind}{n}" for kind in ("good", "bad", "frame") for n in (1, 2, 3, 4)
    }


# -- JavaScript of the app


async def values(page: Page, server: Any, html: str, act: str = "x.click()") -> Any:
    """What `window.seen` is, where `html` stands on the page and `act` was done."""
    await server.visit(page)
    await server.show(page, updates={"p": f"<div id=p>{html}</div>"})  # in a paragraph, a form would not stay
    await page.evaluate(f"window.seen = []; {act}")
    return await page.evaluate("seen")


@pytest.mark.parametrize(
    ("html", "seen"),
    [
        (
            f"<b id=x title=T {on('click', 'seen.push(this.id, event.type, event.currentTarget === this)')}>",
            ["x", "click", True],
        ),
        (f"<b id=x title=T {on('click', 'seen.push(title, id)')}>", ["T", "x"]),
        (
            f"<b id=x {on('click', 'seen.push(typeof write, getElementById(id) === this)')}>",
            ["function", True],
        ),
        (
            "<form name=F><input name=event value=E><button type=button id=x "
            f"{on('click', 'seen.push(name, event.type, typeof action)')}></form>",
            ["", "click", "string"],
        ),
        (
            f"<b id=x title=T {on('click', 'var title = 1; let id = 2; seen.push(title, id, this.title, this.id)')}>",
            [1, 2, "T", "x"],
        ),
        (f"<b id=x {on('click', 'seen.push(1); return; seen.push(2)')}>", [1]),
        (f"<b id=x {on('click', 'seen.push(1) // a comment')}>", [1]),
        (f"<b id=x {on('click', 'seen.push(arguments.length, arguments[0] === event)')}>", [1, True]),
    ],
)
async def test_names_in_a_handler_are_looked_up_as_in_an_inline_one(
    page: Page, serve_strict: ServeStrict, html: str, seen: list[Any]
) -> None:
    assert await values(page, await serve_strict("<body id=app><div id=p></div></body>"), html) == seen


@pytest.mark.parametrize(
    ("source", "act", "seen"),
    [
        ("return false", "seen.push(x.checked)", [False]),
        ("return 0", "seen.push(x.checked)", [True]),
        ("event.preventDefault()", "seen.push(x.checked)", [False]),
        ("event.stopPropagation()", "seen.push(window.outer)", [None]),
        ("0", "seen.push(window.outer)", [1]),
    ],
)
async def test_what_a_handler_decides_for_its_event(
    page: Page, serve_strict: ServeStrict, source: str, act: str, seen: list[Any]
) -> None:
    html = f"<s {on('click', 'window.outer = 1')}><input type=checkbox id=x {on('click', source)}></s>"
    server = await serve_strict("<body id=app><div id=p></div></body>")
    assert await values(page, server, html, f"x.click(); {act}") == seen


async def test_handlers_come_before_listeners_that_scripts_add(page: Page, serve_strict: ServeStrict) -> None:
    first = f"<b id=first {on('click', 'order.push(1)')}>b</b>"
    head = (
        "<script>window.order = []; document.addEventListener('DOMContentLoaded', () => "
        "first.addEventListener('click', () => order.push(2)))</script>"
    )
    server = await serve_strict(f"<body id=app>{first}<p id=p></p></body>", head=head)
    await server.visit(page)
    await page.evaluate("first.click()")
    js = "second.addEventListener('click', () => order.push(4)); second.click()"
    await server.show(page, updates={"p": f"<p id=p><i id=second {on('click', 'order.push(3)')}>i</i></p>"}, js=[js])
    assert await page.evaluate("order") == [1, 2, 3, 4]


async def test_a_callback_with_javascript_before_it_is_compiled_once_for_all_its_elements(
    page: Page, serve_strict: ServeStrict
) -> None:
    links = "".join(f'<a href="#no" id=a{n} {PREFIXED}>{n}</a>' for n in range(200))
    server = await serve_strict(f"<body id=app>{links}</body>")
    await server.visit(page)
    await page.evaluate(
        "window.scripts = 0; new MutationObserver(records => records.forEach(({addedNodes}) => "
        "window.scripts += [...addedNodes].filter(node => node.tagName === 'SCRIPT').length))"
        ".observe(document, {childList: true, subtree: true})"
    )
    await page.evaluate("for (const link of document.querySelectorAll('a')) link.click()")
    await until(lambda: len(server.seen) == 200)
    assert [identity for identity, _, _ in server.events()] == [f"a{n}" for n in range(200)]
    assert await page.evaluate("[scripts, location.hash]") == [1, ""]


async def test_handlers_of_the_window_have_its_scope(page: Page, serve_strict: ServeStrict) -> None:
    source = "window.seen = [this === window, typeof title, event.type]; htag_event(htag_id(this), 'hash', 5)"
    server = await serve_strict(f"<body id=app title=T {on('hashchange', source)}></body>")
    await server.visit(page)
    await page.evaluate("location.hash = 'x'")
    await until(lambda: server.events() == [("app", "hash", 5)])
    assert await page.evaluate("seen") == [True, "undefined", "hashchange"]


async def test_a_handler_that_fails_is_reported_and_one_that_is_no_javascript_once(
    page: Page, serve_strict: ServeStrict
) -> None:
    html = f"<b id=bad {on('click', 'nothing.there')}></b><b id=worse {on('click', '}{')}></b>"
    html += "<b id=good data-htag-on=click></b>"
    server = await serve_strict(f"<body id=app>{html}</body>")
    await server.visit(page)
    await page.evaluate("bad.click(); worse.click(); worse.click(); good.click()")
    await until(lambda: ("good", "click", None) in server.events())
    bad, worse = (message["error"] for message in server.seen if "error" in message)
    assert "nothing is not defined" in bad
    assert worse.startswith("JS Eval Error: SyntaxError")
    assert worse.endswith("\n}{")


async def test_a_handler_that_changes_is_the_new_one(page: Page, serve_strict: ServeStrict) -> None:
    server = await serve_strict(f"<body id=app {on('click', 'window.seen = 1')}></body>")
    await server.visit(page)
    await server.show(page, updates={"app": f"<body id=app {on('click', 'window.seen = 2', 'keyup')}></body>"})
    await page.evaluate("document.body.click()")
    assert await page.evaluate("seen") == 2
    await server.show(page, updates={"app": '<body id=app data-htag-on="click"></body>'})
    await page.evaluate("document.body.click()")
    await until(lambda: server.events() == [("app", "click", None)])


async def test_leaving_may_be_asked_about(page: Page, serve_strict: ServeStrict) -> None:
    server = await serve_strict(f"<body id=app {on('beforeunload', 'return &quot;really?&quot;')}>text</body>")
    await server.visit(page)
    asked: list[str] = []

    async def answer(dialog: Any) -> None:
        asked.append(dialog.type)
        await dialog.accept()

    page.on("dialog", answer)
    await page.click("body")  # without a person's act there is no question
    await page.reload()
    assert asked == ["beforeunload"]


async def test_a_page_with_inline_handlers_works_where_it_may(page: Page, serve: Any) -> None:
    server = await serve("<body id=app><b id=b onclick=\"htag_event('b', 'click', event)\">b</b></body>")
    await page.goto(server.url)
    await page.click("#b")
    await until(lambda: server.events() == [("b", "click", None)])
