"""What pickle writes and could not read again pins its session while that is still there; what only pickle's own way
cannot read comes back."""

import collections
import enum
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from htag import Tag
from htag.snapshot.api import carry, dump, load
from htag.snapshot.errors import Moved, Pinned
from htag.state import State
from tests.htag.snapshot.edited_module import folder, imported

__all__ = ["folder"]


class Refusal(Exception):
    """An error that wants more than it tells `Exception`."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Recent(collections.OrderedDict[str, int]):
    """Remembers a few."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.capacity = capacity


class Label(str):
    """A text with a note."""

    def __new__(cls, text: str, note: str) -> "Label":
        made = super().__new__(cls, text)
        made.note = note
        return made

    note: str


class Wants:
    """Is not made without an argument."""

    def __new__(cls, wanted: str) -> "Wants":
        return super().__new__(cls)


class Opens:
    """Says itself how it is made again, which is not to be tried beforehand."""

    opened = 0

    def __reduce__(self) -> Any:
        return opens, ()


def opens() -> Opens:
    Opens.opened += 1
    return Opens()


class Proxy:
    """Has what another object has."""

    def __init__(self, of: Any) -> None:
        self._of = of

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)


class Fixed:
    """Cannot be changed."""

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        object.__setattr__(self, "value", value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise TypeError("it cannot be changed")


class Proud(dict[str, Any]):
    """Its entries are attributes, and it has others too."""

    def __init__(self) -> None:
        super().__init__(entry=1)
        self.__dict__["own"] = 2

    def __getattr__(self, name: str) -> Any:
        return self[name]  # KeyError, whatever is asked for

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class Factor:
    def __init__(self, by: int) -> None:
        self.by = by


class Step(enum.Enum):
    """Its values have no equal elsewhere."""

    DOUBLE = Factor(2)


class Right(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


class Page(Tag.App):
    def init(self, held: Any = None) -> None:
        self.held = held


PINNED: dict[str, tuple[Callable[[], Any], str]] = {
    "an error": (lambda: Refusal(404, "gone"), "missing 1 required positional argument: 'text'"),
    "a dict": (lambda: Recent(3), "missing 1 required positional argument: 'capacity'"),
    "a text": (lambda: Label("a", "b"), "missing 1 required positional argument: 'note'"),
    "an object": (lambda: Wants("a"), "missing 1 required positional argument: 'wanted'"),
    "a name": (lambda: typing.Callable, "Callable is nothing that a snapshot may name"),
}


@pytest.mark.parametrize("name", PINNED)
def test_what_cannot_be_made_again_pins(name: str) -> None:
    make, reason = PINNED[name]
    for _ in range(2):
        with pytest.raises(Pinned) as pinned:
            dump(Page([make()]))
        assert (pinned.value.path, reason in pinned.value.reason) == ("Page.held[0]", True)


def test_an_author_s_own_way_is_not_tried() -> None:
    payload = dump(Page(Opens()))
    assert Opens.opened == 0
    load(payload, Page)
    assert Opens.opened == 1


def test_a_class_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    class Counted(Proxy):
        def __new__(cls, *arguments: Any) -> "Counted":
            made.append("one")
            return super().__new__(cls)

    page = Page([Counted(1), Counted(2)])
    made.clear()
    dump(page)
    dump(page)
    assert len(made) == 1


KEPT: dict[str, tuple[Callable[[], Any], Callable[[Any], Any], Any]] = {
    "a proxy": (lambda: Proxy("text"), lambda found: found.upper(), "TEXT"),
    "a fixed one": (lambda: Fixed(3), lambda found: found.value, 3),
    "a dict of attributes": (Proud, lambda found: (found.entry, vars(found)), (1, {"own": 2})),
    "a member whose value has no equal": (lambda: Step.DOUBLE, lambda found: found is Step.DOUBLE, True),
    "flags": (lambda: Right.READ | Right.WRITE, lambda found: found, Right.READ | Right.WRITE),
    "no flag": (lambda: Right(0), lambda found: found, Right(0)),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_only_pickle_s_own_way_cannot_read(name: str) -> None:
    make, look, expected = KEPT[name]
    app: Any = load(dump(Page(make())), Page).app
    assert look(app.held) == expected


LEVELS = """
import enum
from htag import Tag, State

class Level(enum.Enum):
    {members}

class Rights(enum.Flag):
    {members}

class Page(Tag.App):
    def init(self):
        self.level, self.rights, self.chosen = Level.{high}, Rights.LOW | Rights.{high}, State(Level.{high})
"""


def version(folder: Path, members: str, high: str = "HIGH") -> Any:
    return imported(folder, LEVELS.format(members=members, high=high))


@pytest.mark.parametrize("carried", [False, True])
def test_a_member_is_known_by_its_name_in_another_version(folder: Path, carried: bool) -> None:
    payload = dump(version(folder, "LOW, HIGH = enum.auto(), enum.auto()").Page())
    new = version(folder, "NONE, LOW, HIGH = enum.auto(), enum.auto(), enum.auto()")
    if carried:
        app = new.Page()
        app.chosen.value = None
        assert carry(payload, app) == 1
    else:
        app = cast(Any, load(payload, new.Page).app)
        assert (app.level, app.rights) == (new.Level.HIGH, new.Rights.LOW | new.Rights.HIGH)
    assert app.chosen.value is new.Level.HIGH


def test_a_member_that_is_gone_stays_behind(folder: Path) -> None:
    payload = dump(version(folder, "LOW, HIGH = 1, 2").Page())
    new = version(folder, "LOW, TOP = 1, 2", "TOP")
    app = new.Page()
    app.chosen.value = new.Level.LOW
    with pytest.raises(Moved):
        load(payload, new.Page)
    assert carry(payload, app) == 0
    assert app.chosen.value is new.Level.LOW


def test_a_state_holds_what_is_read_by_name() -> None:
    app: Any = load(dump(Page(State(Right.WRITE))), Page).app
    assert app.held.value is Right.WRITE
