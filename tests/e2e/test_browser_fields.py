"""Fields, forms and files: what a person has chosen or typed stays, and what the app is told of it."""

from pathlib import Path

from playwright.async_api import Page

from htag import Tag
from tests.e2e.browser_apps import Chat, Choices, Fields
from tests.e2e.served_app import CONNECTED, ServedApp, heard, raise_and_show, served, shows, visit

LONG = 3_000_000  # characters: above what the server takes in one message


async def test_what_was_chosen_stays_through_renders(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "chosen.txt"
    file.write_text("chosen")
    async with served(Fields) as server:
        await visit(page, server.url)
        await page.set_input_files("#file", file)
        await page.check("#tick")
        await page.check("#radio-c")
        await page.select_option("#choice", "c")
        await raise_and_show(page, server.app.tick, "#fields")
        assert await page.evaluate(
            "[file.files[0]?.name, tick.checked, document.querySelector('[name=one]:checked').value, choice.value]"
        ) == ["chosen.txt", True, "c", "c"]


async def test_a_number_that_is_being_typed_stays(page: Page) -> None:
    async with served(Fields) as server:
        await visit(page, server.url)
        await page.click("#number")
        await page.keyboard.type("1e")
        assert await page.evaluate("number.validity.badInput")
        await raise_and_show(page, server.app.tick, "#fields", 3)
        await page.keyboard.type("3")
        assert await page.evaluate("number.value") == "1e3"


async def test_what_the_server_chooses_is_chosen(page: Page) -> None:
    async with served(Fields) as server:
        await visit(page, server.url)
        assert await page.evaluate("choice.value") == "b"
        server.app.choice.value = "a"
        await shows(page, "choice.value === 'a'")
        for name, expected in (("radio-a", "a"), ("radio-b", "b")):
            server.app.find_tag(server.app, name)["checked"] = True
            server.app.update(0)
            await shows(page, f"document.querySelector('[name=one]:checked')?.value === '{expected}'")
        tick = server.app.find_tag(server.app, "tick")
        for state in (True, False):
            tick["checked"] = state
            server.app.update(0)
            await shows(page, f"tick.checked === {str(state).lower()}")


async def test_repeated_names_and_several_choices_come_as_lists(page: Page) -> None:
    async with served(Fields) as server:
        await visit(page, server.url)
        await page.select_option("#many", ["a", "c"])
        await page.click("#send")
        (form,) = await heard(server.app, 1)
        assert form["word"] == ["x", "y"]
        assert form["many"] == ["a", "c"]


async def test_children_of_an_svg_are_drawn(page: Page) -> None:
    async with served(Fields) as server:
        await visit(page, server.url)
        server.app.drawing.add(Tag.circle(_cx="5", _cy="5", _r="4"))
        server.app.update(0)
        await shows(page, "drawing.querySelector('circle')?.namespaceURI === 'http://www.w3.org/2000/svg'")
        await raise_and_show(page, server.app.tick, "#fields", 1)
        assert await page.evaluate("drawing.firstElementChild instanceof SVGCircleElement")


async def test_what_is_too_long_is_told_and_the_connection_stays(page: Page) -> None:
    async with served(Fields) as server:
        await visit(page, server.url)
        await page.evaluate("window.before = window.ws")
        await page.evaluate(f"long.value = 'x'.repeat({LONG}); long.dispatchEvent(new Event('input')); 0")
        await shows(page, "document.querySelector('htag-notice')")
        assert await page.evaluate("long.value.length") == LONG
        await page.click("#key")
        assert await heard(server.app, 1) == [[False, False, False, False]]
        assert await page.evaluate("window.ws === before")


async def test_modifiers_are_told(page: Page) -> None:
    async with served(Fields) as server:
        await visit(page, server.url)
        await page.click("#key", modifiers=["Control", "Shift"])
        assert await heard(server.app, 1) == [[True, True, False, False]]


async def test_the_apps_own_javascript_reports_events(page: Page) -> None:
    async with served(Fields) as server:
        await visit(page, server.url)
        await page.click("#own")
        assert await heard(server.app, 1) == ["by script"]


async def test_javascript_of_an_answer_runs_in_the_tab_that_asked(page: Page) -> None:
    async with served(Fields) as server:
        await visit(page, server.url)
        other = await page.context.new_page()
        await visit(other, server.url)
        await page.bring_to_front()
        await page.click("#here")
        await shows(page, "window.told === 1")
        await raise_and_show(other, server.app.tick, "#fields", 1)
        assert await other.evaluate("window.told") is None


async def test_a_field_that_the_server_empties_is_empty_each_time(page: Page) -> None:
    async with served(Chat) as server:
        await visit(page, server.url)
        await page.click("#entry")
        for number, line in enumerate(("hello", "you", "there"), 1):
            await page.keyboard.type(line, delay=10)
            await page.keyboard.press("Enter")
            assert (await heard(server.app, number))[-1] == line
            await shows(page, "entry.value === ''")
        assert await page.evaluate("document.activeElement === entry")


async def test_a_text_area_that_the_server_fills_is_filled_each_time(page: Page) -> None:
    async with served(Chat) as server:
        await visit(page, server.url)
        assert await page.evaluate("note.value") == "first"
        for number, text in enumerate(("hello", "you"), 1):
            await page.fill("#note", text)
            await page.click("#take-note")
            assert (await heard(server.app, number))[-1] == text
            await shows(page, "note.value === 'next'")


async def test_a_tick_that_the_server_takes_back_goes_each_time(page: Page) -> None:
    async with served(Chat) as server:
        await visit(page, server.url)
        for number in (1, 2, 3):
            await page.evaluate("tick.click()")
            assert await heard(server.app, number) == [True] * number
            await shows(page, "!tick.checked")


async def test_a_choice_that_the_server_takes_back_goes_each_time(page: Page) -> None:
    async with served(Chat) as server:
        await visit(page, server.url)
        for number, name in enumerate(("a", "b", "b"), 1):
            await page.select_option("#pick", name)
            assert (await heard(server.app, number))[-1] == name
            await shows(page, "pick.value === ''")


# -- the value of a select ---------------------------------------------------------------------------------------------

CHOICES = """[own, made, anew, empty, marked].map((select) => select.value).join(' ')
    + ' ' + [...several.selectedOptions].map((option) => option.value).join('')"""


async def choices(page: Page, expected: str) -> None:
    """Wait until each select shows this: own, made, anew, empty, marked, several."""
    await shows(page, f"{CHOICES} === '{expected}'")


def set_values(server: ServedApp[Choices], value: str) -> None:
    for select in (server.app.own, server.app.made, server.app.empty, server.app.marked):
        select["value"] = value
    server.app.given.value = value
    server.app.many["value"] = [*value]
    server.app.update(0)


async def test_the_value_that_an_app_gives_a_select_is_chosen(page: Page) -> None:
    async with served(Choices) as server:
        await page.route("**/*.js*", lambda route: route.abort())
        await page.goto(server.url)
        await choices(page, "b b b  c ac")  # by the page alone
        await page.unroute("**/*.js*")
        await visit(page, server.url)
        await choices(page, "b b b  c ac")


async def test_the_value_that_an_app_sets_is_chosen(page: Page) -> None:
    async with served(Choices) as server:
        await visit(page, server.url)
        server.app.empty.add(*server.app.options("ab"))
        server.app.update(0)
        await choices(page, "b b b b c ac")
        set_values(server, "a")
        await choices(page, "a a a a a a")
        server.app.own["value"] = "x"  # before its options
        server.app.own.clear(*server.app.options("xyz"))
        server.app.names.value = "xay"
        server.app.empty.clear(*server.app.options("za"))
        server.app.empty["value"] = "a"
        server.app.many["value"] = ["b", "c"]
        server.app.update(0)
        await choices(page, "x a a a a bc")
        await raise_and_show(page, server.app.tick, "#choices", 2)
        await choices(page, "x a a a a bc")


async def test_what_a_person_chooses_of_a_select_stays_until_the_app_sets_it_again(page: Page) -> None:
    async with served(Choices) as server:
        await visit(page, server.url)
        for number in (1, 3):
            for name in ("own", "made", "anew", "marked"):
                await page.select_option(f"#{name}", "a")
            await page.select_option("#several", ["b"])
            await heard(server.app, number + 1)
            await raise_and_show(page, server.app.tick, "#choices", 2)
            await choices(page, "a a a  a b")
            known = server.app.own["value"], server.app.made["value"], server.app.many["value"], server.app.given.value
            assert known == ("a", "a", ["b"], "a")
            set_values(server, "b")  # what the first three were given before
            server.app.many["value"] = ["a", "c"]
            server.app.update(0)
            await choices(page, "b b b  b ac")


async def test_options_that_are_marked_anew_win_over_what_a_person_chose(page: Page) -> None:
    """As in htag 2."""
    async with served(Choices) as server:
        await visit(page, server.url)
        for select in (server.app.own, server.app.marked):
            await page.select_option(f"#{select['id']}", "a")
        await heard(server.app, 1)
        for select in (server.app.own, server.app.marked):
            select.clear(*server.app.options("abc", selected="c"))
        server.app.update(0)
        await choices(page, "c b b  c ac")


async def test_a_value_that_no_option_has_leaves_the_choice(page: Page) -> None:
    async with served(Choices) as server:
        await visit(page, server.url)
        await page.select_option("#own", "c")
        await heard(server.app, 1)
        set_values(server, "?")
        await raise_and_show(page, server.app.tick, "#choices", 1)
        await shows(page, "own.value === 'c' && marked.value === 'c'")


async def test_a_reconnection_and_a_second_tab_show_the_same_choices(page: Page) -> None:
    async with served(Choices) as server:
        await visit(page, server.url)
        await page.select_option("#own", "c")
        await heard(server.app, 1)
        await page.select_option("#made", "a")
        await shows(page, "!document.body.classList.contains('interacting')")
        set_values(server, "a")
        server.app.own["value"] = "b"
        server.app.update(0)
        await choices(page, "b a a  a a")
        await page.evaluate("window.before = window.ws")
        server.serving.cut()
        await shows(page, f"window.ws !== window.before && {CONNECTED['ws']}")
        await raise_and_show(page, server.app.tick, "#choices", 1)
        await choices(page, "b a a  a a")
        other = await page.context.new_page()
        await visit(other, server.url)
        await choices(other, "b a a  a a")
        set_values(server, "c")
        for tab in (page, other):
            await choices(tab, "c c c  c c")
