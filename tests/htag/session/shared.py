"""Apps that show what others change: a State of the module, or of what the module holds; and a room that is weak."""

from typing import Any
from weakref import WeakSet

from htag import State, States, Tag

NEWS: State[int] = State(0)
BOARD = States(news=0)
ROOM: WeakSet[Any] = WeakSet()


class Teller:
    """Tells the State that it has."""

    def __init__(self) -> None:
        self.news = State(0)


TELLERS = [Teller()]


class Showing(Tag.App):
    """Has a State of its own as well, and buttons."""

    def init(self) -> None:
        self.own = State(0)
        Tag.button("more", _id="more", _onclick=self.more)
        Tag.b(lambda: f"own {self.own.value}")
        self.show()

    def show(self) -> None:
        """Show what others change, as `count`."""

    def more(self, event: Any) -> int:
        self.own.value += 1
        return int(self.own.value)


class InTag(Showing):
    def show(self) -> None:
        Tag.i(lambda: f"news {NEWS.value}")


class InApp(Showing):
    """No tag around it: the app itself shows it."""

    def show(self) -> None:
        self.add(lambda: f"news {NEWS.value}")


class InStates(Showing):
    def show(self) -> None:
        self.add(lambda: f"news {BOARD.news.value}")


class Beside(Showing):
    """A tag that shows both."""

    def show(self) -> None:
        Tag.i(lambda: f"own {self.own.value}, news {NEWS.value}")


class Held(Showing):
    """It has the State as an attribute, too."""

    def show(self) -> None:
        self.teller = TELLERS[0]
        Tag.i(lambda: f"news {self.teller.news.value}")


class Guest(Showing):
    def show(self) -> None:
        self.heard = State(0)
        Tag.i(lambda: f"news {self.heard.value}")

    def on_mount(self) -> None:
        ROOM.add(self)

    def on_unmount(self) -> None:
        ROOM.discard(self)

    def hear(self) -> None:
        self.heard.value += 1


def change(app: type[Showing]) -> None:
    """Someone else does."""
    if app is Guest:
        for guest in [*ROOM]:
            guest.hear()
    elif app is InStates:
        BOARD.news += 1
    else:
        (TELLERS[0].news if app is Held else NEWS).value += 1
