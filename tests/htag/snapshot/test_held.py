"""Functions and local classes that an app holds: written and read by the real `dump` and `load`, behind their walls."""

import functools
import textwrap
import types
from typing import Any

import pytest

from htag import Tag
from htag.snapshot.api import dump, load
from htag.snapshot.errors import Pinned
from tests.htag.snapshot import kinds, local_kinds
from tests.support.moved import said

CASES = kinds.CASES | local_kinds.CASES


class Holder(Tag.App):
    def init(self, held=None):
        self.held = held


@pytest.mark.parametrize("name", CASES)
def test_what_an_app_holds_does_the_same_after_a_move(name):
    loaded = load(dump(Holder(CASES[name][0]())), Holder)
    app: Any = loaded.app
    assert loaded.outcome == "same"
    assert said(CASES, name, app.held) == said(CASES, name, CASES[name][0]())


class Mine(textwrap.TextWrapper):
    def __init__(self):
        self.filled = super().fill


def made_by_a_library():
    """A function of a module whose code no snapshot may name: by name, and by address."""
    yield textwrap.indent
    yield textwrap.TextWrapper().fill
    yield Mine().filled
    yield textwrap.TextWrapper.__init__


@pytest.mark.parametrize("made", [*made_by_a_library()])
def test_a_function_is_refused_when_it_is_written_not_when_it_is_read(made):
    with pytest.raises(Pinned, match=r"nothing that a snapshot may name|which a snapshot may not name"):
        dump(Holder(made))


def decorated_elsewhere():
    """A function of another module that was given our module's name: it goes by address all the same."""

    made = types.FunctionType(textwrap.indent.__code__, vars(textwrap))
    return functools.wraps(decorated_elsewhere)(made)


def test_it_is_the_module_of_the_code_that_counts_not_the_one_that_wraps_notes():
    with pytest.raises(Pinned, match=r"decorated_elsewhere is code of textwrap, which a snapshot may not name"):
        dump(Holder(decorated_elsewhere()))
