"""The estimate grows with what there is, and is near to what Python really takes."""

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import pytest

from htag import State, Tag
from htag.app import App
from htag.session import memory as footprint
from htag.session.memory import SESSION_BYTES
from htag.tree.live import live_tree
from tests.support.waiting import passed


def table(app: App) -> None:
    app.add(Tag.table([Tag.tr([Tag.td(f"row {row}, column {column}") for column in range(5)]) for row in range(200)]))


def form(app: App) -> None:
    for number in range(500):
        app.add(Tag.label(f"field number {number}", Tag.input(_name=f"field{number}", _value=f"value {number}")))


def handlers(app: App) -> None:
    app.add([Tag.button(f"button {number}", _class="wide", _onclick=lambda event: None) for number in range(500)])


class Card(Tag.div):
    def init(self, number: int) -> None:
        self.title = State(f"card {number}")
        self.rows = [f"row {number} {row}" for row in range(5)]
        self.seen = {"first": f"x{number}"}
        Tag.h2(self.title)
        Tag.ul([Tag.li(row) for row in self.rows])


def components(app: App) -> None:
    app.add([Card(number) for number in range(200)])


def texts(app: App) -> None:
    app.add([Tag.p("long " * 200 + str(number)) for number in range(200)])


SCENES = [table, form, handlers, components, texts]


def empty() -> App:
    return Tag.App()


def filled(fill: Callable[[App], None]) -> App:
    app = empty()
    fill(app)
    live_tree(app).render_page()
    return app


@pytest.mark.parametrize("fill", SCENES)
def test_the_estimate_is_within_a_factor_of_two_of_what_is_really_taken(fill: Callable[[App], None]) -> None:
    filled(fill)  # what is made once per class, or cached, belongs to no session
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        app = filled(fill)
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    estimate = footprint.of(app)
    assert taken / 2 < estimate < taken * 2, f"{estimate} for {taken}"


def test_an_empty_app_is_a_session_and_little_more() -> None:
    assert SESSION_BYTES < footprint.of(empty()) < 2 * SESSION_BYTES


def long_text() -> str:
    """A text of its own each time: the constants of a program belong to no session."""
    return "".join(["a long text "] * 100)


CHANGES: list[Callable[[App], Any]] = [
    lambda app: app.add(Tag.p()),
    lambda app: app.add(long_text()),
    lambda app: app.__setitem__("title", long_text()),
    lambda app: app.__setitem__("onclick", lambda event: None),
    lambda app: setattr(app, "note", long_text()),
    lambda app: setattr(app, "note", [long_text()]),
    lambda app: setattr(app, "note", {"a": long_text()}),
    lambda app: setattr(app, "note", State(long_text())),
    lambda app: setattr(app, "note", State([long_text()])),
    lambda app: setattr(app, "note", b"bytes" * 100),
]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_added_counts(change: Callable[[App], Any]) -> None:
    app = empty()
    before = footprint.of(app)
    change(app)
    assert footprint.of(app) > before


def test_it_grows_with_the_tree_and_shrinks_with_it() -> None:
    app = empty()
    sizes = []
    for _ in range(5):
        app.add([Tag.p("text") for _ in range(100)])
        sizes.append(footprint.of(app))
    assert sizes == sorted(set(sizes))
    app.clear()
    assert footprint.of(app) < sizes[0]


def test_what_callables_make_counts() -> None:
    app = empty()
    app.add(lambda: [Tag.p("made") for _ in range(100)])
    before = footprint.of(app)
    live_tree(app).render_page()
    assert footprint.of(app) > before + 100 * 50


@pytest.mark.parametrize("fill", [table, form, handlers, texts])
def test_measuring_a_session_makes_it_no_bigger(fill: Callable[[App], None]) -> None:
    """It asked every element for its `__dict__`, which made one: 4 KiB for a page of 65 tags."""
    app = filled(fill)
    footprint.of(app)  # what it makes once for all
    app = filled(fill)
    before = sys.getallocatedblocks()
    footprint.of(app)
    assert sys.getallocatedblocks() - before < 20


def test_a_component_s_later_attributes_are_counted_too() -> None:
    app = filled(components)
    small = footprint.of(app)
    for card in app.childs:
        card.more = "x" * 1000
    assert footprint.of(app) - small > 200 * 1000


def taken_by(tasks: list[Any]) -> float:
    """What Python says that an app takes more because it holds one of `tasks`: the average."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / len(tasks)


@pytest.mark.parametrize("how", ["running", "cancelled", "ended"])
async def test_a_task_counts_with_what_it_keeps(how: str) -> None:
    async def work() -> None:
        await asyncio.sleep(0 if how == "ended" else 3600)

    app: Any = Tag.App()
    app.clock = None  # the room for an attribute is the app's own
    before = footprint.of(app)
    await passed(0.02)
    gc.collect()  # what other tests have left is not to be freed while these are counted
    tracemalloc.start()
    try:
        tasks = [asyncio.create_task(work(), context=copy_context()) for _ in range(1000)]
        await passed(0.02)
        if how == "cancelled":
            for task in tasks:
                task.cancel()
        if how != "running":
            await asyncio.wait(tasks)
        taken = taken_by(tasks)
    finally:
        tracemalloc.stop()
    app.clock = tasks[0]
    counted = footprint.of(app) - before
    for task in tasks:
        task.cancel()
    assert abs(counted - taken) < 0.25 * taken, f"{counted} for {taken}"
