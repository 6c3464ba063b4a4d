"""What a load has used goes at once: a cycle would keep the whole app until a sweep of the garbage collector."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from htag.snapshot.api import dump, is_held, load
from htag.tree.live import live_tree
from tests.apps.todo import Todo


@pytest.fixture(autouse=True)
def no_collections() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_nothing_of_a_load_holds_the_app() -> None:
    app = load(dump(Todo()), Todo).app
    assert not is_held(app)


def test_a_loaded_app_that_is_taken_apart_is_gone() -> None:
    app = load(dump(Todo()), Todo).app
    watched = weakref.ref(app)
    live_tree(app).dispose()
    del app
    assert watched() is None
