"""The journal of a session: its updates are numbered, and the latest can be kept so that a tab gets them again.

A tab that has applied all updates up to number N, and lost its connection, is up to date again once it has applied
those since N. The numbers of one session follow each other; a session begins anywhere, so that no tab of an earlier
session under the same cookie takes its number for one of this.
"""

import random
from collections import deque
from typing import Any

from msgspec import UnsetType

from htag.wire.messages import Update, size_of

MAX_ENTRIES = 100  # a minute of a page that updates itself twice a second; who was away for longer gets a full render
MAX_BYTES = 1 << 18  # a full render of a large page has as many, and is as good then
FAR = 1 << 21  # more updates than a tab can have got that are in no snapshot
SMALL = frozenset((type(None), bool, int, float, UnsetType))  # types of results that take no room to speak of
SHORT = 256  # characters of a text, of which MAX_ENTRIES take far less than MAX_BYTES: they are not added up
ENTRY_BYTES = 350  # of the structures around the texts of an entry: 337 were measured for an update of one tag

Entry = Update | tuple[Any, ...]  # an update; or the only operation of one that has nothing else


class Journal:
    """Counts the updates of a session, and keeps the latest while they can be of use.

    It keeps nothing until `retain` is called: an idle session costs a number. To be called when a tab connects that can
    resume, as tabs of wire version 1 cannot; `release`, when none is left that could.
    """

    __slots__ = ("_element", "_long", "_repeats", "_text", "head", "tail")

    def __init__(self) -> None:
        self.head = random.getrandbits(32)
        """The number of the latest update."""
        # The latest update, if it is a short text of one element: that is not in the tail yet, so that the next one, if
        # of the same element, takes its place without a look at memory that is not in the processor's cache any more.
        self._element: str | None = None
        self._text = ""
        self._repeats = 0  # how many like it came before it, one after the other
        self._long = 0  # bytes of the kept updates that are no short text
        self.tail: deque[Entry] | None = None
        """The latest updates, the one with the number `head` at its end, or next; None: none is kept."""

    def retain(self) -> None:
        """Keep the updates that follow."""
        if self.tail is None:
            self.tail = deque(maxlen=MAX_ENTRIES)

    @property
    def bytes(self) -> int:
        """What the kept updates take."""
        self._settle()
        return sum(map(_size, self.tail or ()))

    def release(self) -> None:
        """Keep no updates any more: no tab is left that could ask for them."""
        self.tail, self._element, self._repeats, self._long = None, None, 0, 0

    def restart(self) -> None:
        """Go on from another number, far ahead and random: tabs may show updates that this journal does not know of,
        and none of them may take a number of this one for its own."""
        self.head += FAR + random.getrandbits(31)
        if self.tail is not None:
            self.trim()

    def append(self, update: Update) -> None:
        """`update` is sent to all tabs: it is the next one, and gets its number. What it answers is left out of what is
        kept, since it answers one tab."""
        ops = update.ops
        if type(ops) is tuple:
            update.seq = self.append_text(ops[0])
            return
        number = self.head = self.head + 1
        if self.tail is None:
            return
        update.seq = number
        if ops and len(ops) == 1 and not (update.js or update.statics):
            self._keep(ops[0])  # with the structures around it, it would take two times as long
        else:
            self._keep(update if type(update.result) in SMALL else update.news())

    def append_text(self, text: tuple[Any, ...]) -> int:
        """The same for an update that says one text only, as nearly all do. Returns its number."""
        number = self.head = self.head + 1
        element, content = text
        if self._long or len(content) > SHORT:
            self._keep(text)
        elif self._element == element:  # nearly always
            self._text = content
            self._repeats += 1
        elif self.tail is not None:
            self._settle()
            self._element, self._text = element, content
        return number

    def _settle(self) -> None:
        """Put the latest text, if it is not in the tail, there."""
        if self._element is not None and self.tail is not None:
            self.tail.extend([OVERWRITTEN] * min(self._repeats, MAX_ENTRIES))
            self.tail.append((self._element, self._text))
            self._element, self._repeats = None, 0

    def _keep(self, entry: Entry) -> None:
        tail = self.tail
        if tail is None:
            return
        self._settle()
        if len(tail) == MAX_ENTRIES:
            self._drop_first()
        tail.append(entry)
        self._long += 0 if _is_short(entry) else _size(entry)
        if self._long + MAX_ENTRIES * (ENTRY_BYTES + SHORT) > MAX_BYTES:
            self.trim(MAX_BYTES)  # one that is larger goes with all before it: the tail ends with it, or is empty

    def skip(self) -> None:
        """Changes have become the latest state that no update tells: a tab that has missed them needs a full render."""
        self.head += 1
        if self.tail is not None:
            self.trim()

    def since(self, number: int, tab: str = "") -> list[Update] | None:
        """The updates after `number`, in order, as `tab` is told them; None if they are not all there, or `number` is
        none of this session."""
        self._settle()
        missing = self.head - number
        kept = self.tail or ()
        if not 0 <= missing <= len(kept):
            return None
        missed = [*kept][len(kept) - missing :]
        for place in range(missing - 2, -1, -1):
            if missed[place] is OVERWRITTEN:
                missed[place] = missed[place + 1]
        return [
            Update({}, [], [], seq=each, ops=[entry]) if type(entry) is tuple else entry.told_to(tab)
            for each, entry in enumerate(missed, number + 1)
        ]

    def acknowledge(self, number: int) -> None:
        """All tabs have applied the updates up to `number`: these can go."""
        tail = self.tail
        if tail is None:
            return
        if number >= self.head:
            tail.clear()  # nearly always
            self._element, self._repeats, self._long = None, 0, 0
            return
        self._settle()
        while tail and self.head - len(tail) < number:
            self._drop_first()

    def trim(self, size: int = 0) -> None:
        """Keep `size` bytes of updates at most: memory is tight."""
        excess = self.bytes - size
        while excess > 0:
            excess -= self._drop_first()

    def _drop_first(self) -> int:
        assert self.tail is not None
        entry = self.tail.popleft()
        size = _size(entry)
        self._long -= 0 if _is_short(entry) else size
        return size


OVERWRITTEN: tuple[str, str] = ("", "")
"""Stands for a text that the next entry takes the place of: it is one of the same element."""


def _is_short(entry: Entry) -> bool:
    return type(entry) is tuple and len(entry) == 2 and len(entry[1]) <= SHORT


def _size(entry: Entry) -> int:
    """The bytes of an update as it is kept, without what it answers."""
    if entry is OVERWRITTEN:
        return 0
    return ENTRY_BYTES + size_of(entry) if isinstance(entry, Update) else _size_of_operation(entry)


def _size_of_operation(operation: tuple[Any, ...]) -> int:
    if len(operation) == 2:
        tag_id, text = operation
        return ENTRY_BYTES + len(tag_id) + len(text)
    return ENTRY_BYTES + sum([len(text) for text in operation if text])
