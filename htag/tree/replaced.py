"""Tags of callables that have just been made anew: a click may be on its way to one of them, and is to reach it.

They are kept until all tabs have said that they show something newer, for a time, and up to a number. One for which
nothing stands in the page any more is not found: what it offered is not on offer.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Protocol
from weakref import ref

from htag.tree.changes import Changes
from htag.tree.generated import Generated
from htag.tree.index import Index
from htag.tree.node import child_tags
from htag.tree.operations import CHILDREN
from htag.tree.succession import counterpart
from htag.tree.tag import GTag
from htag.tree.unheld import take_apart_unheld

SECONDS = 10.0  # longer than a click is on its way where it is of any use; tabs of wire version 1 tell nothing
WAITING_SECONDS = 2.0  # that a click may wait in a browser, behind a POST, while its tab shows something newer
MOST = 5000  # tags of a session, which take 2 MiB; all of the latest replacement stay


class Live(Protocol):
    """The live tree, as this knows it."""

    index: Index
    generated: Generated
    changes: Changes
    note_change: Callable[..., None]
    note_children: Callable[..., None]

    def call_later(self, seconds: float, work: Callable[[], None]) -> None:
        """Call `work` after that time, if the app runs in an event loop."""
        ...


class Replacement:
    """The tags of one host that were made anew in one render."""

    __slots__ = ("addresses", "at", "before", "below", "host", "over", "revision", "tags", "tops", "uses")

    def __init__(self, host: GTag, before: list[GTag], revision: int) -> None:
        """`before`: all that callables of `host` had yielded. `revision`: tabs that show a later one do not show
        these."""
        self.host = host
        self.before = before
        self.revision = revision
        self.at = monotonic()
        self.addresses: dict[int, GTag] = {}  # of those that browsers address
        self.tops: list[GTag] = []  # those of `before` that have left …
        self.tags: list[GTag] = []  # … with all below them
        self.below: dict[GTag, list[GTag]] = {}  # what callables of these had yielded in turn
        self.uses = 0  # events that they are handling
        self.over = False  # no further event will find them

    def one_level_below(self, tag: GTag) -> list[GTag]:
        """The tags one level below `tag`, as they were when they left."""
        return child_tags(tag) + self.below.get(tag, [])


class Replaced:
    """Finds the replaced tags of one app, and lets go of them."""

    __slots__ = ("__weakref__", "_live", "_replacements", "_size", "_tops", "_used")

    def __init__(self, live: Live) -> None:
        self._live = live
        self._replacements: deque[Replacement] = deque()  # the oldest first
        self._tops: dict[GTag, Replacement] = {}
        self._size = 0
        self._used: dict[GTag, Replacement] = {}  # those of `_tops` that stand in the tree while they handle an event

    @property
    def tags(self) -> list[GTag]:
        """All tags that are kept: a list made for the caller."""
        return [tag for each in [*self._replacements] for tag in [*each.tags]]

    def keep(self, replacement: Replacement) -> None:
        """Keep the tags of `replacement`, which have left the tree."""
        self._replacements.append(replacement)
        self._tops.update(dict.fromkeys(replacement.tops, replacement))
        self._size += len(replacement.tags)
        while self._size > MOST and len(self._replacements) > 1:
            self._drop_oldest()
        if len(self._replacements) == 1 or self._is_overdue():
            self.expire()

    # -- finding -----------------------------------------------------------------------------------------------------

    def find(self, identity: str) -> tuple[GTag, GTag] | None:
        """The replaced tag that the browser calls `identity`, and the one that stands for it in the page now."""
        name, _, number = identity.rpartition("-")
        if not (number.isascii() and number.isdecimal() and len(number) < 16):
            return None
        for replacement in reversed(self._replacements):
            tag = replacement.addresses.get(int(number))
            if tag is not None and tag.tag == name:
                present = self._present(tag)
                return None if present is None else (tag, present)
        return None

    def _present(self, tag: GTag) -> GTag | None:
        """The tag that stands in the page for `tag`, which was replaced, or a tag below it or below its host was."""
        steps, replacement = self._way_up(tag)
        if replacement is None:
            return tag if self._live.index.contains(tag) else None
        found = self._present(replacement.host)
        before = replacement.before
        for step in reversed(steps):
            if found is None:
                return None
            generated = self._live.generated
            found = counterpart(step, before, generated.of(found) if step is steps[-1] else generated.below(found))
            before = replacement.one_level_below(step)
        return found

    def _way_up(self, tag: GTag) -> tuple[list[GTag], Replacement | None]:
        """`tag` and what is around it, up to a tag that was replaced; and with which others it was."""
        steps: list[GTag] = []
        node: GTag | None = tag
        while node is not None:
            steps.append(node)
            if node in self._used or (node.parent is None and node in self._tops):
                return steps, self._tops[node]
            node = node.parent
        return steps, None

    # -- handling an event -------------------------------------------------------------------------------------------

    def use(self, tag: GTag) -> list[Replacement]:
        """Have `tag` stand in the tree as it did, for an event that it is to handle. What changes of it, and of those
        that were replaced with it, is told to no tab. Returns what `done` is to be given."""
        uses = []
        _, replacement = self._way_up(tag)
        while replacement is not None:
            uses.append(replacement)
            replacement.uses += 1
            for top in replacement.tops:
                if top.parent is None:
                    top.parent = replacement.host
                    self._used[top] = replacement
            _, replacement = self._way_up(replacement.host)
        self._live.note_change, self._live.note_children = self._note_change, self._note_children
        return uses

    def done(self, uses: list[Replacement]) -> None:
        """The event is handled."""
        for replacement in uses:
            replacement.uses -= 1
            if not replacement.uses:
                for top in replacement.tops:
                    if self._used.pop(top, None) and top.parent is replacement.host:
                        top.parent = None
                if replacement.over:
                    self._take_apart(replacement)
        if not self._used:
            changes = self._live.changes
            self._live.note_change, self._live.note_children = changes.note, changes.note_children

    def _note_change(self, tag: GTag, what: int = CHILDREN) -> None:
        if not self.holds(tag):
            self._live.changes.note(tag, what)

    def _note_children(self, tag: GTag) -> None:
        if not self.holds(tag):
            self._live.changes.note_children(tag)

    def holds(self, tag: GTag) -> bool:
        """Whether `tag` is one of those, or below one, that stand in the tree for an event only."""
        return bool(self._used) and self._way_up(tag)[1] is not None

    def living(self, tag: GTag) -> GTag:
        """`tag`, or what it stands in where it does so for an event only."""
        while self._used and (replacement := self._way_up(tag)[1]) is not None:
            tag = replacement.host
        return tag

    def take_back(self, tag: GTag) -> None:
        """`tag` stands in the tree again, for good; or has left once more."""
        self._tops.pop(tag, None)
        self._used.pop(tag, None)

    # -- letting go --------------------------------------------------------------------------------------------------

    def acknowledge(self, revision: int) -> None:
        """All tabs show `revision`, or something later."""
        before = monotonic() - WAITING_SECONDS
        while self._replacements and self._replacements[0].revision < revision and self._replacements[0].at < before:
            self._drop_oldest()

    def expire(self) -> None:
        """Let go of those whose time is over, and see to it that the others go in time."""
        now = monotonic()
        while self._replacements and self._replacements[0].at + SECONDS <= now:
            self._drop_oldest()
        if self._replacements:
            seconds = self._replacements[0].at + SECONDS - now
            self._live.call_later(seconds, partial(_expire, ref(self)))

    def _is_overdue(self) -> bool:
        """Whether the time of the oldest is over, and no timer has come: there was no event loop then."""
        return self._replacements[0].at + 2 * SECONDS < monotonic()

    def clear(self) -> None:
        """Let go of all of them."""
        while self._replacements:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        replacement = self._replacements.popleft()
        self._size -= len(replacement.tags)
        replacement.over = True
        if not replacement.uses:
            self._take_apart(replacement)

    def _take_apart(self, replacement: Replacement) -> None:
        while replacement.tops:
            self._tops.pop(replacement.tops.pop(), None)
        tags, replacement.tags = replacement.tags, []
        are_children = not replacement.below
        replacement.before, replacement.addresses, replacement.below = [], {}, {}
        take_apart_unheld(tags, are_children=are_children)


def _expire(reference: ref[Replaced]) -> None:
    """A timer keeps no session."""
    if (replaced := reference()) is not None:
        replaced.expire()
