"""hypothesis plays with an app: what it may say, and the app whose tree it changes, in a browser without a window."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from headless.asgi import Site
from headless.tab import Tab
from htag import GTag, State, Tag, WebApp

usual = settings(max_examples=60)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=20)  # what HTML can say


class Stage(Tag.App):
    """An app whose tree the test changes, inside an event."""

    def init(self) -> None:
        self.act: Callable[[], object] = lambda: None
        Tag.button("go", _id="go", _onclick=lambda event: self.act() and None)
        self.world = World(Tag.div(_id="stage"))


async def on_stage(play: Callable[[Tab, Stage], Coroutine[Any, Any, None]], transport: str = "websocket") -> None:
    """Plays with a fresh app in a fresh browser."""
    stages: list[Stage] = []
    web = WebApp(Stage, on_instance=stages.append)
    tab = await Tab(Site(web.app), transport).load()
    await tab.connect()
    await play(tab, stages[0])
    await tab.leave()
    await web.registry.close()


class World:
    """All tags and States there are, attached or not, so that numbers can name them."""

    def __init__(self, top: GTag) -> None:
        self.tags = [top]
        self.states: list[State] = [State(0)]

    def tag(self, number: int) -> GTag:
        return self.tags[number % len(self.tags)]

    def state(self, number: int) -> State:
        return self.states[number % len(self.states)]

    def new(self, tag: GTag) -> GTag:
        self.tags.append(tag)
        return tag

    def move(self, what: int, where: int) -> None:
        child, parent = self.tag(what), self.tag(where)
        if child is not self.tags[0] and not _is_within(parent, child):
            parent.add(child)


def _is_within(tag: GTag | None, ancestor: GTag) -> bool:
    while tag is not None:
        if tag is ancestor:
            return True
        tag = tag.parent
    return False
