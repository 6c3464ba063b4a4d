"""Messages of browsers and replies of sessions as typed structs: the fields of wire version 1, and those that version 2
has more."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import msgspec
from msgspec import UNSET as UNSET
from msgspec import UnsetType

LONGEST_NAME = 200  # characters of a callback id: ours has 20, and thousands of answers are kept under theirs


class Message(msgspec.Struct, gc=False):
    """What a browser sends. Nothing is trusted: each field may be of any JSON type, or absent (None)."""

    n: Any = None  # wire 2: the number of this event in its tab
    id: Any = None
    event: Any = None
    data: Any = None
    action: Any = None
    error: Any = None
    fallback: Any = None
    got: Any = None  # wire 2: the revision that the tab shows
    made: Any = None  # wire 2: what the answer to this event said when it was sent before
    roundtrips: Any = None  # of `measures`, as what follows: seconds from events until their updates were in the page
    aways: Any = None  # seconds without a connection
    transport: Any = None  # ws, sse, http
    errors: Any = None  # how many the page has seen

    @property
    def callback_id(self) -> str | None:
        """The name under which the browser waits for an answer, if it does; one that is too long is none."""
        try:
            callback_id = self.data["callback_id"]
        except (KeyError, TypeError, IndexError):
            return None
        return callback_id if type(callback_id) is str and len(callback_id) <= LONGEST_NAME else None


Text = tuple[Any, ...]  # wire 2: the operation that says the content of one element, `(id, text)`
NO_HTML: dict[str, str] = {}  # of all updates where no tab wants HTML: nothing is put into it


class Update(msgspec.Struct, tag_field="action", tag="update", gc=False):
    """What a browser is to change: tags by id → outer HTML, then statics for its head, then JavaScript to run.

    `callback_id` and `result` are there only in an answer, `statics` not in the first message of a connection.
    """

    updates: dict[str, str]
    js: Sequence[str] = []
    statics: Sequence[str] | UnsetType = UNSET
    callback_id: str | UnsetType | None = UNSET
    result: Any = UNSET
    seq: int | UnsetType = UNSET  # wire 2: the revision of a tab that has applied this
    done: int | UnsetType = UNSET  # wire 2: the number of the event that this answers
    lost: bool | UnsetType = UNSET  # wire 2: the event has been handled, and its result was not kept
    # wire 2: what `updates` says in version 1, as operations; a tuple, where it is the text of one element, and nothing
    # else is said to tabs of version 2
    ops: Sequence[tuple[Any, ...]] | UnsetType = UNSET
    made: str | UnsetType = UNSET  # wire 2: what is to be said with the event if it is sent again: it made tags
    asker: str | UnsetType = UNSET  # not written: the tab whose event it answers, and that `js` is for …
    others: list[str] | UnsetType = UNSET  # … and the part of that for the other tabs of version 2

    @property
    def has_news(self) -> bool:
        """Whether it changes anything in a browser, apart from being an answer."""
        return bool(self.ops or self.updates or self.js or self.statics)

    def news(self) -> "Update":
        """The same without being an answer."""
        return Update(
            self.updates, self.js, self.statics, seq=self.seq, ops=self.ops, asker=self.asker, others=self.others
        )

    def told_to(self, tab: str) -> "Update":
        """The same for a tab of wire version 2 by that name, without being an answer."""
        if self.asker is UNSET or self.asker == tab:
            return self.news()
        return Update(self.updates, self.others or [], self.statics, seq=self.seq, ops=self.ops)


class Update2(msgspec.Struct, omit_defaults=True, gc=False):
    """An update as wire version 2 writes it: what is empty, null or unset is left out."""

    ops: Sequence[tuple[Any, ...]] = []
    js: Sequence[str] = []
    statics: Sequence[str] = []
    seq: int | UnsetType = UNSET
    done: int | UnsetType = UNSET
    result: Any = None
    lost: bool | UnsetType = UNSET
    made: str | UnsetType = UNSET


class Operations(msgspec.Struct, gc=False):
    """An `Update2` that has no more than this, as nearly all have."""

    ops: Sequence[tuple[Any, ...]]
    seq: int | UnsetType
    done: int | UnsetType
    saved: int | UnsetType = UNSET  # as `Saved` says, in an answer


class Failure(msgspec.Struct, tag_field="action", tag="error"):
    """An error to show: the traceback, or `Internal Server Error` where the visitor may not see it."""

    traceback: str
    callback_id: str | None = None
    result: None = None
    done: int | UnsetType = UNSET  # wire 2: the number of the event that this answers

    seq: ClassVar[UnsetType] = UNSET  # it changes nothing that a tab shows


class Hello(NamedTuple):
    """What a tab says of itself in the address of its connection, or of its POST."""

    version: int = 1  # of the wire
    revision: int | None = None  # that its page shows
    oldest: int = 1  # wire 2: the lowest number of an event that it keeps; if it keeps none, that of its next event
    next: int = 1  # wire 2: the number of its next new event
    done: int = 0  # wire 2: it has the answers to all events up to this number
    insist: bool = False  # wire 2: it comes again, and wants the session here
    session: str = ""  # wire 2: whose page it is; "": it does not say


class Welcome(msgspec.Struct, tag_field="action", tag="welcome", gc=False):
    """The first frame of a connection in wire 2: the latest event of this tab that was taken, and that was saved; and
    how many people this worker serves, who would all come back at once if it ended."""

    last: int
    saved: int
    people: int

    seq: ClassVar[UnsetType] = UNSET


class Saved(msgspec.Struct, tag_field="action", tag="saved", gc=False):
    """All events of this tab up to number `saved` are in a snapshot that the store has acknowledged (wire 2)."""

    saved: int

    seq: ClassVar[UnsetType] = UNSET


class Pong(msgspec.Struct, tag_field="action", tag="pong", gc=False):
    """The answer to a ping (wire 2)."""

    seq: ClassVar[UnsetType] = UNSET


Answer = (
    Update | Failure
)  # what a session says in wire version 1; and an event of version 2 is answered by one of these
Notice = Welcome | Saved | Pong  # wire 2 only: for one tab, and no part of the journal
Reply = Answer | Notice | Operations


def size_of(reply: Reply) -> int:
    """Count the characters in the texts of `reply`, and in its result where that is frozen: about its bytes."""
    if isinstance(reply, Failure):
        return len(reply.traceback)
    if not isinstance(reply, Update):
        return 0
    size = sum(map(len, reply.updates)) + sum(map(len, reply.updates.values())) + sum(map(len, reply.js))
    if reply.statics is not UNSET:
        size += sum(map(len, reply.statics))
    for operation in reply.ops or ():
        size += sum([len(text) for text in operation if text])
    return size + (memoryview(reply.result).nbytes if isinstance(reply.result, msgspec.Raw) else 0)


def whole_text(value: Any) -> Any:
    """Copy `value`, with everything in it that is half a character (a lone surrogate) replaced."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, msgspec.Struct):
        return type(value)(*map(whole_text, (getattr(value, name) for name in value.__struct_fields__)))
    if isinstance(value, dict):
        return {whole_text(key): whole_text(item) for key, item in value.items()}
    return [whole_text(item) for item in value] if isinstance(value, (list, tuple)) else value
