"""For the tests of an app's author: a session without a server, whose page is looked at and clicked as components.

It can *move* the session as a roll, a scale-down or a crash does: the app is written down, and a copy made from that
goes on. `from htag.testing import htag_session` in a conftest.py makes the fixture. Needs pytest.
"""

import asyncio
import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from operator import attrgetter
from typing import Any, NamedTuple

import pytest

from htag.app import App
from htag.errors import HtagError
from htag.limits import Limits
from htag.observer import Observer
from htag.session.session import Session
from htag.session.stored import Stored
from htag.snapshot.api import dump, load
from htag.snapshot.errors import Absent
from htag.tree.access import attribute, handler
from htag.tree.evaluate import evaluate_value
from htag.tree.live import live_tree
from htag.tree.pairs import MISSING
from htag.tree.tag import GTag
from htag.wire.codec import Codec, Encoded
from htag.wire.messages import Message, Reply

MOVE = "HTAG_MOVE"  # the environment variable: `always` moves each session after each of its events
PATIENCE = 5.0  # seconds that a test waits for a handler, or for what it wants to see
PROCESS_SECONDS = 60.0  # for another Python to start, import the app and read it
SETTLING_SECONDS = 0.3  # for tasks and async `on_unmount`, as a worker gives them
TURN = 0.01  # seconds between two looks

Found = str | type[GTag] | GTag  # what a test may say: a selector, a class of components, or the tag itself
Frame = dict[str, Any]


class AppError(HtagError):
    """The app has failed: its page would show this."""


class Selector(NamedTuple):
    """`element#id.class[name=value]`, each part of which may be left out: what CSS calls a compound selector."""

    element: str
    id: str
    classes: frozenset[str]
    attributes: dict[str, str | None]  # None: it is there, whatever its value

    @classmethod
    def parse(cls, text: str) -> "Selector":
        """Raises ValueError for anything else, such as a space."""
        found = _SELECTOR.fullmatch(text)
        if found is None:
            raise ValueError(f"a selector is like button#save.wide[name=value], not {text!r}")
        marks = re.findall(r"([#.])([\w-]+)", found["marks"])
        pairs = re.findall(_ATTRIBUTE, found["attributes"])
        return cls(
            found["element"],
            "".join(name for mark, name in marks if mark == "#"),
            frozenset(name for mark, name in marks if mark == "."),
            {name: value.strip("\"'") if equals else None for name, equals, value in pairs},
        )

    def matches(self, tag: GTag) -> bool:
        """Whether `tag` is meant."""
        return (
            self.element in ("", "*", tag.tag)
            and self.id in ("", tag.id, value_of(tag, "id"))
            and self.classes <= set((value_of(tag, "class") or "").split())
            and all(
                value_of(tag, name) is not None and value in (None, value_of(tag, name))
                for name, value in self.attributes.items()
            )
        )


_ATTRIBUTE = r"\[([\w-]+)(=)?([^\]]*)\]"
_SELECTOR = re.compile(rf"(?P<element>[\w-]*|\*)(?P<marks>([#.][\w-]+)*)(?P<attributes>({_ATTRIBUTE})*)")


def value_of(tag: GTag, name: str) -> str | None:
    """The attribute of `tag` as the page shows it; None: it is not there."""
    value = attribute(tag, name)
    if value is MISSING:
        return None
    value = evaluate_value(value, tag)
    if value is None or value is False:
        return None
    return name if value is True else "".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


class Page:
    """The channel of a tab that keeps what it is told, as data."""

    transport = "websocket"
    version = 1

    def __init__(self, codec: Codec) -> None:
        self.frames: list[Frame] = []
        self.closed = False
        self._codec = codec

    def put(self, reply: Reply, encoded: Encoded | None = None) -> None:
        """Keep `reply` as a browser would read it."""
        self.frames.append(json.loads(self._codec.encode(reply)))

    def wake(self) -> None:
        """All is here already."""

    def end(self) -> None:
        """The session has closed this channel."""
        self.closed = True


class Unsaved:
    """Stands in for what saves sessions."""

    def note(self, session: object) -> None:
        """There is no store."""


