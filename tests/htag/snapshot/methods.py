"""Components whose authors have written pickle's methods, or a version number."""

from typing import Any

from htag import State, Tag


class Cleaned(Tag.div):
    """Leaves out a connection, and opens it again."""

    def init(self) -> None:
        self.rows = [1]
        self.connection: Any = open  # in stead of one
        self.connection = lambda: None
        self.opened = 1
        Tag.b("inside", _onclick=self.click)

    def click(self, event: Any) -> None:
        self.rows.append(2)
        self["title"] = f"{len(self.rows)} {self.opened}"

    def __getstate__(self) -> Any:
        return {"rows": self.rows}

    def __setstate__(self, state: Any) -> None:
        self.rows = state["rows"]
        self.connection = None
        self.opened = 2


class Reduced(Tag.p):
    """Says how it is made again."""

    def init(self, name: str) -> None:
        self.name = name
        self.add(name)

    def __reduce__(self) -> Any:
        return Reduced, (self.name.upper(),)


class Page(Tag.App):
    """Has both, and methods of its own."""

    state_version: Any = 1

    def init(self) -> None:
        self.handle: Any = open
        self.count = State(1)
        self.cleaned = Cleaned()
        self.reduced = Reduced("name")
        self.loads = 0

    def __getstate__(self) -> Any:
        attributes, slots = super().__getstate__()
        return {key: value for key, value in attributes.items() if key != "handle"}, slots

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        self.handle = None
        self.loads += 1
        self["class"] = "loaded"


class Versioned(Tag.div):
    """A component with a version."""

    state_version = "a"


class Other(Tag.App):
    """Holds it."""

    def init(self) -> None:
        Versioned()


class Dictionary(Tag.div):
    """Has slots of its own, and an attribute that a property hides."""

    __slots__ = ("one", "two")

    def init(self) -> None:
        self.one = 1
        self.three = 3
        self.__dict__["size"] = 4

    @property
    def size(self) -> int:
        return 5

    @size.setter
    def size(self, value: int) -> None:
        raise AttributeError("it cannot be set")


class Slots(Tag.App):
    """Holds it."""

    def init(self) -> None:
        self.inner = Dictionary()
