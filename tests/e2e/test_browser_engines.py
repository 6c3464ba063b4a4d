"""Firefox and WebKit: what a person does is not lost to an update there either. (WebKit has no `moveBefore`.)"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.browser_apps import Counted, LongTable, Rows, Shelf, Stack, Typed
from tests.e2e.engines import ENGINES, Engine
from tests.e2e.interference import Link
from tests.e2e.served_app import CONNECTED, heard, raising, served
from tests.support.waiting import until

FIRST, SECOND = "All that a person types stays, ", "however often it is rendered."
FIELDS = {"input": "#input", "contenteditable": "#editable", "made": "#made input"}
SHOWN = """(() => {
    const field = document.querySelector('%s');
    const caret = 'value' in field ? field.selectionStart : getSelection().anchorOffset;
    return [(field.value ?? field.textContent).replaceAll('\\xa0', ' '), caret, document.activeElement === field];
})()"""
# by script: a driven Firefox does not move the caret of a contenteditable by any key, on a still page neither
TO_THE_START = """(() => {
    const field = document.activeElement;
    if ('value' in field) field.setSelectionRange(0, 0);
    else getSelection().collapse(field.firstChild, 0);
})()"""
CLICKS = 100
CLICK = f"""(() => {{
    window.stayed = true;
    let n = 0;
    const timer = setInterval(() => {{
        document.querySelector('#more').click();
        if (++n === {CLICKS}) clearInterval(timer);
    }}, 20);
}})()"""
# what a person has done to the shelf, and what says that it is still so
DONE = """(async () => {
    window.nodes = ['details', 'frame', 'canvas', 'list', 'words'].map((id) => document.getElementById(id));
    const [details, frame, canvas, list, words] = nodes;
    details.querySelector('summary').click();
    frame.contentWindow.mark = 7;
    list.scrollTop = 777;
    getSelection().setBaseAndExtent(words.firstChild, 4, words.lastChild, 4);
})()"""
STILL = """(() => {
    const [details, frame, canvas, list, words] = nodes;
    const ink = [...canvas.getContext('2d').getImageData(9, 9, 1, 1).data];
    const alike = nodes.every((node) => document.getElementById(node.id) === node);
    return [details.open, frame.contentWindow?.mark, ink, list.scrollTop, String(getSelection()), alike];
})()"""
AS_IT_WAS = [True, 7, [1, 2, 3, 255], 777, "quick brown fox", True]


@pytest_asyncio.fixture(params=list(ENGINES), scope="module", loop_scope="session")
async def started(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    async with ENGINES[request.param]() as engine:
        yield engine


@pytest_asyncio.fixture(loop_scope="session")
async def engine(started: Engine) -> AsyncIterator[Engine]:
    """A tab of a new person."""
    yield started
    await started.forget()
    await started.open("about:blank")


async def visit(engine: Engine, url: str) -> None:
    await engine.open(url)
    await engine.wait_for(CONNECTED["ws"])


@pytest.mark.parametrize("field", FIELDS)
async def test_sixty_characters_are_typed(engine: Engine, field: str) -> None:
    async with served(Typed) as server:
        await visit(engine, server.url)
        await engine.click(FIELDS[field])
        async with raising(server.app.tick, 20):
            await engine.type(SECOND)
            await engine.evaluate(TO_THE_START)
            await engine.type(FIRST)
        assert server.app.tick > 15, "it was rendered all the time"
        assert await engine.evaluate(SHOWN % FIELDS[field]) == [FIRST + SECOND, len(FIRST), True]
        if field != "contenteditable":
            await until(lambda: server.app.heard[-1] == FIRST + SECOND)


@pytest.mark.parametrize("disturbance", ["renders", "full render"])
async def test_what_was_opened_scrolled_and_selected_stays(engine: Engine, disturbance: str) -> None:
    async with served(Shelf) as server:
        await visit(engine, server.url)
        await engine.wait_for("document.querySelector('#frame').contentDocument?.readyState === 'complete'")
        await engine.evaluate(DONE)
        assert await engine.evaluate(STILL) == AS_IT_WAS, "before"
        if disturbance == "full render":
            await server.serving.stop()
            server.app.beside.value = "x" * 300_000  # more than any journal keeps
            await asyncio.sleep(0.2)
            await server.serving.start()
            await engine.wait_for(CONNECTED["ws"])
        for _ in range(5):
            server.app.tick.value += 1
            await engine.wait_for(f"document.querySelector('#shelf').textContent.includes('<{server.app.tick}>')")
        assert await engine.evaluate(STILL) == AS_IT_WAS


async def test_a_modal_dialog_stays(engine: Engine) -> None:
    async with served(Shelf) as server:
        await visit(engine, server.url)
        await engine.evaluate("document.querySelector('#dialog').showModal()")
        for _ in range(3):
            server.app.tick.value += 1
            await engine.wait_for(f"document.querySelector('#shelf').textContent.includes('<{server.app.tick}>')")
        assert await engine.evaluate("document.querySelector('#dialog').matches(':modal')")


async def test_a_field_is_typed_in_while_its_siblings_are_turned_round(engine: Engine) -> None:
    async with served(Stack) as server:
        await visit(engine, server.url)
        await engine.click("#field")
        for letters in ("ab", "cd", "ef"):
            await engine.type(letters)
            server.app.turn_round()
            first = server.app.order[0].id
            await engine.wait_for(f"document.querySelector('#stack').firstElementChild.id === '{first}'")
        assert await engine.evaluate("[field.value, document.activeElement === field]") == ["abcdef", True]


@pytest.mark.parametrize("table", ["kept", "made"])
async def test_slow_clicks_in_a_table_that_ticks_are_counted(engine: Engine, table: str) -> None:
    async with served(Rows) as server:
        await visit(engine, server.url)
        await engine.move_to(f"#{table} tr:nth-child(4) button")
        async with raising(server.app.tick, 10):
            await engine.press_and_release(80, 20)
            assert await heard(server.app, 20) == [3] * 20


async def test_keyed_rows_are_turned_round_by_moves(engine: Engine) -> None:
    async with served(LongTable) as server:
        await visit(engine, server.url)
        await engine.evaluate("void (window.kept = [...keyed.children], window.first = keyed.firstElementChild)")
        server.app.order.value = server.app.order.value[::-1]
        await engine.wait_for("keyed.lastElementChild === first")
        assert await engine.evaluate("[...keyed.children].reverse().every((row, n) => row === kept[n])")


async def test_a_row_at_the_top_is_the_only_one_that_comes(engine: Engine) -> None:
    async with served(LongTable) as server:
        await visit(engine, server.url)
        await engine.evaluate("void (window.kept = [...body.rows])")
        server.app.arrange([server.app.row(-1), *server.app.rows])
        await engine.wait_for("body.rows.length === 2001")
        assert await engine.evaluate("[...body.rows].slice(1).every((row, n) => row === kept[n])")


async def test_a_hundred_clicks_over_a_link_that_is_cut_and_given_back(engine: Engine) -> None:
    async with served(Counted) as server:
        link = Link(server.serving.port)
        await link.start()
        try:
            await visit(engine, link.url)
            await engine.evaluate(CLICK)
            await until(lambda: len(server.app.heard) > 20)
            link.refuse()
            await asyncio.sleep(1)
            link.work()
            assert await heard(server.app, CLICKS, 30) == list(range(1, CLICKS + 1))
            assert await engine.evaluate("window.stayed")
        finally:
            await link.stop()


async def test_what_the_page_runs_is_allowed_by_its_policy(engine: Engine) -> None:
    async with served(Shelf) as server:
        await visit(engine, server.url)
        await engine.evaluate(
            "void (window.violations = [], addEventListener('securitypolicyviolation', (event) =>"
            " violations.push([event.violatedDirective, event.blockedURI, event.sample])))"
        )
        server.app.call_js("window.ran = 1")
        server.app.tick.value += 1
        await engine.wait_for("window.ran === 1")
        told: Any = await engine.evaluate("violations")
        assert told == []
