"""Classes that are made in functions, to be moved to another process; and what is said of them here and there."""

import contextlib
import dataclasses
import enum
import functools
import re
from abc import ABC
from collections.abc import Callable
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from htag import State, Tag
from tests.support.moved import Case

T = TypeVar("T")


class Registering:
    known: ClassVar[list[type]] = []

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Registering.known.append(cls)


def plain(title="T"):
    class Plain:
        """What it is."""

        kind = title
        size: int = 3
        other: "Plain | None" = None
        table = {"key": lambda self: ("table", self.x)}  # noqa: RUF012

        def __init__(self, x):
            self.x = x

        def __eq__(self, other):
            return self.x == other.x

        __hash__ = None  # type: ignore[assignment]

        def show(self):
            return title, self.x, self.kind

        def copy(self):
            return Plain(self.x + 1)

        @property
        def double(self):
            """Twice."""
            return self.x * 2

        @double.setter
        def double(self, value):
            self.x = value // 2

        @functools.cached_property
        def kept(self):
            return [self.x]

        @staticmethod
        def static():
            return "static"

        @classmethod
        def of_class(cls):
            return cls.__name__

        @contextlib.contextmanager
        def opened(self):
            yield self.x

        @functools.lru_cache  # noqa: B019
        def remembered(self, y):
            return y

    return Plain


def told_of_plain(cls):
    one = cls(3)
    one.double = 10
    facts = [one.show(), one.double, one.static(), one.of_class(), cls.of_class(), one.copy().x, one == cls(5)]
    kept = [one.kept, one.kept is one.kept, cls.table["key"](one), cls.__doc__, cls.double.__doc__, cls.__hash__]
    with one.opened() as opened:
        kept.append(opened)
    return facts, kept, cls.__qualname__, cls.__module__, cls.size


def inherited():
    class First:
        def show(self):
            return "first"

        @classmethod
        def made(cls):
            return cls()

    class Second(First):
        def show(self):
            return "second", super().show()

    class Third(Second):
        def show(self):
            return "third", super().show(), __class__.__name__  # type: ignore[name-defined]

    return First, Second, Third, Third.made()


def with_slots():
    class Slotted:
        __slots__ = ("x", "y")

        def __init__(self, x):
            self.x = x

        def show(self):
            return self.x

    one = Slotted(4)
    return one, Slotted


def one_slot():
    class Slotted:
        __slots__ = "x"

    one: Any = Slotted()
    one.x = 5
    return one


def a_bound_method():
    return plain("M")(7).show


def shared_variable():
    total = 0

    class Adder:
        def add(self, n):
            nonlocal total
            total += n
            return total

    return Adder(), lambda: total


def an_instance_in_its_class():
    class Single:
        instance: Any = None

        def me(self):
            return Single.instance is self

    Single.instance = Single()
    return Single.instance


def nested():
    class Outer:
        class Inner:
            def show(self):
                return "inner"

        def make(self):
            return self.Inner()

    return Outer()


def a_component():
    title = "T"

    class Row(Tag.li):
        styles = "color: red"

        def init(self, text):
            self.text = text
            self.clicks = State(0)
            Tag.span(text)
            Tag.button(title, _onclick=self.click)

        def click(self, event=None):
            self.clicks += 1

        def on_mount(self):
            pass

    return Row


def told_of_component(cls):
    row = cls("hello")
    row.click()
    markup = re.sub(r"-\d+", "", f"{row} {cls('again')}")  # outside of an app ids are random
    return markup, row.clicks.value, isinstance(row, Tag.li)


def a_subclass_of_a_component():
    row: Any = a_component()

    class Wide(row):
        def init(self, text):
            super().init(text)
            self.wide = True

    return Wide


CASES: dict[str, Case] = {
    "a class": (plain, told_of_plain),
    "inheritance": (inherited, lambda f: (f[2]().show(), f[3].show(), type(f[3]) is f[2], issubclass(f[1], f[0]))),
    "slots": (with_slots, lambda f: (f[0].show(), f[1](1).show(), hasattr(f[0], "y"), hasattr(f[0], "__dict__"))),
    "one slot": (one_slot, lambda f: (f.x, hasattr(f, "__dict__"))),
    "a bound method": (a_bound_method, lambda f: f()),
    "a variable shared with others": (shared_variable, lambda f: (f[0].add(2), f[0].add(3), f[1]())),
    "an instance in its class": (an_instance_in_its_class, lambda f: f.me()),
    "a class in a local class": (nested, lambda f: (f.make().show(), type(f).Inner is f.Inner)),
    "a component": (a_component, told_of_component),
    "a subclass of a component": (a_subclass_of_a_component, told_of_component),
    "instances of one class": (lambda: [c := plain(), c(1), c(1)], lambda f: (f[1] == f[2], type(f[1]) is f[0])),
    "two classes of one function": (lambda: [plain("A"), plain("B")], lambda f: [each(1).show() for each in f]),
}


def a_dataclass():
    @dataclasses.dataclass
    class Point:
        x: int

    return Point(1)


def an_enum():
    class Colour(enum.Enum):
        RED = 1

    return Colour.RED


def a_named_tuple():
    class Pair(NamedTuple):
        a: int

    return Pair(1)


def an_abstract_class():
    class Abstract(ABC):  # noqa: B024
        pass

    return Abstract


def a_registered_class():
    class Registered(Registering):
        pass

    return Registered


def a_generic_class():
    class Box(Generic[T]):
        pass

    return Box


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "dataclass": (a_dataclass, "a_dataclass.<locals>.Point is made in a function, by dataclass"),
    "enum": (an_enum, "an_enum.<locals>.Colour is made in a function, by EnumType"),
    "named tuple": (a_named_tuple, "exec"),
    "abstract": (an_abstract_class, "an_abstract_class.<locals>.Abstract is made in a function, by ABCMeta"),
    "__init_subclass__": (a_registered_class, "Registered is made in a function, by Registering.__init_subclass__"),
    "generic": (a_generic_class, "Box is made in a function, by Generic.__init_subclass__"),
}
