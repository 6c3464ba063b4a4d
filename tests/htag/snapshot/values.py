"""What people put on tags, each as an app holds it; and components that pin, and that speak for themselves."""

import array
import asyncio
import calendar
import cmath
import collections
import concurrent.futures
import contextvars
import copy
import datetime
import decimal
import enum
import fractions
import functools
import io
import ipaddress
import itertools
import json
import logging
import math
import mmap
import operator
import os
import pathlib
import random
import re
import socket
import sqlite3
import statistics
import string
import subprocess
import sys
import tempfile
import threading
import time
import types
import urllib.parse
import uuid
import weakref
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from htag import State, States, Tag
from htag.events import Event, prevent, stop


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Record:
    name: str
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frozen:
    name: str


class Slotted:
    __slots__ = ("one", "two")

    def __init__(self) -> None:
        self.one = 1


class Family(list[Any]):
    """A list of an own class, with an attribute."""


class Index(dict[str, Any]):
    def __missing__(self, key: str) -> Any:
        return key


class Failed(Exception):
    """An error that an app keeps."""


class SelfMade:
    """It says itself how it is made again."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __reduce__(self) -> Any:
        return SelfMade, (self.text.upper(),)


class Stated:
    """It says itself what is kept of it."""

    def __init__(self) -> None:
        self.kept, self.left = "kept", io.StringIO()

    def __getstate__(self) -> Any:
        return {"kept": self.kept}

    def __setstate__(self, state: Any) -> None:
        self.kept, self.left = state["kept"] + " again", io.StringIO()


class Attached(State[Any]):
    """A State of an own class."""


class Limited(State[Any]):
    """A State with slots."""

    __slots__ = ("limit", "unset")

    def __init__(self, value: Any, limit: int) -> None:
        super().__init__(value)
        self.limit = limit


def given() -> Any:
    return "given"


def ring() -> list[Any]:
    made: list[Any] = [1]
    made.append(made)
    return made


def failed() -> Failed:
    error = Failed("why", 3)
    error.add_note("a note")
    return error


def used_queue() -> Any:
    queue: asyncio.Queue[int] = asyncio.Queue()
    queue.put_nowait(3)
    return queue


def advanced(iterator: Any) -> Any:
    next(iterator)
    return iterator


def attached() -> Any:
    state = Attached([1])
    object.__setattr__(state, "note", "a note")
    return state


Same = Callable[[Any, Any], bool]


def equal(before: Any, after: Any) -> bool:
    return bool(type(before) is type(after) and before == after)


def alike(before: Any, after: Any) -> bool:
    return type(before) is type(after) and repr(before) == repr(after)


def by_dict(before: Any, after: Any) -> bool:
    return type(before) is type(after) and vars(before) == vars(after)


def called(before: Any, after: Any) -> bool:
    return bool(before() == after())


def the_very(before: Any, after: Any) -> bool:
    return before is after


def always(before: Any, after: Any) -> bool:
    return True


# name: what makes it, and what has to hold of it and of what came back
KEPT: dict[str, tuple[Callable[[], Any], Same]] = {
    "int": (lambda: 1 << 80, equal),
    "bytes": (lambda: b"abc", equal),
    "bytearray": (lambda: bytearray(b"abc"), equal),
    "complex": (lambda: 1 + 2j, equal),
    "range": (lambda: range(1, 9, 2), equal),
    "slice": (lambda: slice(1, 2), equal),
    "ellipsis": (lambda: ..., the_very),
    "not implemented": (lambda: NotImplemented, the_very),
    "nested": (lambda: [{"a": ({1, 2}, frozenset((3,)))}], equal),
    "a ring": (ring, lambda before, after: after[1] is after),
    "datetime": (lambda: datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC), equal),
    "date": (lambda: datetime.date(2026, 1, 2), equal),
    "timedelta": (lambda: datetime.timedelta(1.5), equal),
    "timezone": (lambda: datetime.timezone(datetime.timedelta(hours=2), "x"), equal),
    "zone": (lambda: zoneinfo.ZoneInfo("Europe/Vienna"), the_very),
    "decimal": (lambda: decimal.Decimal("1.20"), equal),
    "fraction": (lambda: fractions.Fraction(1, 3), equal),
    "uuid": (lambda: uuid.UUID(int=7), equal),
    "path": (lambda: pathlib.Path("/tmp/x"), equal),
    "pattern": (lambda: re.compile("a+", re.IGNORECASE), equal),
    "address": (lambda: ipaddress.ip_address("10.0.0.1"), equal),
    "struct_time": (lambda: time.gmtime(0), equal),
    "array": (lambda: array.array("i", [1, 2]), equal),
    "deque": (lambda: collections.deque([1, 2], 5), alike),
    "ordered dict": (lambda: collections.OrderedDict(b=1, a=2), alike),
    "default dict": (lambda: collections.defaultdict(list, {"a": [1]}), alike),
    "counter": (lambda: collections.Counter("abca"), equal),
    "chain map": (lambda: collections.ChainMap({"a": 1}, {"b": 2}), alike),
    "namespace": (lambda: types.SimpleNamespace(a=1), equal),
    "mapping proxy": (lambda: types.MappingProxyType({"a": 1}), lambda before, after: dict(before) == dict(after)),
    "enum": (lambda: Colour.BLUE, the_very),
    "flag": (lambda: Right.READ | Right.WRITE, equal),
    "named tuple": (lambda: Point(1, 2), equal),
    "dataclass": (lambda: Record("a", ["b"]), equal),
    "frozen with slots": (lambda: Frozen("a"), equal),
    "slots": (Slotted, lambda before, after: after.one == 1 and not hasattr(after, "two")),
    "a list of its own class": (lambda: Family([1]), equal),
    "a dict of its own class": (lambda: Index(a=1), lambda before, after: after["b"] == "b"),
    "an error": (failed, lambda before, after: (after.args, after.__notes__) == (("why", 3), ["a note"])),
    "random": (lambda: random.Random(3), lambda before, after: copy.copy(before).random() == copy.copy(after).random()),
    "partial": (lambda: functools.partial(given), called),
    "cache": (lambda: functools.lru_cache(given), called),
    "operator": (lambda: operator.add, the_very),
    "a complex function": (lambda: cmath.sqrt, the_very),
    "url": (lambda: urllib.parse.urlsplit("http://host/path?a=1"), equal),
    "a function of urls": (lambda: urllib.parse.quote, the_very),
    "calendar": (lambda: calendar.HTMLCalendar(6), by_dict),
    "distribution": (lambda: statistics.NormalDist(1, 2), equal),
    "clock": (lambda: time.monotonic, the_very),
    "itemgetter": (lambda: operator.itemgetter(1), lambda before, after: after((1, 2)) == 2),
    "builtin": (lambda: len, the_very),
    "class": (lambda: Record, the_very),
    "builtin class": (lambda: dict, the_very),
    "element class": (lambda: Tag.sl_button, the_very),
    "generic": (lambda: list[int], equal),
    "a function": (lambda: given, the_very),
    "function of a module": (lambda: math.sqrt, the_very),
    "json": (lambda: json.dumps, the_very),
    "method of a type": (lambda: str.lower, the_very),
    "method of a list": (lambda: ["a"].index, lambda before, after: after("a") == 0),
    "a bound method": (lambda: Record("a").__eq__, always),
    "lambda": (lambda: lambda: "yes", called),
    "count": (lambda: advanced(itertools.count(5, 3)), lambda before, after: next(after) == 8),
    "list iterator": (lambda: advanced(iter([1, 2, 3])), lambda before, after: list(after) == [2, 3]),
    "template": (lambda: string.Template("$a"), lambda before, after: after.substitute(a=1) == "1"),
    "module": (lambda: math, the_very),
    "a module of its own": (lambda: sys.modules[__name__], the_very),
    "logger": (lambda: logging.getLogger("any"), the_very),
    "adapter": (
        lambda: logging.LoggerAdapter(logging.getLogger("any")),
        lambda before, after: after.logger.name == "any",
    ),
    "free lock": (threading.Lock, lambda before, after: not after.locked()),
    "free rlock": (threading.RLock, lambda before, after: after.acquire(blocking=False)),
    "asyncio lock": (asyncio.Lock, lambda before, after: not after.locked()),
    "asyncio event": (asyncio.Event, lambda before, after: not after.is_set()),
    "asyncio queue": (used_queue, lambda before, after: after.get_nowait() == 3),
    "weak reference": (lambda: weakref.ref(Record), lambda before, after: after() is Record),
    "dead weak reference": (lambda: weakref.ref(Record("gone")), lambda before, after: after() is None),
    "weak set": (lambda: weakref.WeakSet([Record]), lambda before, after: Record in after),
    "its own reduce": (lambda: SelfMade("a"), lambda before, after: after.text == "A"),
    "its own state": (Stated, lambda before, after: after.kept == "kept again"),
    "State": (lambda: State([1]), lambda before, after: after.value == [1]),
    "States": (lambda: States(a=1, b=[2]), lambda before, after: after.dump() == {"a": 1, "b": [2]}),
    "a State of its own class": (attached, lambda before, after: type(after) is Attached and after.note == "a note"),
    "a State with slots": (lambda: Limited([1], 9), lambda before, after: (after.value, after.limit) == ([1], 9)),
    "a marked handler": (lambda: prevent(stop(given)), always),
    "a wrapped handler": (lambda: prevent(Record("a").__eq__), lambda before, after: after.func.__name__ == "__eq__"),
}

# name: what makes it, and what the reason says
PINNED: dict[str, tuple[Callable[[], Any], str]] = {
    "event loop": (asyncio.get_running_loop, "event loop"),
    "timer": (lambda: asyncio.get_running_loop().call_later(60, print), "timer"),
    "socket": (socket.socket, "socket"),
    "file": (lambda: open(os.devnull), "file"),  # noqa: SIM115
    "buffer": (lambda: io.BytesIO(b"x"), "file"),
    "temporary file": (tempfile.TemporaryFile, "file"),
    "database": (lambda: sqlite3.connect(":memory:"), "database"),
    "generator": (lambda: (each for each in ()), "generator"),
    "thread": (threading.Thread, "thread"),
    "process": (lambda: subprocess.Popen([sys.executable, "-c", ""]), "process"),
    "executor": (concurrent.futures.ThreadPoolExecutor, "executor"),
    "context variable": (lambda: contextvars.ContextVar("x"), "context variable"),
    "context": (contextvars.copy_context, "context variable"),
    "held lock": (lambda: held(threading.Lock()), "lock is held"),
    "held rlock": (lambda: held(threading.RLock()), "lock is held"),
    "mapped memory": (lambda: mmap.mmap(-1, 1), "memory"),
    "weak reference with a callback": (lambda: weakref.ref(Record, print), "callback"),
    "weak dictionary": (lambda: weakref.WeakValueDictionary({"a": Record}), "weak"),
    "a dangerous module": (lambda: os, "module"),
    "a dangerous function": (lambda: os.system, "nothing that a snapshot may name"),
    "getattr": (lambda: getattr, "nothing that a snapshot may name"),
    "methodcaller": (lambda: operator.methodcaller("upper"), "nothing that a snapshot may name"),
    "what changes things": (lambda: operator.setitem, "nothing that a snapshot may name"),
    "attrgetter": (lambda: operator.attrgetter("a"), "nothing that a snapshot may name"),
    "frame": (sys._getframe, "frame"),
}


def held(lock: Any) -> Any:
    lock.acquire()
    return lock


class Slow:
    """Its state takes long."""

    seconds = 0.06

    def __getstate__(self) -> Any:
        time.sleep(self.seconds)
        return {"a": 1}


class Wrong:
    """Its state raises."""

    def __reduce__(self) -> Any:
        raise ValueError("not today")


class Explorer(Tag.div):
    """A component that keeps what it should not."""

    def init(self, handle: Any) -> None:
        self.handle = handle


class Page(Tag.App):
    """Something of each kind can be put on it."""

    def init(self, make: Any = None) -> None:
        self.held = None if make is None else make()
        self.events: list[Any] = []
        Tag.button("b", _id="b", _onclick=self.note)

    def note(self, event: Event) -> None:
        self.events.append(event)
