"""A chat whose rooms are a module's dict, and other dicts of a module."""

from collections import defaultdict, deque
from typing import Any, ClassVar
from weakref import WeakSet

from htag import State, Tag


class Room:
    """Sessions meet in it."""

    def __init__(self) -> None:
        self.guests: list[Any] = []
        self.by_name: dict[str, Any] = {}
        self.watching: WeakSet[Any] = WeakSet()
        self.told: deque[Any] = deque()
        self.lines: list[str] = []


class Player:
    """One visitor's: it leads back to the app."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.points = 0


ROOMS: dict[Any, Room] = {}
BY_PLACE: dict[Any, Room] = {}
PLAYERS: dict[str, Player] = {}
MADE: defaultdict[str, Room] = defaultdict(Room)
LINES: dict[str, list[Any]] = {}
COUNTS: dict[str, State[int]] = {}
HANDLES: dict[str, Any] = {}


class Lobby:
    """A class has a dict, too."""

    tables: ClassVar[dict[str, Room]] = {}


class Chat(Tag.App):
    """Says what is said in its room."""

    def init(self, name: str = "", room: str = "hall") -> None:
        self.name = name
        self.secret = f"{name}'s secret"
        self.room = ROOMS.setdefault(room, Room())
        self.news = State(0)
        Tag.ul(lambda: [self.news.get() and None, *(Tag.li(line) for line in self.room.lines)], _id="lines")
        Tag.button("say", _id="say", _onclick=lambda event: self.say(f"{self.name} is here"))

    def on_mount(self) -> None:
        self.room.guests.append(self)
        self.room.by_name[self.name] = self
        self.room.watching.add(self)
        self.room.told.append(self.hear)

    def on_unmount(self) -> None:
        if self in self.room.guests:
            self.room.guests.remove(self)

    def hear(self) -> None:
        self.news.value += 1

    def say(self, text: str) -> None:
        self.room.lines.append(text)
        for each in self.room.guests:
            each.hear()


class Bare(Tag.App):
    """Holds what a test gives it."""

    held: Any = None
