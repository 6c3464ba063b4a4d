"""What people typed or chose in fields that callables make: the field that takes the place of one goes on with it.

As in the browser, where its element goes on: what the author gives a field wins where it is something else than before.
"""

from collections.abc import Iterable
from sys import getsizeof
from typing import Any
from weakref import WeakKeyDictionary

from htag.tree import pairs
from htag.tree.choice import is_marked_here, note_assigned, note_reported
from htag.tree.pairs import MISSING
from htag.tree.succession import are_alike
from htag.tree.tag import GTag

Said = dict[str, tuple[Any, Any]]  # by attribute: what the author had given (MISSING: nothing), what the person did

PLAIN = frozenset((str, int, float, bool, type(None), list, object))  # the last is MISSING's


SAME = ("type", "name", "id", "placeholder")  # attributes by which a person, or an author, knows a field

REFERENCE = 200  # bytes of a weak reference, and of its place in a dict
PAIR = 72


class Reported:
    """The attributes of fields that browsers have reported."""

    __slots__ = ("_fields",)

    def __init__(self) -> None:
        self._fields: WeakKeyDictionary[GTag, Said] = WeakKeyDictionary()

    def __contains__(self, tag: GTag) -> bool:
        return tag in self._fields

    def note(self, tag: GTag, name: str, value: Any) -> None:
        """A browser says that the attribute `name` of `tag` is `value`, which is not set yet."""
        said = self._fields.setdefault(tag, {})
        present = pairs.get(tag._attributes, name)
        given, before = said.get(name, (None, MISSING))
        said[name] = (given if name in said and _are_equal(present, before) else _given(tag, name)), value

    def hand_on(self, old: GTag, new: GTag) -> None:
        """`new` stands for `old` from now on."""
        said = self._fields.get(old)
        if said is None and not _are_equal(_given(new, "value"), _given(old, "value")):
            note_assigned(new)  # over what a person has chosen among its options before
        if said is None or new in self._fields or not _is_same_field(old, new):
            return
        for name, (given, value) in said.items():
            present = pairs.get(old._attributes, name)
            if _are_equal(present, value) and _are_equal(_given(new, name), given):
                self._fields.setdefault(new, {})[name] = given, value
                new._set_attribute(name, value)
                if name == "value":
                    note_reported(new, value)
            elif name == "value":
                note_assigned(new)

    def kept_bytes(self) -> int:
        """Bytes of what is kept here, without the values."""
        kept = [*self._fields.values()]
        return sum(REFERENCE + getsizeof(said) + PAIR * len(said) for said in kept)

    # -- for a snapshot ------------------------------------------------------------------------------------------------

    def record(self) -> list[tuple[GTag, list[tuple[Any, ...]]]]:
        """All of it: a tag, and of each attribute its name, what was reported, and what was given, if anything."""
        fields = self._fields.items()
        return [(tag, [_as_record(name, *each) for name, each in said.items()]) for tag, said in fields]

    def restore(self, record: Iterable[tuple[GTag, list[tuple[Any, ...]]]]) -> None:
        """Know what `record` said."""
        for tag, said in record:
            self._fields[tag] = {name: (given[0] if given else MISSING, value) for name, value, *given in said}


def _are_equal(one: Any, other: Any) -> bool:
    """Whether these are the same plain value. What a callable yields may always be another."""
    return type(one) is type(other) and type(one) in PLAIN and bool(one == other)


def _given(tag: GTag, name: str) -> Any:
    """What its author gives a field."""
    if name == "selected" and is_marked_here(tag):
        return MISSING
    is_content = name == "value" and tag.tag == "textarea"
    return tag._content if is_content else pairs.get(tag._attributes, name)


def _is_same_field(old: GTag, new: GTag) -> bool:
    """Whether `new` is the same field: it is called alike, of one kind, and has the same handlers."""
    for name in SAME:
        if not _are_equal(pairs.get(old._attributes, name), pairs.get(new._attributes, name)):
            return False
    if old.tag != new.tag or old._events[::2] != new._events[::2]:
        return False
    return all(map(are_alike, old._events[1::2], new._events[1::2]))


def _as_record(name: str, given: Any, value: Any) -> tuple[Any, ...]:
    return (name, value) if given is MISSING else (name, value, given)
