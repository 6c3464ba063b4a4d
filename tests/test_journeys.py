"""The journeys of `docs/architecture.md`: their functions exist and run in that order, through few files."""

from typing import Any

import pytest

from headless.asgi import Site
from htag import Tag
from htag.limits import Limits
from htag.observer import Observer
from htag.stores.memory import MemoryStore
from htag.tree.elements import elements
from tests.htag.session.lasting import Hooked
from tests.support.journeys import (
    HOME,
    CallRecorder,
    Journey,
    Step,
    changes_of_file,
    files_not_told,
    first_missing,
    functions_of,
    journeys,
    returns_to_files,
)
from tests.support.source import ROOT
from tests.support.visits import Visits, visits
from tests.support.waiting import until

__all__ = ["visits"]  # a fixture

PAGE = (ROOT / "docs" / "architecture.md").read_text()
JOURNEYS = {journey.title: journey for journey in journeys(PAGE)}


class Counter(Tag.App):
    """A page with all that takes part: a callable among the children, a handler, a hook at the end."""

    def init(self) -> None:
        self.clicks = 0
        self.is_over = False
        Tag.button("Click", _id="click", _onclick=self.click)
        Tag.span(lambda: str(self.clicks))

    def click(self, event: Any) -> None:
        """Count."""
        self.clicks += 1

    def on_destroy(self) -> None:
        """Note that the session is over."""
        self.is_over = True


