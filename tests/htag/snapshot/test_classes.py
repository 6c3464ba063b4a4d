"""Classes that are made in functions go to another process; and objects of an earlier version of a class are told."""

from typing import Any

import pytest

from htag import State, Tag
from htag.snapshot.classes import build_digest, build_digests, reduce_class, refuse_unfinished, stored_attributes
from htag.snapshot.errors import Moved, Pinned
from tests.htag.snapshot import local_kinds
from tests.support.moved import dumps, moved, read_elsewhere, said, written_elsewhere

MODULE = "tests.htag.snapshot.local_kinds"


@pytest.fixture(scope="module")
def there():
    """What is said of each case after it has moved from one process to another, neither of which is this one."""
    written = written_elsewhere(MODULE)
    assert not {name: why for name, why in written.items() if why.startswith("Pinned")}
    return read_elsewhere(MODULE, written)


@pytest.mark.parametrize("name", local_kinds.CASES)
def test_a_local_class_does_the_same_in_another_process(name, there):
    outcome, text = there[name]
    assert outcome == ("by name" if name == "one slot" else "same")  # that class has no code but its own
    assert text == said(local_kinds.CASES, name, local_kinds.CASES[name][0]())


@pytest.mark.parametrize("name", local_kinds.CASES)
def test_a_local_class_does_the_same_after_a_move_within_a_process(name):
    make = local_kinds.CASES[name][0]
    assert said(local_kinds.CASES, name, moved(make())) == said(local_kinds.CASES, name, make())


@pytest.mark.parametrize("name", local_kinds.REFUSED)
def test_a_local_class_that_cannot_be_made_again_is_refused(name):
    make, reason = local_kinds.REFUSED[name]
    with pytest.raises(Pinned) as caught:
        dumps(make())
    assert reason in caught.value.reason


def test_a_class_with_a_name_is_written_by_its_name():
    for cls in (int, Tag.div, State, local_kinds.Registering):
        assert reduce_class(cls, pytest.fail) is NotImplemented
    assert moved(local_kinds.Registering) is local_kinds.Registering


# -- objects of an earlier version -------------------------------------------------------------------------------------


def versions(before, after):
    """The digest with which an instance of the first was built, the second class, and that instance."""
    built = before()
    made = object.__new__(after)
    made.__dict__.update(built.__dict__)
    return after, build_digest(before), [made]


class Before:
    def __init__(self):
        self.size = 1


class Same:
    def __init__(self):
        self.size = 1


class OtherValue:
    def __init__(self):
        self.size = 2


class More:
    def __init__(self):
        self.size = 1
        self.colour = "red"


class Renamed:
    def __init__(self):
        self.width = 1


class MoreOfTheClass:
    colour = "blue"

    def __init__(self):
        self.size = 1
        self.colour = "red"


class MoreOnOthers:
    def __init__(self):
        self.size = 1
        other: Any = Before()
        other.colour = "red"
        other.size = State(0)
        other.size.x = 1


class InBranches:
    def __init__(self, colour="red"):
        self.size = 1
        for self.place in range(2):
            self.name, self.title = colour, colour
        see: Any = lambda: self  # noqa: E731
        see().of_others = 1


class OtherLambda:
    def __init__(self):
        self.size = 1
        self.size = (lambda: 3)()


@pytest.mark.parametrize("after", [Same, OtherValue, MoreOfTheClass, MoreOnOthers, OtherLambda])
def test_an_object_that_has_what_is_stored_today_is_taken(after):
    refuse_unfinished(*versions(Before, after))


@pytest.mark.parametrize(
    ("after", "missing"), [(More, "colour"), (Renamed, "width"), (InBranches, "name, place, title")]
)
def test_an_object_that_lacks_what_is_stored_today_is_refused(after, missing):
    with pytest.raises(Moved, match=f"{after.__name__} now stores {missing} when it is built"):
        refuse_unfinished(*versions(Before, after))


def test_what_is_missing_does_not_matter_where_building_is_the_same():
    """It was missing before, too: the app has deleted it."""
    refuse_unfinished(More, build_digest(More), [object.__new__(More)])


def component(*names):
    class Component(Tag.div):
        if "init" in names:

            def init(self):
                self.size = 1

        if "__init__" in names:

            def __init__(self):
                super().__init__()
                self.colour = 2

    return Component


def test_both_ways_to_build_count_and_those_of_bases():
    both: Any = component("init", "__init__")

    class Derived(both):
        def init(self):
            super().init()
            self.more = 3

    assert stored_attributes(both) == {"size", "colour"}
    assert stored_attributes(Derived) == {"size", "colour", "more"}
    assert len({build_digest(each) for each in (both, component("init"), component("__init__"), Derived)}) == 4
    assert build_digest(component("init")) == build_digest(component("init"))


def test_a_class_of_htag_alone_has_no_digest():
    assert build_digest(Tag.div) == b""
    assert build_digests([Tag.div, More, int]) == {More: build_digest(More)}


def test_a_lambda_in_init_is_not_what_building_does():
    def first():
        class Page(Tag.div):
            def init(self):
                Tag.button(lambda: "one")

        return Page

    def second():
        class Page(Tag.div):
            def init(self):
                Tag.button(lambda: "two")

        return Page

    assert build_digest(first()) == build_digest(second())
