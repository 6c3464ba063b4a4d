"""Contract, sections 1 and 23: exceptions and warnings."""

import importlib
import warnings

import pytest

from htag import State, States, Tag, errors


def test_the_exception_family():
    assert issubclass(errors.HtagError, Exception)
    assert issubclass(errors.HtagRenderError, errors.HtagError)
    assert issubclass(errors.HtagEventError, errors.HtagError)


@pytest.mark.parametrize(
    ("mistake", "kind"),
    [
        (lambda: Tag.add, AttributeError),
        (lambda: States(a=1).b, AttributeError),
        (lambda: Tag.div(root=1), AttributeError),
        (lambda: Tag.div()["x"], KeyError),
        (lambda: Tag.div().__delitem__("x"), KeyError),
        (lambda: Tag.div()[1], TypeError),
        (lambda: Tag.div() << 1, TypeError),
        (lambda: iter(Tag.div()), TypeError),
        (lambda: State(), TypeError),  # type: ignore[call-arg]
    ],
)
def test_which_mistake_is_which_exception(mistake, kind):
    with pytest.raises(kind):
        mistake()


@pytest.mark.mended
@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda: Tag.add, "add"),
        (lambda: Tag.div()["colour"], "colour"),
        (lambda: Tag.div()[5], "int"),
        (lambda: Tag.div().__setitem__("a b", "x"), "a b"),
        (lambda: (tag := Tag.div()) <= tag, "div"),
    ],
)
def test_a_message_names_the_value_that_broke_the_rule(mistake, words):
    with pytest.raises((AttributeError, KeyError, TypeError, ValueError), match=words):
        mistake()


def test_importing_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.import_module("htag")
