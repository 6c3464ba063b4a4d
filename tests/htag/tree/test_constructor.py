"""`htag.tree.constructor`: what a class is prepared for, and the constructor of classes that add nothing."""

from typing import Any

import pytest

from htag import Tag
from htag.tree.constructor import SPECIALISED


class Plain(Tag.section):
    pass


def test_a_class_that_adds_nothing_has_a_constructor_of_its_own() -> None:
    Plain()
    assert Plain.__init__.__name__ == SPECIALISED  # type: ignore[misc]  # of the class, not of an instance
    assert Plain.__init__ is not Tag.section.__init__  # type: ignore[misc]


def test_a_class_made_in_a_function_has_none() -> None:
    class Local(Tag.section):
        pass

    Local()
    assert "__init__" not in Local.__dict__


@pytest.mark.parametrize("keywords", [{"text": "first "}, {"text": "first ", "_class": "x"}, {"_id": "own"}])
def test_keywords_come_before_the_children(keywords: dict[str, Any]) -> None:
    tag = Plain("last", **keywords)
    assert tag.text == keywords.get("text", "") + "last"
    assert Tag.div("x", Tag.b(), **keywords).text == keywords.get("text", "") + "x"


def test_a_subclass_of_a_prepared_class_is_prepared_for_itself() -> None:
    Plain()

    class Hooked(Plain):
        def on_mount(self) -> None:
            """Makes it another kind of class."""

    class Titled(Plain):
        styles = "b { color: red }"

    assert Hooked("x", Tag.b("y")).childs[0] == "x"
    assert Titled()["class"] == "htag-Titled"