class AppSession:
    """One visitor's session of `entity`, with one tab open. Its event loop runs while one of these methods does."""

    def __init__(self, entity: type[App], *, request: Any = None, move: str | None = None) -> None:
        """`request`: what the app's `on_visit` gets. `move`: `always` moves the session after each event; by default
        what the environment variable HTAG_MOVE says."""
        self._entity = entity
        self._always = (os.environ.get(MOVE, "") if move is None else move) == "always"
        self._loop = asyncio.new_event_loop()
        self._calls = 0
        codec = Codec()
        self._page = Page(codec)
        self._run(self._open, codec, request)

    def _open(self, codec: Codec, request: Any) -> None:
        self._session = Session("test", self._entity(), codec, Observer(), Limits())
        self._session.stored = Stored(Unsaved(), 0)
        self._session.start(request)
        self._session.page()
        self._session.attach(self._page, self._session.revision)

    @property
    def app(self) -> Any:
        """The app. After a move it is another object."""
        return self._session.app

    @property
    def frames(self) -> list[Frame]:
        """All that the tab was told, as the browser reads it: `updates`, `js`, `statics`, `callback_id`, `result`."""
        return self._page.frames

    @property
    def scripts(self) -> list[str]:
        """All JavaScript that the tab was to run."""
        return [code for frame in self.frames for code in frame.get("js", ())]

    # -- looking -----------------------------------------------------------------------------------------------------

    def all(self, what: Found = "*", text: str | None = None, within: Found | None = None) -> list[GTag]:
        """The tags that the page shows, in document order, which are `what`: a selector such as `li.done`, or a class
        of components. `text`: whose text is that, with white space reduced. `within`: inside which."""
        top = self.app if within is None else self.find(within)
        return [tag for tag in self._shown(top) if _is(tag, what) and (text is None or self.text(tag) == text)]

    def find(self, what: Found, text: str | None = None, within: Found | None = None) -> Any:
        """The one tag that is `what`. LookupError: there is none, or more than one."""
        found = self.all(what, text, within)
        if len(found) != 1:
            named = what if text is None else f"{what} with the text {text!r}"
            raise LookupError(f"{len(found) or 'no'} tags are {named}; the page: {self.html()}")
        return found[0]

    def text(self, what: Found = "body") -> str:
        """The text in a tag and in all that are in it, with white space reduced: what a browser calls `textContent`."""
        marked = re.sub(r"<(script|style)\b.*?</\1>", " ", self.html(what), flags=re.DOTALL)
        return " ".join(html.unescape(re.sub(r"<[^>]*>", "", marked)).split())

    def html(self, what: Found = "body") -> str:
        """The HTML of a tag, as the tab shows it."""
        shown: str = self._run(live_tree(self.app).render_shown, self.find(what))
        return shown

    def _shown(self, top: GTag) -> Iterator[GTag]:
        self._run(self._session.push)  # what has changed and is not told yet
        return live_tree(self.app).generated.pre_order(top)

    # -- doing -------------------------------------------------------------------------------------------------------

    def click(self, what: Found, text: str | None = None, **data: Any) -> Any:
        """Click a tag: its handler, or that of a tag around it. Returns what the handler returns, as JSON.

        Raises `AppError` if the handler raises.
        """
        return self.event(what, "click", data, text=text)

    def enter(self, what: Found, value: Any) -> Any:
        """Type, or choose, a field's value: `input`, then `change`, as far as there are handlers."""
        return self._field(what, {"value": value})

    def tick(self, what: Found, checked: bool = True) -> Any:
        """Tick a check box or a radio button, or untick it."""
        return self._field(what, {"value": checked, "checked": checked})

    def submit(self, what: Found, **fields: Any) -> Any:
        """Submit a form with the values of its fields."""
        return self.event(what, "submit", {"value": fields})

    def navigate(self, path: str) -> Any:
        """Follow a link to `#path` of the app's router."""
        return self.event(self.app, "hashchange", {"newURL": f"http://test/#{path}", "oldURL": "http://test/"})

    def event(self, what: Found, name: str, data: dict[str, Any] | None = None, text: str | None = None) -> Any:
        """Have the browser report the event `name`. Returns what the handler returns, as JSON. Raises `AppError`."""
        target = _with_handler(self.find(what, text), name)
        self._calls += 1
        callback_id = f"test-{self._calls}"
        message = Message(id=target.id, event=name, data={**(data or {}), "callback_id": callback_id})
        self._run(self._handled, message)
        if self._always:
            self.move()
        for frame in reversed(self.frames):
            if frame.get("callback_id") == callback_id:
                if frame["action"] == "error":
                    raise AppError(frame["traceback"])
                return frame["result"]
        raise AppError(f"{name} of {target.id} was not answered within {PATIENCE:g} s")

    def _field(self, what: Found, data: dict[str, Any]) -> Any:
        field = self.find(what)
        names = [name for name in ("input", "change") if handler(field, name) is not None]
        return [self.event(field, name, data) for name in names or ["input"]][-1]

    async def _handled(self, message: Message) -> None:
        done = self._session.tab("test").inbox.submit(message, self._page)
        if done is not None:
            await asyncio.wait((done,), timeout=PATIENCE)

    # -- moving ------------------------------------------------------------------------------------------------------

    def move(self, *, process: bool = False) -> None:
        """Move the session, as from one worker to another: `on_unmount` runs, tasks end, the app is written down; a
        copy is made from that, and `on_mount` runs. The objects that a test got from `app` or `find` are over; those of
        `find` still say which tag is meant, by their ids.

        `process`: another Python reads it, and what that one writes goes on. Raises `Pinned` (`htag.snapshot.errors`),
        with the path, if the app holds what cannot be written down; then it goes on as it was.
        """
        self._run(self._move, process)

    def crash(self) -> None:
        """Move the session as after `kill -9`: what was written down has not run its `on_unmount`; where it goes on,
        `on_unmount` runs, then `on_mount`. Raises `Pinned`."""
        self._run(self._crash)

    async def _move(self, process: bool) -> None:
        session = self._session
        await session.unmount(SETTLING_SECONDS)
        try:
            payload = dump(session.app)
        except BaseException:
            session.resume(unmounts=False)
            raise
        self._go_on(read_elsewhere(payload, self._entity) if process else payload, unmounts=False)

    async def _crash(self) -> None:
        payload = dump(self._session.app)
        # what the app has outside, such as its place in a list of the module, ends with a process as well
        await self._session.unmount(SETTLING_SECONDS)
        self._go_on(payload, unmounts=True)

    def _go_on(self, payload: bytes, *, unmounts: bool) -> None:
        session = self._session
        live_tree(session.put_to_sleep(payload)).dispose()
        session.wake_up(load(payload, self._entity).app)
        session.resume(unmounts=unmounts)
        session.start_hooks()

    # -- time --------------------------------------------------------------------------------------------------------

    def wait(self, seconds: float = TURN) -> None:
        """Let the session's tasks and timers run."""
        self._run(asyncio.sleep, seconds)

    def until(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """Let the session's tasks run until `condition` holds; returns it. TimeoutError after `seconds`."""
        deadline = self._loop.time() + seconds
        while not (held := condition()):
            if self._loop.time() > deadline:
                raise TimeoutError(f"not within {seconds:g} s; the page: {self.html()}")
            self.wait()
        return held

    def close(self) -> None:
        """End the session: `on_unmount` and `on_destroy` run, and its tasks end."""
        if not self._loop.is_closed():
            self._run(self._session.close)
            self._run(self._session.finished)
            self._loop.close()

    def _run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        async def inside() -> Any:
            outcome = work(*arguments)
            return await outcome if asyncio.iscoroutine(outcome) else outcome

        return self._loop.run_until_complete(inside())


def _is(tag: GTag, what: Found) -> bool:
    if isinstance(what, str):
        return Selector.parse(what).matches(tag)
    if isinstance(what, type):
        return isinstance(tag, what)
    return tag is what or tag.id == what.id != ""  # after a move another object has its place, and its id


def _with_handler(tag: GTag, event: str) -> GTag:
    """The tag whose handler hears of `event` at `tag`: itself, or the next one around it; itself if there is none."""
    node: GTag | None = tag
    while node is not None:
        if handler(node, event) is not None:
            return node
        node = node.parent
    return tag


def read_elsewhere(payload: bytes, entity: type[App]) -> bytes:
    """Have another Python read an app and write it again. It imports what is needed, and nothing else has happened in
    its modules. RuntimeError: it could not; the message is its last words."""
    program = "from htag.testing import reread; reread()"
    command = [sys.executable, "-c", program, entity.__module__, entity.__qualname__]
    paths = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "random"}  # sets in another order
    read = subprocess.run(command, input=payload, capture_output=True, timeout=PROCESS_SECONDS, env=environment)
    if read.returncode:
        raise RuntimeError(f"another process cannot read {entity.__qualname__}:\n{read.stderr.decode()}")
    return read.stdout


def reread() -> None:
    """Be that other Python: module and class as arguments, the app from standard input, and to standard output."""
    module, name = sys.argv[1:]
    entity = attrgetter(name)(import_module(module))

    async def read_and_write(payload: bytes) -> bytes:  # in an event loop, as in a worker
        try:
            return dump(load(payload, entity).app)
        except Absent:  # as a worker does
            first_visitor = entity()
            found = dump(load(payload, entity).app)
            live_tree(first_visitor).dispose()
            return found

    sys.stdout.buffer.write(asyncio.run(read_and_write(sys.stdin.buffer.read())))


@pytest.fixture
def htag_session() -> Iterator[Callable[..., AppSession]]:
    """`session = htag_session(MyApp)`: a session of MyApp, which ends with the test. For tests that are not `async`."""
    opened: list[AppSession] = []

    def open_session(entity: type[App], **options: Any) -> AppSession:
        opened.append(AppSession(entity, **options))
        return opened[-1]

    yield open_session
    for session in opened:
        session.close()
