"""Tags that have left a tree are known for as long as something keeps them, and are not kept by that."""

import gc
import weakref
from typing import Any

from htag import Tag
from htag.tree.departed import FEW, Departed
from htag.tree.live import live_tree


def test_a_tag_that_stands_in_an_app_again_has_not_departed() -> None:
    departed = Departed()
    one, two = Tag.p(), Tag.p()
    departed.note([one, two, one])
    assert departed.alive() == [one, two]
    app: Any = Tag.App()
    app.add(Tag.div(two))
    assert departed.alive() == [one]


def test_it_keeps_none_and_forgets_those_that_have_gone() -> None:
    departed = Departed()
    for _ in range(10 * FEW):
        departed.note([Tag.p()])
    assert len(departed._tags) <= FEW
    assert departed.alive() == []


def test_many_that_stay_are_not_looked_through_each_time() -> None:
    departed = Departed()
    kept = [Tag.p() for _ in range(5 * FEW)]
    looks = 0

    class Counted(Departed):
        __slots__ = ()

        def alive(self) -> list[Any]:
            nonlocal looks
            looks += 1
            return super().alive()

    departed = Counted()
    for tag in kept:
        departed.note([tag])
    assert looks <= 4
    assert departed.alive() == kept


def test_a_live_tree_notes_what_leaves_it_and_what_was_generated_in_that() -> None:
    app: Any = Tag.App()
    app.add(Tag.div(Tag.p(lambda: Tag.b("generated"))))
    live_tree(app).render_page()
    assert live_tree(app).departed is None
    app.remove(top := app.childs[0])
    departed = live_tree(app).departed
    assert departed is not None
    assert top in departed.alive()
    del top
    live_tree(app).render_body()  # until then what was shown is kept, to be compared
    gc.collect()
    assert departed.alive() == []
    assert weakref.ref(app)() is app
