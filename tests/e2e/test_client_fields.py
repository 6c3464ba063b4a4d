"""Fields: what a person types or chooses is not lost to what the server says meanwhile; the server can change it."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page

from tests.e2e.static_page import answer, apply, show

INPUT = "<input id=input-1{more} data-htag-on=input>"
BODY = "<body data-htag-id=body-1><div id=div-1>text{content}</div></body>"
FOCUS = "[document.activeElement.localName, document.activeElement.value ?? document.activeElement.textContent]"
LETTERS = "the quick brown fox jumps over the lazy dog and then once more"[:60]


def parent(content: str, more: str = "") -> list[str]:
    return ["h", "div-1", f"<div id=div-1>{more}text{content}</div>"]


async def value(page: Page, selector: str = "input") -> str:
    return await page.input_value(selector)


@pytest.mark.parametrize(
    "field",
    [
        "<input id=input-1 data-htag-on=input>",
        "<textarea id=textarea-1 data-htag-on=input></textarea>",
        "<div id=div-2 contenteditable data-htag-on=input></div>",
        "<input data-htag-on=input>",
        "<input id=input-{n} data-htag-on=input>",
        "<textarea id=textarea-{n} data-htag-on=input></textarea>",
    ],
)
async def test_typing_goes_on_while_the_parent_is_rendered(page: Page, field: str) -> None:
    """`{n}`: one that a callable makes anew each time."""
    await show(page, BODY.format(content=field.format(n=0)))
    await page.focus("#div-1 > :last-child")

    async def tick() -> None:
        for n in range(1, 10_000):
            await apply(page, parent(field.format(n=n), f"<b id=b-1>{n}</b>" * (n % 2)))
            await asyncio.sleep(0.05)

    ticking = asyncio.create_task(tick())
    for at, letter in enumerate(LETTERS):
        await page.keyboard.press("Space" if letter == " " else letter, delay=15)
        if at == 30:
            await page.keyboard.press("ArrowLeft")
            await page.keyboard.press("ArrowRight")
    ticking.cancel()
    shown = (await page.evaluate(FOCUS))[1].replace("\xa0", " ")
    assert shown == LETTERS


async def test_the_value_that_the_server_was_told_is_no_news(page: Page) -> None:
    await show(page, BODY.format(content=INPUT.format(more="")))
    await page.type("input", "abc")
    await answer(page)
    await page.evaluate("document.querySelector('input').setSelectionRange(1, 2)")
    await apply(page, parent(INPUT.format(more=" value=abc class=x")))
    assert await page.evaluate("document.querySelector('input').selectionStart") == 1


@pytest.mark.parametrize("more", ["", " value=''", " value=abc"])
async def test_the_server_clears_what_it_was_told(page: Page, more: str) -> None:
    """A form that was sent: the page never heard of another value than the one that the server goes back to."""
    await show(page, BODY.format(content=INPUT.format(more=more)))
    await page.fill("input", "hello")
    await answer(page)
    await apply(page, ["a", "input-1", INPUT.format(more=more)])
    assert await value(page) == ("abc" if "abc" in more else "")
    await page.fill("input", "again")
    await answer(page, ["a", "input-1", INPUT.format(more=" value=changed")])
    assert await value(page) == "changed"


async def test_what_the_server_says_of_a_field_whose_event_is_under_way_is_old(page: Page) -> None:
    await show(page, BODY.format(content=INPUT.format(more=" value=a")))
    await page.fill("input", "person")
    await apply(page, ["a", "input-1", INPUT.format(more=" value=server")])
    assert await value(page) == "person"
    await answer(page, ["a", "input-1", INPUT.format(more=" value=PERSON")])
    assert await value(page) == "PERSON"


async def test_a_field_that_nobody_typed_in_shows_what_the_server_says(page: Page) -> None:
    await show(page, BODY.format(content=INPUT.format(more=" value=a")))
    await apply(page, ["a", "input-1", INPUT.format(more=" value=b")])
    assert await value(page) == "b"
    await page.fill("input", "typed")
    await answer(page)
    await apply(page, ["a", "input-1", INPUT.format(more=" value=c title=t")])
    assert await value(page) == "c"


async def test_a_textarea(page: Page) -> None:
    area = "<textarea id=textarea-1 data-htag-on=input>{}</textarea>"
    await show(page, BODY.format(content=area.format("old")))
    await page.fill("textarea", "typed")
    await answer(page)
    await apply(page, parent(area.format("old"), "<i>more</i>"))
    assert await value(page, "textarea") == "typed"
    await apply(page, ["textarea-1", "old"])  # the server sets that very text
    assert await value(page, "textarea") == "old"
    await page.fill("textarea", "typed")
    await answer(page)
    await apply(page, parent(area.format("new")))
    assert await value(page, "textarea") == "new"
    await page.fill("textarea", "person")
    await apply(page, ["textarea-1", "server"])
    assert await value(page, "textarea") == "person"
    await answer(page, ["textarea-1", ""])
    assert await value(page, "textarea") == ""


async def test_a_number_with_bad_input_is_left(page: Page) -> None:
    await show(page, BODY.format(content="<input id=input-1 type=number value=1 data-htag-on=input>"))
    await page.focus("input")
    await page.keyboard.type("e")
    await answer(page)
    assert await page.evaluate("document.querySelector('input').validity.badInput")
    await apply(page, ["a", "input-1", "<input id=input-1 type=number value=5 data-htag-on=input>"])
    assert await page.evaluate("document.querySelector('input').validity.badInput")


async def test_a_value_beyond_the_bounds_of_before_comes_with_its_own(page: Page) -> None:
    field = "<input id=input-1 type=range {} data-htag-on=input>"
    await show(page, BODY.format(content=field.format("value=5 max=10")))
    await apply(page, ["a", "input-1", field.format("value=500 max=1000")])
    assert await value(page) == "500"
    await apply(page, parent(field.format("value=-7 min=-9 max=1000")))
    assert await value(page) == "-7"
    await apply(page, parent("<input value=word id=input-1 type=text>"))
    assert await value(page) == "word"


# -- ticks and choices


async def test_check_boxes(page: Page) -> None:
    box = "<input id=input-1 type=checkbox{} data-htag-on=change>"
    await show(page, BODY.format(content=box.format("")))
    await page.check("input")
    await apply(page, parent(box.format(""), "<i>a</i>"))
    assert await page.is_checked("input"), "the server does not know yet"
    await answer(page)
    await apply(page, parent(box.format(" checked class=x")))
    assert await page.is_checked("input")
    await apply(page, ["a", "input-1", box.format("")])
    assert not await page.is_checked("input"), "the server unticks it"
    await apply(page, ["a", "input-1", box.format(" checked")])
    assert await page.is_checked("input")


async def test_radio_buttons_are_one_field(page: Page) -> None:
    group = "".join(f"<input type=radio name=r id=input-{n}{{{n}}} data-htag-on=change>" for n in range(3))
    await show(page, BODY.format(content=group.format(" checked", "", "")))
    chosen = "[...document.querySelectorAll('input')].map((e) => e.checked)"
    await page.check("#input-2")
    await apply(page, parent(group.format(" class=x", " checked", "")))
    assert await page.evaluate(chosen) == [False, False, True], "the server does not know yet"
    fourth = "<input type=radio name=r id=input-3 checked data-htag-on=change>"
    await apply(page, ["h", "div-1", f"<div id=div-1>text{group.format('', '', '')}{fourth}</div>"])
    assert await page.evaluate(chosen) == [False, False, True, False], "one comes that is checked"
    await answer(page, parent(group.format("", "", " checked")))
    assert await page.evaluate(chosen) == [False, False, True]
    await apply(page, ["a", "input-0", "<input type=radio name=r id=input-0 checked data-htag-on=change>"])
    assert await page.evaluate(chosen) == [True, False, False], "the server goes back"


async def test_a_select(page: Page) -> None:
    def select(*options: str) -> str:
        return f"<select id=select-1 data-htag-on=input>{''.join(options)}</select>"

    def option(name: str, more: str = "") -> str:
        return f"<option id=option-{name} value={name}{more}>{name}</option>"

    a, b, c = option("a"), option("b"), option("c")
    await show(page, BODY.format(content=select(option("a", " selected"), b)))
    await page.select_option("select", "b")
    await apply(page, parent(select(option("a", " selected"), c, b), "<i>x</i>"))
    assert await value(page, "select") == "b", "the server does not know yet"
    await apply(page, parent(select(option("d", " selected"), b)))
    assert await value(page, "select") == "b", "one comes that is selected"
    await answer(page)
    await apply(page, parent(select(a, option("b", " selected"), c)))
    assert await value(page, "select") == "b"
    await apply(page, parent(select(option("c", " selected"), option("z"), a)))
    assert await value(page, "select") == "c", "the server chooses, and b goes"
    await page.select_option("select", "a")
    await answer(
        page,
        ["a", "option-c", "<option id=option-c value=c selected>"],
        ["a", "option-a", "<option id=option-a value=a>"],
    )
    assert await value(page, "select") == "c", "the server goes back to what it said last"
    await apply(page, ["i", "select-1", None, option("n", " selected")])
    assert await value(page, "select") == "n"


async def test_options_that_a_callable_makes_keep_the_choice(page: Page) -> None:
    def select(n: int, chosen: int | None = None) -> str:
        options = (f"<option id=option-{n + k}{' selected' * (k == chosen)}>{k}</option>" for k in range(3))
        return f"<select id=select-1 data-htag-on=input>text{''.join(options)}</select>"

    await show(page, BODY.format(content=select(0)))
    await page.select_option("select", "2")
    await apply(page, parent(select(10)))
    await answer(page)
    await apply(page, parent(select(20, 2)))
    assert await value(page, "select") == "2"
    await apply(page, parent(select(30)))
    assert await value(page, "select") == "0", "the server goes back"


def options(*names: str) -> str:
    """`b*` is a marked one, `(b c)` a group."""
    parts = " ".join(names).replace("(", "( ").replace(")", " )").split()
    words = {"(": "<optgroup>", ")": "</optgroup>"}
    tags = (f"<option id=o-{name[0]} value={name[0]}{' selected' * ('*' in name)}>{name[0]}</option>" for name in parts)
    return "".join(words.get(part, tag) for part, tag in zip(parts, tags, strict=True))


SELECT = "<select id=s data-htag-on=input>{}</select>"
AB = options("a", "b")


@pytest.mark.parametrize(
    ("shown", "come", "expected"),
    [
        (AB, ["i", "s", None, options("n")], "b"),
        (AB, ["i", "s", "o-a", options("m", "n")], "b"),
        (AB, ["i", "s", None, options("(m n)")], "b"),
        (AB, ["h", "s", SELECT.format(options("n", "a", "b*", "c", "m"))], "b"),
        *[
            (before, come, expected)
            for before in (AB, "")
            for come, expected in (
                (["i", "s", None, options("m", "n*", "o")], "n"),
                (["i", "s", None, options("(m n*)", "o")], "n"),
                (["h", "s", SELECT.format(options("m", "n", "o"))], "m"),
                (["h", "s", SELECT.format(options("m", "n*", "o"))], "n"),
                (["h", "s", SELECT.format(options("m", "(n o*)", "p"))], "o"),
                (["h", "s", SELECT.format(options("(m)", "(n o*)", "(p)"))], "o"),
            )
        ],
    ],
)
async def test_options_that_come_are_chosen_where_they_are_marked(
    page: Page, shown: str, come: list[Any], expected: str
) -> None:
    """Where they are parsed, the browser chooses one: that must not come along."""
    await show(page, BODY.format(content=SELECT.format(shown)))
    if shown:
        await page.select_option("select", "b")
        await answer(page)
    await apply(page, come)
    assert await value(page, "select") == expected
    assert await page.evaluate("document.querySelectorAll('option:checked').length") == 1


async def test_what_options_mean_changes_while_one_is_being_chosen(page: Page) -> None:
    await show(
        page, BODY.format(content="<select id=s data-htag-on=input><option id=o>a<option id=p value=b>b</select>")
    )
    await page.select_option("select", "b")
    await apply(page, ["a", "p", "<option id=p value=c>"])
    assert await value(page, "select") == "c"


async def test_indeterminate_is_a_property(page: Page) -> None:
    await show(page, BODY.format(content="<input id=input-1 type=checkbox indeterminate>"))
    state = "[...document.querySelectorAll('input')].map((e) => e.indeterminate)"
    assert await page.evaluate(state) == [True]
    await apply(page, ["a", "input-1", "<input id=input-1 type=checkbox>"])
    assert await page.evaluate(state) == [False]
    await apply(
        page, parent("<input id=input-1 type=checkbox indeterminate><input id=input-2 type=checkbox indeterminate>")
    )
    assert await page.evaluate(state) == [True, True]


async def test_a_chosen_file_survives(page: Page) -> None:
    field = "<input id=input-1 type=file data-htag-on=input>"
    await show(page, BODY.format(content=field))
    await page.set_input_files("input", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"abc"})
    await answer(page, parent(field, "<i>new</i>"))
    await apply(page, ["a", "input-1", field.replace("id", "value='C:\\fakepath\\a.txt' class=x id")])
    assert await page.evaluate("document.querySelector('input').files[0].name") == "a.txt"


async def test_another_field_takes_no_letters_over(page: Page) -> None:
    """Fields that callables make go on by their place; one of another name is another field."""
    await show(page, BODY.format(content="<input id=input-1 name=first><input id=input-2 name=second>"))
    await page.fill("#input-1", "one")
    await page.fill("#input-2", "two")
    await apply(page, parent("<input id=input-3 name=second><input id=input-4 name=third>"))
    assert await page.evaluate("[...document.querySelectorAll('input')].map((e) => e.value)") == ["two", ""]


async def test_keys_keep_what_was_typed_with_its_row(page: Page) -> None:
    def row(key: str, n: int) -> str:
        return f"<p id=p-{n} data-htag-key={key}><input id=input-{n}></p>"

    await show(page, BODY.format(content=row("a", 1) + row("b", 2)))
    await page.fill("#input-2", "of b")
    await apply(page, parent(row("c", 3) + row("b", 4) + row("a", 5)))
    assert await page.evaluate("[...document.querySelectorAll('input')].map((e) => [e.id, e.value])") == [
        ["input-3", ""],
        ["input-4", "of b"],
        ["input-5", ""],
    ]


@pytest.mark.parametrize("field", ["id=input-{n}", "id=input-1 data-htag-key=k", "type=checkbox id=input-{n}"])
async def test_the_server_knows_what_is_in_a_field_that_a_callable_makes(page: Page, field: str) -> None:
    """It goes on with what was typed, unless the author has given it something else."""
    is_tick = "checkbox" in field
    state = "document.querySelector('input')." + ("checked" if is_tick else "value")

    def made(n: int, more: str = "") -> list[str]:
        return parent(f"<input {field.format(n=n)}{more} data-htag-on=input>", f"<i>{n}</i>")

    await show(page, BODY.format(content=f"<input {field.format(n=0)} data-htag-on=input>"))
    await (page.check("input") if is_tick else page.fill("input", "letters"))
    await answer(page, made(1, " checked" if is_tick else " value=letters"))
    assert await page.evaluate(state) == (True if is_tick else "letters")
    await apply(page, made(2))
    assert await page.evaluate(state) == (False if is_tick else "")


async def test_a_field_that_is_no_tag_keeps_its_letters(page: Page) -> None:
    """Markup, which the server does not know as fields."""
    await show(page, "<body data-htag-id=body-1><div id=div-1 data-htag-on=input>text<input></div></body>")
    await page.fill("input", "letters")
    await answer(page, ["h", "div-1", "<div id=div-1 data-htag-on=input><i>x</i>text<input></div>"])
    assert await value(page) == "letters"


# -- composition


@pytest.mark.parametrize(
    "field",
    [
        "<input id=input-1 {more} data-htag-on=input>",
        "<textarea id=textarea-1 data-htag-on=input></textarea>",
        "<div id=div-2 contenteditable data-htag-on=input></div>",
    ],
)
async def test_a_composition_goes_on(page: Page, field: str) -> None:
    await show(page, BODY.format(content=field.format(more="")))
    await page.focus("#div-1 > :last-child")
    devtools = await page.context.new_cdp_session(page)
    for n, text in enumerate(["k", "ka", "kan", "kanj", "kanji"]):
        await devtools.send(
            "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
        )
        await apply(page, parent(field.format(more=f"value=server{n} class=c{n}"), f"<b id=b-1>{n}</b>" * (n % 2)))
    await devtools.send("Input.insertText", {"text": "漢字"})
    await apply(page, parent(field.format(more="value=server4 class=c4")))
    assert await page.evaluate(FOCUS) == [await page.evaluate("document.activeElement.localName"), "漢字"]


async def test_what_was_said_during_a_composition_is_said_when_it_is_over(page: Page) -> None:
    await show(page, BODY.format(content="<input id=input-1><div id=div-2 contenteditable>old</div>"))
    devtools = await page.context.new_cdp_session(page)
    for selector in ("#input-1", "#div-2"):
        await page.focus(selector)
        await page.keyboard.press("End")
        await devtools.send("Input.imeSetComposition", {"text": "ka", "selectionStart": 2, "selectionEnd": 2})
        assert "ka" in (await page.evaluate(FOCUS))[1]
        await apply(page, ["a", "input-1", "<input id=input-1 value=server title=t>"], ["div-2", "server"])
        assert "ka" in (await page.evaluate(FOCUS))[1]
        await devtools.send("Input.insertText", {"text": "か"})
        await page.wait_for_timeout(50)
        assert (await page.evaluate(FOCUS))[1] == "server"
