"""Tags that callables yield: they mount, unmount, and leave nothing behind."""

from __future__ import annotations

from htag import State, Tag
from htag.tree.live import live_tree
from tests.support.stage import Stage, clicked, pushed


def test_a_tag_that_a_callable_makes_mounts_when_it_comes_and_unmounts_when_it_goes(app: Stage) -> None:
    log: list[str] = []

    class Hooked(Tag.p):
        def on_mount(self) -> None:
            log.append("mount")

        def on_unmount(self) -> None:
            log.append("unmount")

    shows = State(True)
    kept = Hooked("x", _onclick=clicked)
    app.add(Tag.div(lambda: kept if shows.value else None))
    live_tree(app).render_page()
    live_tree(app).render_body()
    assert log == ["mount"]
    assert live_tree(app).has_generated_tags()
    shows.value = False
    pushed(app)
    assert log == ["mount", "unmount"]
    assert kept.parent is None
    assert live_tree(app).index.find(kept.id) is None
    assert not live_tree(app).has_generated_tags()


def test_tags_made_afresh_by_each_render_leave_nothing_behind(app: Stage) -> None:
    host = Tag.div(lambda: [Tag.button(Tag.input(), _onclick=clicked) for _ in range(10)])
    app.add(host)
    live_tree(app).render_page()
    for _ in range(20):
        host["class"] = "again"
        pushed(app)
    assert len(live_tree(app).index.targets) == 20
    assert len(live_tree(app).generated.by_host) == 1
