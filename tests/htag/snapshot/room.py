"""A chat whose room is a module's own, and other things that a module has only once."""

import logging
from typing import Any, ClassVar

from htag import State, Tag


class Place:
    """What a module's dict holds."""

    def __init__(self) -> None:
        self.guests: list[Any] = []


ROOM: list[Any] = []  # the sessions that are here
ROOMS: dict[str, Place] = {"hall": Place()}
LINES: list[str] = []
SETTINGS = {"greeting": "hello"}
MISSING = object()
SHARED = State(0)
NAMES = {"Ann", "Bob"}
COUNT = 0
log = logging.getLogger("tests.room")


class Theme:
    """Its class has one that all use."""

    default: "Theme"

    def __init__(self, name: str) -> None:
        self.name = name


Theme.default = Theme("plain")


class Nested:
    """A class in a class has something, too."""

    class Inner:
        KNOWN: ClassVar[list[str]] = []


def greet() -> str:
    return SETTINGS["greeting"]


BANNER = Tag.b("of the module")


class Chat(Tag.App):
    """Looks at them in each way there is."""

    def init(self) -> None:
        self.news = State(0)
        self.secret = ""
        Tag.p(lambda: f"{greet()} {SETTINGS['greeting']}", _id="greeting")
        Tag.ul(lambda: [self.news.get() and None] + [Tag.li(line) for line in LINES], _id="lines")
        Tag.b(lambda: f"shared {SHARED.value}", _id="shared")
        Tag.button("say", _id="say", _onclick=lambda event: self.say("hello"))
        Tag.button("count", _id="count", _onclick=self.count)

    def say(self, text: str) -> None:
        LINES.append(text)
        for each in ROOM:
            each.news.value += 1

    def count(self, event: Any) -> None:
        global COUNT
        COUNT += 1


class Holder(Chat):
    """Holds them by attributes, defaults, cells and containers."""

    def init(self) -> None:
        super().init()
        self.room, self.rooms, self.settings, self.missing = ROOM, ROOMS, SETTINGS, MISSING
        self.log, self.theme, self.known, self.shared = log, Theme.default, Nested.Inner.KNOWN, SHARED
        self.hall = ROOMS["hall"]
        self.names = NAMES
        self.own: list[str] = []
        self.deep = [{"settings": SETTINGS}, (ROOM,)]
        room = ROOM
        self.by_cell = lambda: room
        self.by_default = lambda room=ROOM: room
