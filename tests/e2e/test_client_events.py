"""htag.js: what an event says, and when it is sent."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import CDPSession, Page

from tests.e2e.wire_server import WireServer
from tests.support.waiting import until

Serve = Callable[..., Awaitable[WireServer]]


async def visit(page: Page, server: WireServer) -> None:
    await page.goto(server.url)
    await page.wait_for_function("window.ws?.readyState === 1")
    await until(lambda: server.connected)


def data_of(server: WireServer, index: int = -1) -> dict[str, Any]:
    data: dict[str, Any] = dict(server.seen[index]["data"])
    data.pop("callback_id")
    return data


def values(server: WireServer, event: str = "input") -> list[Any]:
    return [value for _, name, value in server.events() if name == event]


# -- what it says


async def test_modifiers_and_repetition_are_told_where_they_are_true(page: Page, serve: Serve) -> None:
    server = await serve('<body id=app data-htag-on="keydown click">text</body>')
    await visit(page, server)
    await page.keyboard.down("Shift")
    await page.keyboard.down("a")
    await page.keyboard.down("a")
    await until(lambda: len(server.seen) == 3)
    assert data_of(server, 1) == {"key": "a", "which": 65, "shiftKey": True}
    assert data_of(server, 2) == {"key": "a", "which": 65, "shiftKey": True, "repeat": True}
    await page.keyboard.up("a")
    await page.keyboard.up("Shift")
    await page.click("body", modifiers=["Alt", "Control", "Meta"])
    await until(lambda: server.events()[-1][1] == "click")
    assert {name for name, value in data_of(server).items() if value is True} == {"altKey", "ctrlKey", "metaKey"}


FORM = """<form id=f data-htag-on="submit"
    data-htag-on-submit="event.preventDefault(); htag_event(htag_id(this), 'submit', event)">
    <input name=one value=1><input name=two value=a><input name=two value=b>
    <select name=many multiple><option selected>x<option>y<option selected>z</select>
    <select name=single multiple><option selected>x<option>y</select>
    <select name=none multiple><option>x</select><select name=off multiple disabled><option selected>x</select>
    <input type=checkbox name=ticks value=p checked><input type=checkbox name=ticks value=q>
    <input type=file name=file><input name=__proto__ value=safe><input name=toString value=own>
    <button>go</button></form>"""


async def test_names_that_come_several_times_in_a_form_are_lists(page: Page, serve: Serve) -> None:
    server = await serve(f"<body id=app>{FORM}</body>")
    await visit(page, server)
    await page.set_input_files("[type=file]", {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"secret"})
    await page.click("button")
    await until(lambda: server.seen)
    assert data_of(server)["value"] == {
        "one": "1",
        "two": ["a", "b"],
        "many": ["x", "z"],
        "single": ["x"],
        "none": [],
        "ticks": "p",
        "file": "plan.txt",
        "__proto__": "safe",
        "toString": "own",
    }


async def test_a_choice_of_several_is_a_list(page: Page, serve: Serve) -> None:
    options = "<option>x<option>y<option>z</select>"
    server = await serve(f'<body id=app><select id=s multiple data-htag-on="change">{options}</body>')
    await visit(page, server)
    for chosen in (["x", "z"], ["y"], []):
        await page.select_option("#s", chosen)
        await until(lambda chosen=chosen: values(server, "change")[-1:] == [chosen])


async def test_a_choice_of_several_that_stands_outside_its_form_is_a_list_as_well(page: Page, serve: Serve) -> None:
    select = "<select name={} form=f multiple><option>x<option>y</select>"
    server = await serve(f"<body id=app>{FORM}{select.format('beside')}{select.format('empty')}</body>")
    await visit(page, server)
    await page.select_option("[name=beside]", "y")
    await page.click("button")
    await until(lambda: server.seen)
    value = data_of(server)["value"]
    assert (value["beside"], value["empty"], value["single"]) == (["y"], [], ["x"])


# -- when it is sent


async def composing(page: Page) -> CDPSession:
    """The browser as an input method sees it, with the field `i` focused."""
    await page.focus("#i")
    return await page.context.new_cdp_session(page)


async def compose(session: CDPSession, text: str) -> None:
    await session.send(
        "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
    )


FIELDS = [
    '<input id=i data-htag-on="input keydown change">',
    '<textarea id=i data-htag-on="input change"></textarea>',
    '<p data-htag-debounce="50"><input id=i data-htag-on="input change"></p>',
]


@pytest.mark.parametrize("field", FIELDS)
async def test_what_is_composed_is_sent_once_it_is_composed(page: Page, serve: Serve, field: str) -> None:
    server = await serve(f"<body id=app>{field}</body>")
    await visit(page, server)
    session = await composing(page)
    for text in ("n", "ni", "に", "にh", "にほ"):
        await compose(session, text)
    assert await page.evaluate("document.body.className") == "interacting", "the server does not know it yet"
    await page.evaluate("htag_event('app', 'beside')")
    assert values(server) == []
    await session.send("Input.insertText", {"text": "日本"})
    await until(lambda: values(server))
    await page.keyboard.type("x")
    await until(lambda: values(server)[-1] == "日本x")
    assert values(server) == ["日本", "日本x"]
    assert "isComposing" not in data_of(server)
    await page.wait_for_function("document.body.className === ''")


@pytest.mark.parametrize("is_loaded", [True, False])
async def test_a_field_that_is_made_anew_while_it_waits_says_the_last_word_alone(
    page: Page, serve: Serve, is_loaded: bool
) -> None:
    """The tag of a field that a callable makes has another id each time. `is_loaded`: what comes after the page."""
    field = '<input id=i{} data-htag-on="input">'
    if not is_loaded:
        await page.route("**/later.js*", lambda route: route.abort())
    server = await serve(f"<body id=app>{field.format(0)}</body>")
    await visit(page, server)
    await page.focus("input")
    session = await page.context.new_cdp_session(page)
    for n, text in enumerate(("n", "ni", "に")):
        await compose(session, text)
        if is_loaded:
            server.push(updates={"app": f"<body id=app>{field.format(n + 1)}</body>"})
            await page.wait_for_function(f"document.querySelector('#i{n + 1}')")
        else:
            await page.evaluate(f"document.querySelector('input').id = 'i{n + 1}'")
    await session.send("Input.insertText", {"text": "日本"})
    await until(lambda: values(server))
    await page.evaluate("htag_event('app', 'end')")
    assert server.events() == [("i3", "input", "日本"), ("app", "end", None)]


async def test_a_composition_that_ends_as_the_field_is_left_comes_before_the_change(page: Page, serve: Serve) -> None:
    server = await serve(f'<body id=app>{FIELDS[0]}<button id=b data-htag-on="click">b</button></body>')
    await visit(page, server)
    await compose(await composing(page), "ni")
    await page.click("#b")
    await until(lambda: "click" in [event for _, event, _ in server.events()])
    told = [(event, value) for _, event, value in server.events() if event != "keydown"]
    assert told == [("input", "ni"), ("change", "ni"), ("click", "")]


async def test_a_pause_in_typing_sends_what_was_typed_in_one_event(page: Page, serve: Serve) -> None:
    server = await serve('<body id=app data-htag-debounce=150><input id=i data-htag-on="input"></body>')
    await visit(page, server)
    await page.evaluate(
        "window.answers = []; i.addEventListener('input', (event) => answers.push(htag_event('i', 'input', event)))"
    )
    server.reply = lambda event: {"result": event["data"]["value"]}
    await page.type("#i", "abc", delay=20)
    assert values(server) == []
    await until(lambda: values(server) == ["abc"])
    assert await page.evaluate("Promise.all(answers)") == ["abc"] * 3, "each call is answered"
    await page.type("#i", "d")
    await until(lambda: values(server) == ["abc", "abcd"])


async def test_a_field_with_two_handlers_waits_for_both(page: Page, serve: Serve) -> None:
    field = '<p id=p data-htag-on="input"><input id=i data-htag-on="input"></p>'
    server = await serve(f"<body id=app data-htag-debounce=200>{field}</body>")
    await visit(page, server)
    await page.type("#i", "abc", delay=20)
    await until(lambda: len(server.events()) == 2)
    assert server.events() == [("i", "input", "abc"), ("p", "input", "abc")]


async def test_a_throttle_sends_the_first_at_once_and_the_last_in_time(page: Page, serve: Serve) -> None:
    server = await serve('<body id=app><input id=i data-htag-on="input" data-htag-throttle=300></body>')
    await visit(page, server)
    await page.type("#i", "a")
    await until(lambda: values(server) == ["a"])
    await page.type("#i", "bcdef", delay=10)
    await until(lambda: values(server)[-1] == "abcdef")
    assert values(server) == ["a", "abcdef"]


async def test_the_nearest_delay_counts_and_none_is_for_choices(page: Page, serve: Serve) -> None:
    fields = (
        '<p data-htag-debounce=0><input id=i data-htag-on="input"></p><input id=t type=checkbox data-htag-on="input">'
        '<select id=s data-htag-on="input"><option>x<option>y</select>'
    )
    server = await serve(f"<body id=app data-htag-debounce=60000>{fields}</body>")
    await visit(page, server)
    await page.type("#i", "a")
    await page.check("#t")
    await page.select_option("#s", "y")
    await until(lambda: values(server) == ["a", True, "y"])


@pytest.mark.parametrize(
    ("act", "after"),
    [
        ("document.querySelector('b').click()", [("b", "click")]),
        ("htag_event('app', 'own')", [("app", "own")]),
        ("i.blur()", []),
        ("j.focus()", []),
        ("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))", []),
        ("j.focus(); j.dispatchEvent(new Event('input', {bubbles: true}))", []),
    ],
)
async def test_what_is_typed_goes_before_whatever_follows(
    page: Page, serve: Serve, act: str, after: list[tuple[str, str]]
) -> None:
    fields = '<input id=i data-htag-on="input"><input id=j data-htag-on="input"><b id=b data-htag-on="click">b</b>'
    server = await serve(f"<body id=app data-htag-debounce=60000>{fields}</body>")
    await visit(page, server)
    await page.type("#i", "ab")
    await page.evaluate(f"void {act}")
    await until(lambda: len(server.events()) == 1 + len(after))
    assert server.events()[0] == ("i", "input", "ab")
    assert [each[:2] for each in server.events()[1:]] == after


async def test_a_field_that_waits_is_left_to_the_person(page: Page, serve: Serve) -> None:
    server = await serve(
        '<body id=app data-htag-debounce=300><p id=p><input id=i value="" data-htag-on="input"></p></body>'
    )
    await visit(page, server)
    await page.type("#i", "ab")
    server.push(updates={"p": '<p id=p><input id=i value="old" data-htag-on="input"></p>'}, js=["window.shown = 1"])
    await page.wait_for_function("window.shown")
    assert await page.input_value("#i") == "ab"
    await until(lambda: values(server) == ["ab"])


# -- how much


async def told(page: Page) -> str:
    text: str = await page.locator("htag-notice [part=text]").inner_text()
    return text


@pytest.mark.parametrize("parano", [None, "0123456789abcdef"])
async def test_what_is_too_large_is_told_and_stays_in_its_field(page: Page, serve: Serve, parano: str | None) -> None:
    server = await serve(
        '<body id=app><textarea id=i data-htag-on="change"></textarea></body>',
        head="<script>window.HTAG_LIMIT = 10000</script>",
        parano=parano,
    )
    await visit(page, server)
    await page.evaluate("window.connection = ws")
    fits, long = "é" * 3000, "é" * 7000
    await page.fill("#i", long)
    await page.evaluate("i.blur()")
    await page.wait_for_function("document.querySelector('htag-notice')?.hasAttribute('show')")
    assert "too much" in await told(page)
    assert await page.evaluate("text => htag_event('i', 'own', text)", long) is None
    assert await page.evaluate("[i.value.length, window.connection === ws, document.body.className]") == [
        7000,
        True,
        "",
    ]
    assert server.events() == []
    await page.evaluate("text => htag_event('i', 'own', text)", fits)
    assert server.events() == [("i", "own", fits)]
    (sent,) = [message for message in server.seen if "event" in message]
    assert len(str(sent)) < 10000
