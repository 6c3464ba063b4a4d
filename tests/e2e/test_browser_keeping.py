"""What a person has opened, plays, has scrolled or selected stays, whatever the server changes around it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page

from tests.e2e.browser_apps import Shelf, Stack
from tests.e2e.served_app import CONNECTED, ServedApp, raise_and_show, served, shows, visit
from tests.support.waiting import until

LARGE = 300_000  # characters: an update that no journal keeps
# each with what the person does to it, and what says that it is as the person left it; `it` is the element
THINGS: dict[str, tuple[str, str, Any]] = {
    "details": ("it.querySelector('summary').click()", "it.open", True),
    "dialog": ("it.showModal()", "[it.open, it.matches(':modal')]", [True, True]),
    "audio": (
        "it.stops = 0; for (const name of ['pause', 'emptied', 'abort']) it.addEventListener(name, () => it.stops++);"
        "await it.play()",
        "[it.paused, it.stops]",
        [False, 0],
    ),
    "frame": (
        "it.contentWindow.mark = 7; it.loads = 0; it.addEventListener('load', () => it.loads++)",
        "[it.contentWindow.mark, it.loads]",
        [7, 0],
    ),
    "canvas": ("0", "[...it.getContext('2d').getImageData(9, 9, 1, 1).data]", [1, 2, 3, 255]),
    "list": ("it.scrollTop = 777", "it.scrollTop", 777),
    "words": (
        "getSelection().setBaseAndExtent(it.firstChild, 4, it.lastChild, 4)",
        "getSelection().toString()",
        "quick brown fox",
    ),
}
TAKE = "(async () => { const it = window.kept = document.getElementById('%s'); %s })()"
LOOK = "(() => { const it = kept; return %s })()"
INSIDE = "document.querySelector('#frame').contentDocument.readyState === 'complete'"
Disturb = Callable[[Page, ServedApp[Shelf]], Awaitable[None]]


async def parent_renders(page: Page, server: ServedApp[Shelf]) -> None:
    await raise_and_show(page, server.app.tick, "#shelf")


async def sibling_updates(page: Page, server: ServedApp[Shelf]) -> None:
    await raise_and_show(page, server.app.beside, "#beside")


async def own_attribute(page: Page, server: ServedApp[Shelf]) -> None:
    for thing in server.app.things.values():
        thing["title"] = "another"
    server.app.update(0)
    await shows(page, "document.querySelectorAll('[title=another]').length === 7")


async def reconnect(page: Page, server: ServedApp[Shelf]) -> None:
    await page.evaluate("window.before = window.ws")
    server.serving.cut()
    await shows(page, f"window.ws !== window.before && {CONNECTED['ws']}")
    await raise_and_show(page, server.app.beside, "#beside", 1)


async def full_render(page: Page, server: ServedApp[Shelf]) -> None:
    await server.serving.stop()
    server.app.beside.value = "x" * LARGE
    server.app.update(0)
    await until(lambda: not server.app.is_dirty)
    await page.wait_for_timeout(100)
    server.app.beside.value = 1
    await page.evaluate("window.before = window.ws")
    await server.serving.start()
    await shows(page, f"window.ws !== window.before && {CONNECTED['ws']}")
    await raise_and_show(page, server.app.tick, "#shelf", 1)


async def second_tab(page: Page, server: ServedApp[Shelf]) -> None:
    other = await page.context.new_page()
    await visit(other, server.url)
    await raise_and_show(page, server.app.tick, "#shelf", 2)
    await raise_and_show(other, server.app.beside, "#beside", 2)
    await page.bring_to_front()


DISTURBANCES: list[Disturb] = [parent_renders, sibling_updates, own_attribute, reconnect, full_render, second_tab]


@pytest.mark.parametrize("disturb", DISTURBANCES, ids=lambda disturb: disturb.__name__)
@pytest.mark.parametrize("thing", THINGS)
async def test_it_stays(page: Page, thing: str, disturb: Disturb) -> None:
    does, looks, expected = THINGS[thing]
    async with served(Shelf) as server:
        await visit(page, server.url)
        await shows(page, INSIDE)
        await page.evaluate(TAKE % (thing, does))
        assert await page.evaluate(LOOK % looks) == expected, "before"
        await disturb(page, server)
        assert await page.evaluate(LOOK % looks) == expected
        assert await page.evaluate(f"kept === document.getElementById('{thing}')")


@pytest.mark.parametrize("name", ["audio", "frame", "field", "details"])
async def test_it_stays_while_its_siblings_are_turned_round(page: Page, name: str) -> None:
    async with served(Stack) as server:
        await visit(page, server.url)
        await shows(page, INSIDE)
        does, looks, expected = {**THINGS, "field": ("it.focus()", "document.activeElement === it", True)}[name]
        await page.evaluate(TAKE % (name, does))
        for _ in range(4):
            server.app.turn_round()
            first = server.app.order[0].id
            await shows(page, f"document.querySelector('#stack').firstElementChild.id === '{first}'")
            assert await page.evaluate(LOOK % looks) == expected


async def test_what_the_apps_own_javascript_did_to_an_element_stays(page: Page) -> None:
    async with served(Shelf) as server:
        await visit(page, server.url)
        await page.evaluate(
            "beside.classList.add('mine'); beside.style.width = '77px'; beside.setAttribute('data-mine', '1');"
            "const added = document.createElement('i'); added.id = 'added'; shelf.append(added); 0"
        )
        await parent_renders(page, server)
        server.app.things["words"]["class"] = "theirs"
        server.app.find_tag(server.app, "beside")["class"] = "theirs"
        await raise_and_show(page, server.app.tick, "#shelf", 1)
        assert await page.evaluate("[beside.className.split(' ').sort(), beside.style.width, beside.dataset.mine]") == [
            ["mine", "theirs"],
            "77px",
            "1",
        ]
        assert await page.evaluate("document.getElementById('added')?.parentElement === shelf")


async def test_what_the_server_changes_itself_is_changed(page: Page) -> None:
    async with served(Shelf) as server:
        await visit(page, server.url)
        await page.click("#details summary")
        server.app.things["details"]["open"] = True
        server.app.update(0)
        await page.wait_for_timeout(200)
        server.app.things["details"]["open"] = False
        server.app.update(0)
        await shows(page, "!document.querySelector('#details').open")