@pytest.fixture(autouse=True)
def no_fieldset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a `fieldset` was made in this process, by other tests too, a click looks for a disabled one."""
    monkeypatch.delitem(elements, "fieldset", raising=False)


async def first_page(visits: Visits) -> CallRecorder:
    web = visits.serve(Counter)
    await visits.tab(web, "websocket").load()  # after this one, nothing is made for the first time
    tab = visits.tab(web, "websocket")
    with CallRecorder() as recorder:
        await tab.load()
    return recorder


async def click(visits: Visits, transport: str) -> CallRecorder:
    tab = await visits.tab(visits.serve(Counter), transport, 2).load()
    await tab.connect()
    await tab.click(tab.button("Click"))  # after this one, nothing is made for the first time
    target = tab.button("Click")
    with CallRecorder() as recorder:
        await tab.click(target)
    return recorder


async def end(visits: Visits) -> CallRecorder:
    apps: list[Counter] = []
    web = visits.serve(Counter, limits=Limits(grace_seconds=0.05), on_instance=apps.append)
    tab = await visits.tab(web, "websocket").load()
    await tab.connect()
    with CallRecorder() as recorder:
        await tab.leave()
        await until(lambda: apps[0].is_over)
    return recorder


async def drain(visits: Visits) -> CallRecorder:
    await drained(visits)  # after this one, nothing is made for the first time
    return await drained(visits)


async def drained(visits: Visits) -> CallRecorder:
    web = visits.serve(Hooked, store=MemoryStore())
    tab = await visits.tab(web, "websocket", 2).load()
    await tab.connect()
    await tab.click("more")
    with CallRecorder() as recorder:
        assert await web.registry.move_out(0.1) == 0
    return recorder


async def take_over(visits: Visits) -> CallRecorder:
    await taken_over(visits)  # after this one, nothing is made for the first time
    return await taken_over(visits)


async def taken_over(visits: Visits) -> CallRecorder:
    store = MemoryStore()
    crashed, other = (visits.serve(Hooked, store=store, secret="s" * 32) for _ in range(2))
    tab = await visits.tab(crashed, "websocket", 2).load()
    await tab.connect()
    await until(lambda: crashed.registry.snapshot_counts()["saved"] == 1)
    await tab.click("more")
    await tab.lose()
    tab.site = Site(other.app, cookies=tab.site.cookies)
    with CallRecorder() as recorder:
        await tab.connect()
        assert await tab.click("more") == 2
    return recorder


TRAVELLED = {
    "First page": first_page,
    "A click": lambda visits: click(visits, "websocket"),
    "A click by POST": lambda visits: click(visits, "http"),
    "A session ends": end,
    "A worker goes away": drain,
    "A session is taken over": take_over,
}


def test_the_page_has_these_journeys() -> None:
    assert set(JOURNEYS) == set(TRAVELLED)
    assert all(len(journey.steps) >= 5 for journey in JOURNEYS.values())


@pytest.mark.parametrize(
    ("title", "step"), [(journey.title, step) for journey in JOURNEYS.values() for step in journey.steps]
)
def test_a_step_is_a_function_that_exists(title: str, step: Step) -> None:
    assert step.function in functions_of((HOME / step.file).read_text()), title


@pytest.mark.parametrize("title", JOURNEYS)
def test_no_journey_comes_back_to_a_file_more_than_once(title: str) -> None:
    assert {file: times for file, times in returns_to_files(JOURNEYS[title].steps).items() if times > 1} == {}


@pytest.mark.parametrize("title", JOURNEYS)
async def test_the_steps_run_in_this_order(visits: Visits, title: str) -> None:
    calls = (await TRAVELLED[title](visits)).calls
    assert first_missing(JOURNEYS[title].steps, calls) is None


@pytest.mark.parametrize("title", JOURNEYS)
async def test_no_file_takes_part_that_the_page_does_not_name(visits: Visits, title: str) -> None:
    calls = (await TRAVELLED[title](visits)).calls
    assert files_not_told(JOURNEYS[title], calls) == set()
    assert {each for each in JOURNEYS[title].asked if not any(step.file.startswith(each) for step in calls)} == set()


@pytest.mark.parametrize("title", JOURNEYS)
async def test_a_journey_changes_between_files_as_seldom_as_the_page_says(visits: Visits, title: str) -> None:
    calls = (await TRAVELLED[title](visits)).calls
    assert changes_of_file(calls) <= JOURNEYS[title].most_changes


# -- these tests can fail ----------------------------------------------------------------------------------------------

A, B, C, D = Step("a.py", "f"), Step("b.py", "g"), Step("c/d.py", "K.h"), Step("a.py", "never")


def test_a_list_is_read_with_what_is_asked() -> None:
    page = (
        "# x\n## Journeys\n\ntext\n\n### One\n\n1. `a.py:f`: why\n2. `c/d.py:K.h`\n\n"
        "Asked or told on the way: `b.py`, `c/`.\n\nAt most 7 changes of file.\n\n"
        "### Two\n\n1. `b.py:g`\n\nAt most 1 changes of file, x.\n\n## Next\n\n1. `no.py:no`\n"
    )
    assert list(journeys(page)) == [Journey("One", [A, C], ["b.py", "c/"], 7), Journey("Two", [B], [], 1)]


@pytest.mark.parametrize(
    ("steps", "counted"),
    [([A, A, B, C], {}), ([A, B, A], {"a.py": 1}), ([A, B, A, A, C, A, B], {"a.py": 2, "b.py": 1})],
)
def test_returns_are_counted(steps: list[Step], counted: dict[str, int]) -> None:
    assert returns_to_files(steps) == counted


def test_functions_are_known_by_their_qualified_names() -> None:
    source = (
        "def f():\n    def inner(): ...\nclass K:\n    async def h(self): ...\n    class L:\n        def m(self): ...\n"
    )
    assert functions_of(source) == {"f", "K.h", "K.L.m"}


@pytest.mark.parametrize(("steps", "missing"), [([A, B], None), ([A, C], None), ([B, A], A), ([A, A], A), ([D], D)])
def test_an_order_that_is_not_the_true_one_is_found(steps: list[Step], missing: Step | None) -> None:
    assert first_missing(steps, [A, B, C]) == missing


def test_a_file_that_is_not_named_is_found() -> None:
    assert files_not_told(Journey("One", [A], [], 0), [A, B, C]) == {"b.py", "c/d.py"}
    assert files_not_told(Journey("One", [A], ["b.py", "c/"], 0), [A, B, C]) == set()


def test_changes_of_file_are_counted() -> None:
    assert changes_of_file([A, A, B, A, D, C]) == 3


def test_calls_are_recorded_in_their_order() -> None:
    observer = Observer()
    observer.report_left_out()
    with CallRecorder() as recorder:
        observer.session_opened()
        observer.browser_error()
    observer.report_left_out()
    assert recorder.calls == [Step("observer.py", f"Observer.{name}") for name in ("session_opened", "browser_error")]
