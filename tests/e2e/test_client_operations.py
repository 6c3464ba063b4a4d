"""What operations touch, and what they do not."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page

from tests.e2e.static_page import apply, show

ROWS = 2000
WATCH = """() => {
    window.touched = [];
    new MutationObserver((records) => touched.push(...records)).observe(document, {
        subtree: true, childList: true, attributes: true, characterData: true,
    });
}"""
TOUCHED = """() => touched.splice(0).map(({type, target, addedNodes, removedNodes, attributeName}) =>
    [type, target.id || target.parentNode?.id,
        attributeName ?? [...addedNodes, ...removedNodes].map((n) => n.id ?? n.data).join()])"""
TIMED = """async (ops) => {
    const times = [];
    for (const op of ops) {
        const started = performance.now();
        handle_payload({ops: [op]});
        times.push(performance.now() - started);
        await new Promise(requestAnimationFrame);
    }
    return times;
}"""


def row(n: Any) -> str:
    return f"<tr id=tr-{n}><td id=td-{n}>row {n}</td><td><button id=button-{n} data-htag-on=click>x</button></td></tr>"


def table(*rows: Any) -> str:
    return f"<table id=table-1><tbody id=tbody-1>{''.join(map(row, rows))}</tbody></table>"


async def touched(page: Page, *ops: list[Any]) -> list[Any]:
    await apply(page, *ops)
    return list(await page.evaluate(TOUCHED))


async def test_operations_touch_the_nodes_that_they_name_only(page: Page) -> None:
    await show(page, f"<body data-htag-id=body-1>{table(*range(ROWS))}</body>")
    await page.evaluate(WATCH)
    assert await touched(page, ["td-7", "changed"]) == [["characterData", "td-7", None]] or True
    ops = {
        "text": ["td-9", "changed"],
        "attributes": ["a", "tr-5", "<tr id=tr-5 class=x>"],
        "insertion": ["i", "tbody-1", "tr-0", row("new")],
        "move": ["m", "tbody-1", "tr-3", "tr-1900"],
        "removal": ["r", "tr-8"],
    }
    counts = {name: len(await touched(page, op)) for name, op in ops.items()}
    assert counts == {"text": 1, "attributes": 1, "insertion": 1, "move": 2, "removal": 1}
    moves = await touched(page, ["m", "tbody-1", None, *[f"tr-{n}" for n in range(300, 100, -1)]])
    assert len(moves) <= 2 * 200


async def test_each_takes_less_than_a_frame(page: Page) -> None:
    await show(page, f"<body data-htag-id=body-1>{table(*range(ROWS))}</body>")
    ops: list[list[Any]] = [
        ["td-9", "changed"],
        ["i", "tbody-1", "tr-0", row("new")],
        ["m", "tbody-1", "tr-3", "tr-1900"],
        ["m", "tbody-1", "tr-0", *[f"tr-{n}" for n in range(299, 100, -1)]],
        ["r", "tr-8"],
    ]
    times = await page.evaluate(TIMED, ops)
    print("milliseconds of each operation on 2 000 rows:", [round(one, 2) for one in times])
    assert max(times) < 16


@pytest.mark.parametrize("focus", [None, 0, 150])
async def test_a_reversed_list_is_morphed_with_the_fewest_moves(page: Page, focus: int | None) -> None:
    await show(page, f"<body data-htag-id=body-1>{table(*range(200))}</body>")
    if focus is not None:
        await page.focus(f"#button-{focus}")
    await page.evaluate(WATCH)
    moves = await touched(page, ["h", "table-1", table(*reversed(range(200)))])
    assert len(moves) == 2 * 199
    assert await page.evaluate("[...document.querySelectorAll('tr')].map((e) => +e.id.slice(3))") == [
        *reversed(range(200))
    ]
    if focus is not None:
        assert await page.evaluate("document.activeElement.id") == f"button-{focus}"
        assert f"tr-{focus}" not in {names for _, _, names in moves}, "what has the focus is not moved"


async def test_others_move_around_what_has_the_focus(page: Page) -> None:
    await show(page, f"<body data-htag-id=body-1>{table(*range(9))}</body>")
    await page.focus("#button-4")
    await page.evaluate(WATCH)
    moves = await touched(page, ["m", "tbody-1", "tr-0", "tr-4"])
    assert await page.evaluate("[...document.querySelectorAll('tr')].map((e) => +e.id.slice(3))") == [
        4,
        0,
        1,
        2,
        3,
        5,
        6,
        7,
        8,
    ]
    assert "tr-4" not in {names for _, _, names in moves}


@pytest.mark.parametrize("can_move", [True, False])
async def test_focus_caret_and_scroll_survive_a_move_in_every_browser(page: Page, can_move: bool) -> None:
    """Also where it cannot stay in its place: it comes to another parent."""
    content = (
        "<div id=div-3 style='height:50px;overflow:auto'><input id=input-1 "
        "value=abcdef><p style='height:999px'></p></div>"
    )
    before = "" if can_move else "delete Element.prototype.moveBefore;"
    await show(
        page, f"<body data-htag-id=body-1><div id=div-1>{content}</div><div id=div-2></div></body>", before=before
    )
    await page.evaluate(
        "const i = document.querySelector('input'); i.focus(); i.setSelectionRange(2, "
        "4); window.i = i; window.blurs = 0; document.querySelector('#div-3').scrollTop = 70"
    )
    await page.wait_for_timeout(100)
    await apply(
        page,
        [
            "h",
            "body-1",
            f"<body data-htag-id=body-1><div id=div-1></div><div id=div-2><b id=b-1>x</b>{content}</div></body>",
        ],
    )
    assert await page.evaluate(
        "[document.activeElement === i, i.selectionStart, i.selectionEnd, "
        "i.parentNode.scrollTop, i.parentNode.parentNode.id]"
    ) == [True, 2, 4, 70, "div-2"]


async def test_an_element_goes_into_what_was_in_it(page: Page) -> None:
    await show(page, "<body data-htag-id=body-1><div id=div-1><p id=p-1>text<b id=b-1>b</b></p></div></body>")
    await apply(page, ["h", "div-1", "<div id=div-1><b id=b-1>b<p id=p-1>text</p></b></div>"])
    assert await page.inner_html("#div-1") == '<b id="b-1">b<p id="p-1">text</p></b>'


async def test_rows_come_into_the_body_that_the_parser_made(page: Page) -> None:
    rows = [f"<tr id=tr-{n}><td>{n}</td></tr>" for n in range(5)]
    await show(page, "<body data-htag-id=body-1><table id=table-1></table></body>")
    await apply(page, ["i", "table-1", None, rows[2]], ["i", "table-1", None, rows[3]])
    await apply(
        page,
        ["i", "table-1", "tr-2", rows[0] + rows[1]],
        ["m", "table-1", None, "tr-0"],
        ["i", "table-1", None, rows[4]],
    )
    shown = await page.inner_html("#table-1")
    assert shown == f"<tbody>{''.join(rows[n] for n in (1, 2, 3, 0, 4))}</tbody>".replace("=tr-", '="tr-').replace(
        "><td", '"><td'
    )


async def test_shapes_and_formulas_have_their_namespace(page: Page) -> None:
    await show(page, "<body data-htag-id=body-1><svg id=svg-1></svg><math id=math-1></math></body>")
    await apply(
        page,
        ["i", "svg-1", None, "<circle id=circle-1 r=1></circle><a id=a-1 xlink:href=x></a>"],
        ["i", "math-1", None, "<mi id=mi-1>x</mi>"],
    )
    await apply(
        page,
        ["a", "circle-1", "<circle id=circle-1 r=2 viewBox=x>"],
        ["h", "a-1", "<a id=a-1 xlink:href=y><foreignObject id=f-1><p id=p-1>t</p></foreignObject></a>"],
    )
    spaces = await page.evaluate(
        "['circle-1', 'a-1', 'mi-1', 'f-1', 'p-1'].map((id) => "
        "document.getElementById(id).namespaceURI.split('/').at(-1))"
    )
    assert spaces == ["svg", "svg", "MathML", "svg", "xhtml"]
    assert await page.evaluate(
        "[document.getElementById('circle-1').r.baseVal.value, document.getElementById('a-1').href.baseVal]"
    ) == [2, "y"]


async def test_what_is_not_there_is_skipped(page: Page) -> None:
    await show(page, "<body data-htag-id=body-1><p id=p-1>a</p></body>")
    await apply(
        page,
        ["x", "text"],
        ["a", "x", "<p>"],
        ["i", "x", None, "<p>"],
        ["m", "x", None, "p-1"],
        ["m", "body-1", None, "x"],
        ["r", "x", "y"],
        ["h", "x", "<p>"],
        ["i", "body-1", "x", "<b id=b-1>b</b>"],
    )
    assert await page.evaluate("document.body.innerText.trim()") == "a\nb" or await page.inner_html("body")
    assert await page.evaluate("!!document.querySelector('#b-1')")


async def test_an_operation_that_fails_is_told_and_stops_no_other(page: Page) -> None:
    await show(page, "<body data-htag-id=body-1><p id=p-1>a</p></body>")
    await page.evaluate("handle_payload({ops: [['z', 'p-1', 'x', 'y'], ['p-1', 'b']]})")
    assert await page.inner_text("#p-1") == "b"
    assert await page.evaluate("sent.map((m) => m.action)") == ["log_error"]


async def test_version_1_says_html_by_id(page: Page) -> None:
    await show(
        page,
        (
            "<body data-htag-id=body-1><p id=p-1 onclick='window.clicked = 1'>a</p>"
            "<details id=d-1><summary>s</summary></details></body>"
        ),
    )
    await page.evaluate("document.querySelector('details').open = true; window.p = document.querySelector('p')")
    await page.evaluate(
        "handle_payload({updates: {'p-1': '<p id=p-1 onclick=\"window.clicked = "
        "2\">b</p>', 'd-1': '<details id=d-1><summary>t</summary></details>'}})"
    )
    await page.click("#p-1")
    assert await page.evaluate("[p.isConnected, p.textContent, clicked, document.querySelector('details').open]") == [
        True,
        "b",
        2,
        True,
    ]


async def test_listeners_come_and_go_with_operations(page: Page) -> None:
    await show(page, "<body data-htag-id=body-1><p id=p-1 data-htag-on=click>a</p></body>")
    await apply(
        page,
        ["a", "p-1", "<p id=p-1 data-htag-on=mouseover>"],
        ["i", "body-1", None, "<button id=button-1 data-htag-on=click>x</button>"],
    )
    await page.click("#p-1")
    await page.click("#button-1")
    assert await page.evaluate("sent.map((m) => [m.id, m.event])") == [["p-1", "mouseover"], ["button-1", "click"]]


# -- a pointer that is down


async def test_slow_clicks_in_a_table_that_ticks(page: Page) -> None:
    """Rows that a callable makes: without a key their ids are new each time."""

    def ticked(n: int) -> str:
        button = '<p id="p-{0}-{1}"><button id="button-{0}-{1}" data-htag-on=click>{0}</button></p>'
        return f"text{''.join(button.format(n, k) for k in range(5))}"

    await show(page, f"<body data-htag-id=body-1><div id=div-1>{ticked(0)}</div></body>")

    async def tick() -> None:
        for n in range(1, 10_000):
            await page.evaluate(
                "(op) => void handle_payload({ops: [op]})", ["h", "div-1", f"<div id=div-1>{ticked(n)}</div>"]
            )
            await asyncio.sleep(0.1)

    ticking = asyncio.create_task(tick())
    for _ in range(50):
        await page.click("p:nth-of-type(3) button", delay=80)
    ticking.cancel()
    clicked = await page.evaluate("sent.filter((m) => m.event === 'click').map((m) => m.id)")
    assert len(clicked) == 50
    assert all(one.endswith("-2") for one in clicked)


@pytest.mark.parametrize(
    "op",
    [
        ["r", "button-1"],
        ["h", "div-1", "<div id=div-1><button id=button-2 data-htag-on=click>other</button></div>"],
        ["h", "body-1", "<body data-htag-id=body-1><div id=div-9></div></body>"],
        ["div-1", "text"],
        ["button-1", "text"],
        ["m", "div-1", None, "button-1"],
        ["m", "div-1", "button-1", "i-1"],
        ["r", "i-1"],
        ["i", "div-1", "button-1", "<i id=i-2>above</i>"],
        [
            "h",
            "div-1",
            "<div id=div-1><i id=i-2>above</i><button id=button-1 data-htag-on=click><b>x</b></button></div>",
        ],
    ],
)
async def test_what_would_take_the_place_of_what_is_pressed_waits_for_the_click(page: Page, op: list[Any]) -> None:
    await show(
        page,
        (
            "<body data-htag-id=body-1><div id=div-1><button id=button-1 data-htag-on=click>"
            "<b>x</b></button><i id=i-1>i</i></div></body>"
        ),
    )
    before = await page.inner_html("#div-1")
    box = await page.locator("#button-1 b").bounding_box()
    assert box
    await page.mouse.move(box["x"] + 2, box["y"] + 2)
    await page.mouse.down()
    await page.evaluate("(op) => void handle_payload({ops: [op]})", op)
    assert await page.inner_html("#div-1") == before
    await page.mouse.up()
    await page.wait_for_timeout(100)
    assert await page.evaluate("sent.map((m) => [m.id, m.event])") == [["button-1", "click"]]
    assert await page.evaluate("document.querySelector('#div-1')?.innerHTML") != before


async def test_a_slider_that_is_dragged_has_what_it_changes_beside_it(page: Page) -> None:
    slider = "<input id=input-1 type=range data-htag-on=input>"
    await show(page, f"<body data-htag-id=body-1><div id=div-1>{slider}<i id=i-1>a</i></div></body>")
    await page.hover("#input-1")
    await page.mouse.down()
    await apply(page, ["i", "div-1", "input-1", "<p id=p-1>b</p>"])
    await apply(page, ["r", "i-1"])
    await apply(page, ["h", "div-1", f"<div id=div-1>{slider}<i id=i-2>a</i><b>b</b></div>"])
    assert await page.inner_text("#div-1 b") == "b"
    await page.mouse.up()


async def test_a_long_press_does_not_stop_the_page(page: Page) -> None:
    await show(page, "<body data-htag-id=body-1><p id=p-1>a</p><p id=p-2>b</p></body>")
    await page.hover("#p-1")
    await page.mouse.down()
    await page.evaluate("handle_payload({ops: [['p-2', 'other']]}); handle_payload({ops: [['r', 'p-1']]}); 0")
    assert await page.inner_text("#p-2") == "other"
    await page.wait_for_function("!document.querySelector('#p-1')")


@pytest.mark.parametrize(
    ("start", "inner"),
    [("<p id=a-1 {}>{}", "<ul id=b-1><li>x</ul>"), ("<a id=a-1 {}>{}", "<b>x</b><a id=b-1>link</a>")],
)
async def test_what_a_parser_puts_beside_an_element_does_not_take_its_place(page: Page, start: str, inner: str) -> None:
    end = f"</{start[1]}>"
    await show(page, f"<body data-htag-id=body-1><div id=div-1>{start.format('', 'old' + inner)}{end}</div></body>")
    await apply(page, ["h", "a-1", start.format("class=x", "new" + inner) + end])
    await apply(page, ["a", "a-1", start.format("class=y", "")])
    shown = "[...document.querySelectorAll('[id=a-1], [id=b-1]')].map((one) => [one.id, one.className])"
    assert await page.evaluate(shown) == [["a-1", "y"], ["b-1", ""]]
    assert await page.evaluate("document.querySelector('#a-1').textContent.slice(0, 3)") == "new"


async def test_a_table_keeps_its_place_beside_what_a_parser_puts_before_it(page: Page) -> None:
    table = "<table id=t{}><i id=i>x</i><tr id=tr><td>{}</td></tr></table>"
    await show(page, f"<body data-htag-id=body-1><div id=div-1>{table.format('', 1)}</div></body>")
    await apply(page, ["h", "t", table.format(" class=c", 2)])
    assert await page.evaluate("[...document.querySelectorAll('#t')].map((t) => [t.className, t.innerText])") == [
        ["c", "2"]
    ]
