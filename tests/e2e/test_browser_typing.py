"""A person types while the server renders what the field stands in, twenty times a second."""

import asyncio

import pytest
from playwright.async_api import Page, Route

from tests.e2e.browser_apps import Typed
from tests.e2e.served_app import CONNECTED, raising, served, shows, visit
from tests.support.waiting import until

FIELDS = {"input": "#input", "textarea": "#textarea", "contenteditable": "#editable", "made": "#made input"}
FIRST, SECOND = "All that a person types stays, ", "however often it is rendered. "
KEY_MS = 50
WORD, STEPS = "日本語だ", ["n", "にほ", "にほんご"]
SHOWN = """(selector) => {
    const field = document.querySelector(selector);
    const caret = 'value' in field ? field.selectionStart : getSelection().anchorOffset;
    return [field.value ?? field.textContent, caret, document.activeElement === field, field === window.kept];
}"""
COUNT_COMPOSITIONS = """(selector) => {
    window.compositions = [0, 0];
    addEventListener('compositionstart', () => compositions[0]++, true);
    addEventListener('compositionend', () => compositions[1]++, true);
}"""


@pytest.mark.parametrize("field", FIELDS)
async def test_sixty_characters_with_caret_and_focus(page: Page, field: str) -> None:
    async with served(Typed) as server:
        await visit(page, server.url)
        selector = FIELDS[field]
        await page.click(selector)
        await page.evaluate("window.kept = document.activeElement")
        async with raising(server.app.tick, 20):
            await page.keyboard.type(SECOND, delay=KEY_MS)
            await page.keyboard.press("Control+Home")  # of a text that is wrapped as well
            await page.keyboard.type(FIRST, delay=KEY_MS)
        assert server.app.tick > 30, "it was rendered all the time"
        text, *rest = await page.evaluate(SHOWN, selector)
        assert text.replace("\xa0", " ") == FIRST + SECOND
        assert rest == [len(FIRST), True, True], "caret, focus, the same node"
        if field != "contenteditable":
            await until(lambda: server.app.heard[-1] == FIRST + SECOND)


async def test_a_line_break_at_the_beginning(page: Page) -> None:
    """Of HTML, a browser leaves out one that follows the start tag."""
    async with served(Typed) as server:
        await visit(page, server.url)
        await page.click("#textarea")
        async with raising(server.app.tick, 20):
            await page.keyboard.press("Enter")
            await page.keyboard.type("below", delay=KEY_MS)
            await shows(page, f"document.body.textContent.includes('<{server.app.tick.value + 2}>')")
        assert await page.input_value("#textarea") == "\nbelow"
        await page.reload()
        await shows(page, CONNECTED["ws"])
        assert await page.input_value("#textarea") == "\nbelow"


@pytest.mark.parametrize("field", ["input", "contenteditable", "made"])
async def test_sixty_characters_of_an_input_method(page: Page, field: str) -> None:
    async with served(Typed) as server:
        await visit(page, server.url)
        selector = FIELDS[field]
        await page.evaluate(COUNT_COMPOSITIONS)
        await page.click(selector)
        devtools = await page.context.new_cdp_session(page)
        async with raising(server.app.tick, 20):
            for _ in range(60 // len(WORD)):
                for step in STEPS:
                    end = {"selectionStart": len(step), "selectionEnd": len(step)}
                    await devtools.send("Input.imeSetComposition", {"text": step, **end})
                    await page.wait_for_timeout(KEY_MS + 20)
                await devtools.send("Input.insertText", {"text": WORD})
        text = WORD * (60 // len(WORD))
        assert (await page.evaluate(SHOWN, selector))[:3] == [text, 60, True]
        assert await page.evaluate("compositions") == [15, 15], "none was broken off"
        if field != "contenteditable":
            await until(lambda: server.app.heard[-1] == text)
            assert all("に" not in heard for heard in server.app.heard), "an input waits for its composition's end"


@pytest.mark.parametrize("comes", ["after the word", "within the word"])
async def test_what_is_composed_before_the_second_script_has_come_waits_too(page: Page, comes: str) -> None:
    may_come = asyncio.Event()

    async def hold_back(route: Route) -> None:
        await may_come.wait()
        await route.continue_()

    async with served(Typed) as server:
        await page.route("**/later.js*", hold_back)
        await page.goto(server.url, wait_until="commit")  # it is loaded when both scripts are
        await shows(page, CONNECTED["ws"])
        await page.click("#input")
        devtools = await page.context.new_cdp_session(page)
        for step in STEPS:
            end = {"selectionStart": len(step), "selectionEnd": len(step)}
            await devtools.send("Input.imeSetComposition", {"text": step, **end})
        if comes == "within the word":
            may_come.set()
            await page.wait_for_selector("htag-notice", state="attached")
        await devtools.send("Input.insertText", {"text": WORD})
        await until(lambda: server.app.heard)
        assert set(server.app.heard) == {WORD}
        may_come.set()


async def test_what_the_server_writes_into_a_field_wins_when_the_person_is_done(page: Page) -> None:
    async with served(Typed) as server:
        await visit(page, server.url)
        await page.fill("#input", "the person's")
        await until(lambda: server.app.heard == ["the person's"])
        field = server.app.find_tag(server.app, "input")
        field["value"] = "the server's"
        server.app.update(0)
        await shows(page, "document.querySelector('#input').value === \"the server's\"")
