"""After a crash: what an open page shows may be what its session, taken from an earlier snapshot, never was.

Tags that were made since that snapshot had numbers. If the same ones were given again, a click on such a tag might hit
another one: a row that came by itself, in another order. So new tags are numbered from a place far from any before.
But what the events of a page made (a dialog, rows) is made again as the page sends them again, and the clicks on that
are to count. So an answer that brings new tags says where their numbers began, and a digest of what came of it; the
page says both when it sends that event again; then its tags are numbered from there. If they are not the very same
this time, they get far numbers after all, and the clicks on those of before find nothing.
"""

import re
from hashlib import blake2b
from typing import Any

from htag.tree.changes import Failures, Wanted
from htag.tree.live import LiveTree
from htag.tree.numbers import Numbers, far_number
from htag.tree.patch import WHOLE
from htag.wire.messages import Update

MOST_PROMISED = 500  # events: as many as a page keeps
MOST = 1 << 32  # numbers that a process gives after a snapshot, surely; what says more is none of ours
WRITTEN = re.compile(r"([1-9][0-9]{0,14})\.([0-9a-f]{16})")


def drain(
    live: LiveTree, update: Update, wanted: Wanted, callback_id: str | None, replays: "Replays | None"
) -> Failures:
    """Put what changed into `update`, which answers `callback_id`: as last time, where `replays` knows of one. If that
    brings new tags, it says so. Returns the tags that could not be rendered."""
    first = live.numbers.next
    if replays is None:
        failures = live.drain_changes(update, wanted)
    else:
        failures = replays.drain(live, update, wanted, callback_id)
    if callback_id is not None and update.ops and live.numbers.next != first:
        update.made = made(first, update)
    return failures


def made(first: int, update: Update) -> str:
    """What `update` made, whose new tags are numbered from `first`."""
    text = repr(update.ops).encode(errors="surrogatepass")
    return f"{first}.{blake2b(text, digest_size=8).hexdigest()}"


class Replays:
    """Numbers the tags of a session that goes on from a snapshot which its pages may be ahead of."""

    __slots__ = ("_next", "_promised")

    def __init__(self, live: LiveTree) -> None:
        _ = live.index.app.id  # it gets its number now, if it has none: the body, by whose id a page is shown anew
        self._next = live.numbers.next
        self._promised: dict[str, str] = {}
        live.number_by(Numbers(far_number()))

    def promise(self, callback_id: str | None, said: Any) -> None:
        """A page sends an event again, and says what it made the last time."""
        found = WRITTEN.fullmatch(said) if type(said) is str else None
        if callback_id is not None and found and self._next <= int(found[1]) < self._next + MOST:
            self._promised[callback_id] = said
            if len(self._promised) > MOST_PROMISED:
                del self._promised[next(iter(self._promised))]

    @property
    def waiting(self) -> int:
        """How many events are to make something again."""
        return len(self._promised)

    def drain(self, live: LiveTree, update: Update, wanted: Wanted, callback_id: str | None) -> Failures:
        """Put what changed into `update`, which answers `callback_id`: with the numbers that it had the last time, if
        it is the same."""
        said = self._promised.pop(callback_id, None) if callback_id is not None else None
        if said is None:
            return live.drain_changes(update, wanted)
        first, far = int(said.partition(".")[0]), live.numbers
        if first < self._next:
            return live.drain_changes(update, wanted)  # those numbers have been given meanwhile
        live.number_by(Numbers(first))
        try:
            failures = live.drain_changes(update, wanted)
        finally:
            self._next = live.numbers.next
            live.number_by(far)
        if made(first, update) != said:
            live.number_again(first, self._next)
            live.changes.note(live.index.app, WHOLE)
            live.request_push(0.0)
        return failures
