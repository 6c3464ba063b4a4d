"""The live tree as a whole: who runs the app, and its end."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from htag import Tag
from htag.tree.live import live_tree
from htag.tree.node import child_tags
from tests.support.stage import Stage


class Recorder:
    """A session, as a tree sees it."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def request_push(self, seconds: float) -> None:
        self.asked.append(seconds)

    def inside(self, work: Any, *arguments: Any) -> Any:
        self.asked.append("inside")
        return work(*arguments)

    def renew_id(self) -> None:
        self.asked.append("renew")


class Hooked(Tag.p):
    def on_mount(self) -> None:
        self.text = "mounted"


def test_what_the_app_asks_for_goes_to_the_session_that_runs_it(app: Stage) -> None:
    app.update()
    app.renew_session_id()
    app.add(tag := Hooked())
    assert tag.text == "mounted"  # an app that no session runs mounts all the same
    live_tree(app).attach_host(host := Recorder())
    app.update(1.5)
    app.renew_session_id()
    app.add(other := Hooked())
    other.remove()
    app.add(Tag.p())
    assert host.asked == [1.5, "renew", "inside", "inside"]  # what has no hooks needs no context


def test_the_request_is_the_one_that_spoke_last_and_none_once_the_app_is_over(app: Stage) -> None:
    assert app.request is None
    live_tree(app).request = lambda: "first"
    live_tree(app).request = lambda: "second"
    assert app.request == "second"
    live_tree(app).attach_host(host := Recorder())
    live_tree(app).dispose()
    assert app.request is None
    app.update()
    assert host.asked == []


# -- the end


def test_a_disposed_live_tree_frees_the_tags_without_a_collection_of_cycles() -> None:
    class Component(Tag.div):
        def init(self) -> None:
            Tag.button("x", _onclick=self.click)
            Tag.input()
            Tag.p(lambda: self["class"], _class="y")

        def click(self, event: Any) -> None:
            self.add("!")

    app = Stage()
    app.add(*(Component(_class="c") for _ in range(100)))
    live_tree(app).render_page()
    gc.collect()
    gc.disable()
    try:
        alive = [weakref.ref(tag) for tag in live_tree(app).generated.pre_order(app) if tag is not app]
        assert len(alive) == 400
        live_tree(app).dispose()
        assert [ref() for ref in alive if ref() is not None] == []
    finally:
        gc.enable()


def test_a_component_whose_attribute_reads_itself_is_freed_as_well() -> None:
    class Component(Tag.p):
        def init(self) -> None:
            self["class"] = lambda: "open" if self.parent else None

    app = Stage()
    app.add(Component())
    alive = weakref.ref(child_tags(app)[0])
    gc.collect()
    gc.disable()
    try:
        live_tree(app).dispose()
        assert alive() is None
    finally:
        gc.enable()
