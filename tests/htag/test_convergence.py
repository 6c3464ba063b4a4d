"""hypothesis: whatever happens to a tree, the browser shows what a fresh render shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from headless.tab import Tab
from htag import HTML, GTag, State, Tag
from tests.htag.stage import Stage, World, on_stage, texts, usual


async def settle(tab: Tab) -> None:
    """Takes in what the server still has to say; nothing is throttled here, so a pause means that this is all."""
    while True:
        try:
            await tab.next(0.02)
        except TimeoutError:
            return


# -- what can happen to a tree

numbers = st.integers(0, 50)
names = st.sampled_from(["div", "p", "span", "ul", "my_element", "textarea", "select", "input", "br"])
values = st.one_of(texts, st.booleans(), st.none(), st.integers())


def child(world: World, kind: str, name: str, text: str, number: int) -> object:
    """Anything that a tag may hold."""
    state = world.state(number)
    makers: dict[str, Callable[[], object]] = {
        "text": lambda: text,
        "number": lambda: number,
        "html": lambda: HTML("<i>raw</i>"),
        "none": lambda: None,
        "tag": lambda: world.new(getattr(Tag, name)(text)),
        "handler": lambda: world.new(Tag.button(text, _onclick=lambda event: None)),
        "fragment": lambda: world.new(Tag(text, Tag.b(number))),
        "state": lambda: state,
        "shown": lambda: lambda: f"{state.value}:{text}",
        "made": lambda: lambda: [Tag.li(text, state) for _ in range(_size(state))],
        "nested": lambda: lambda: Tag.p(lambda: Tag.b(state) if _size(state) else None, _title=lambda: state.value),
        "kept": lambda: _chosen(Tag.em(text, state), state),
        "held": lambda: State(Tag.u(text, state)),
        "list": lambda: [text, [world.new(Tag.i(state))], None],
    }
    return makers[kind]()


KINDS = ["text", "number", "html", "none", "tag", "handler", "fragment", "list"]
KINDS += ["state", "shown", "made", "nested", "kept", "held"]


def _size(state: State) -> int:
    value = state.value
    return value % 4 if isinstance(value, int) else len(str(value)) % 4


def _chosen(tag: GTag, state: State) -> Callable[[], GTag | None]:
    """A persistent tag, shown or not."""
    return lambda: tag if _size(state) else None


def _forget(tag: GTag, name: str) -> None:
    try:
        del tag[name]
    except KeyError:
        return


def perform(world: World, change: tuple[Any, ...]) -> None:
    """One change, named so that a failing example reads as a story."""
    kind, where, *rest = change
    tag = world.tag(where)
    match kind:
        case "add":
            tag.add(child(world, *rest))
        case "clear":
            tag.clear(child(world, *rest))
        case "move":
            world.move(rest[0], where)
        case "leave" if tag is not world.tags[0]:
            tag.remove()
        case "remove nth" if tag.childs:
            tag.remove(tag.childs[rest[0] % len(tag.childs)])
        case "text":
            tag.text = rest[0]
        case "attribute":
            tag[rest[0]] = rest[1]
        case "computed attribute":
            state = world.state(rest[1])
            tag[rest[0]] = lambda: state.value
        case "no attribute":
            _forget(tag, rest[0])
        case "state":
            world.state(where).value = rest[0]
        case "new state":
            world.states.append(State(rest[0]))


children = (st.sampled_from(KINDS), names, texts, numbers)
attribute_names = st.sampled_from(["title", "class", "data-x"])
changes = st.one_of(
    st.tuples(st.sampled_from(["add", "add", "clear"]), numbers, *children),
    st.tuples(st.sampled_from(["move", "remove nth"]), numbers, numbers),
    st.tuples(st.just("leave"), numbers),
    st.tuples(st.just("text"), numbers, texts),
    st.tuples(st.just("attribute"), numbers, attribute_names, values),
    st.tuples(st.just("computed attribute"), numbers, attribute_names, numbers),
    st.tuples(st.just("no attribute"), numbers, attribute_names),
    st.tuples(st.sampled_from(["state", "new state"]), numbers, values),
)
ANOTHER_TAB = "another tab"  # opens the page, which renders everything once more
steps = st.lists(st.one_of(st.lists(changes, min_size=1, max_size=4), st.just(ANOTHER_TAB)), max_size=12)


@settings(usual, max_examples=150)
@given(steps)
def test_what_the_browser_shows_is_what_a_fresh_render_shows(happening):
    async def play(tab: Tab, stage: Stage) -> None:
        for step in happening:
            if step == ANOTHER_TAB:
                await Tab(tab.site).load()
                continue
            stage.act = lambda step=step: [perform(stage.world, change) for change in step] and None
            await tab.event("go", "click")
        await settle(tab)
        shown = tab.body.shape()
        fresh = await Tab(tab.site).load()
        assert shown == fresh.body.shape()

    asyncio.run(on_stage(play))


@settings(usual, max_examples=60)
@given(st.lists(changes, min_size=1, max_size=8))
def test_changes_outside_events_arrive_by_update(happening):
    async def play(tab: Tab, stage: Stage) -> None:
        for change in happening:
            perform(stage.world, change)
        stage.update(0)
        await settle(tab)
        shown = tab.body.shape()
        assert shown == (await Tab(tab.site).load()).body.shape()

    asyncio.run(on_stage(play))


@settings(usual, max_examples=40)
@given(steps)
def test_every_handler_that_the_browser_shows_is_alive(happening):
    async def play(tab: Tab, stage: Stage) -> None:
        for step in happening:
            if step != ANOTHER_TAB:
                stage.act = lambda step=step: [perform(stage.world, change) for change in step] and None
                await tab.event("go", "click")
        stage.act = lambda: None
        clicked: list[GTag] = []
        for tag in stage.world.tags:
            if tag.tag == "button":
                tag["onclick"] = clicked.append
        await tab.event("go", "click")
        shown = [button for button in tab.body.all("button") if button.attributes.get("id") != "go"]
        for button in shown:
            if "htag_event" in (button.attributes.get("onclick") or ""):
                await tab.click(button)
        assert len(clicked) == len([button for button in shown if "htag_event" in button.attributes["onclick"]])

    asyncio.run(on_stage(play))
