"""What the tabs have yet to hear of: tags that changed, and JavaScript that waits."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from htag.tree.build_context import detached
from htag.tree.child_list import as_list
from htag.tree.choice import chooser
from htag.tree.flags import CHILDREN_EXPOSED, PENDING_SCRIPTS
from htag.tree.generated import Generated
from htag.tree.index import Index
from htag.tree.operations import ATTRIBUTES, CHILDREN
from htag.tree.patch import Before
from htag.tree.render import render
from htag.tree.render_target import RenderTarget
from htag.tree.tag import GTag

MOST_LEFT = 10_000  # tags that leave between two pushes; without a tab, there is none for long

Failures = list[tuple[GTag, Exception]]  # tags that could not be rendered


class Update(Protocol):
    """What changes are written into: elements by id → outer HTML, and the same as operations; JavaScript to run;
    statics for the head."""

    updates: dict[str, str]
    ops: Any
    js: Sequence[str]
    others: Any
    statics: Any


class Wanted(Protocol):
    """What the tabs want to be told."""

    @property
    def html(self) -> bool:
        """Changes as elements with their HTML, handlers inline."""
        ...

    @property
    def ops(self) -> bool:
        """Changes as operations."""
        ...


class AsHtml(NamedTuple):
    """What tabs of wire version 1 want."""

    html: bool = True
    ops: bool = False


AS_HTML = AsHtml()


class Changes:
    """Notes what changed of which tags of one app, and the JavaScript to run after that is shown."""

    __slots__ = ("_generated", "_index", "arrivals", "before", "dirty", "exposed", "left", "scripts", "unknown")

    def __init__(self, index: Index, generated: Generated) -> None:
        self._index = index
        self._generated = generated
        self.exposed: dict[GTag, list[Any]] = {}  # children as they are shown, of tags whose list the author has
        self.dirty: dict[GTag, int] = {}  # what changed, as flags; ordered, so that equal runs push equal messages
        self.scripts: dict[GTag, list[str]] = {}
        self.arrivals: set[GTag] = set()  # of these: tags that no tab shows yet, so that all tabs are to run theirs
        self.before: Before = {}  # the children of tags as they are shown, if they may have changed since
        self.left: dict[int, None] = {}  # `id()` of shown tags that left the tree since; they may have come back
        self.unknown: dict[
            GTag, None
        ] = {}  # tags of which a change could not be told: what is shown of them is not known

    def note_children(self, tag: GTag) -> None:
        """The children of `tag` are about to change: remember those that are shown."""
        if tag not in self.before:
            is_known = not (tag._flags & CHILDREN_EXPOSED or tag in self.unknown)
            self.before[tag] = [*as_list(tag)] if is_known else self.exposed.get(tag)

    def note_exposed(self, tag: GTag) -> None:
        """The author is about to get the list of the children of `tag`, and may change it unseen from now on."""
        self.note_children(tag)
        shown = self.before[tag] if tag in self.dirty else self.before.pop(tag)
        if shown is not None:
            self.exposed[tag] = shown

    def note_left(self, tag: GTag) -> None:
        """`tag` leaves the tree. More than MOST_LEFT, and it is not known any more which children are shown."""
        if tag.parent in self.before:
            self.left[id(tag)] = None
            if len(self.left) > MOST_LEFT:
                self.before = dict.fromkeys(self.before, None)
                self.left.clear()

    def drain_before(self) -> tuple[Before, dict[int, None]]:
        """What was shown before the changes that are told now: the caller's from now on."""
        taken = self.before, self.left
        self.before, self.left = {}, {}
        return taken

    def put_back_before(self, before: Before, left: dict[int, None]) -> None:
        """What was drained has not been told: it is still what is shown."""
        self.before |= before
        self.left |= left

    def note(self, tag: GTag, what: int = CHILDREN) -> None:
        """`what` (flags of `operations`) changed of `tag`. A fragment has no element of its own: to the tag that it
        stands in it is a change of children."""
        if tag._start_tag is None and (element := element_of(tag)) is not tag:
            tag, what = element, CHILDREN
        dirty = self.dirty
        dirty[tag] = dirty[tag] | what if tag in dirty else what

    def note_script(self, tag: GTag, code: str, *, arrives: bool = False) -> None:
        """`code` is to run in the browser after the next push. It `arrives` with `tag`, or is called for one that is
        there; the latter concerns the tab that asked, the former all of them."""
        self.scripts.setdefault(tag, []).append(code)
        if arrives or not self._is_shown(tag):
            self.arrivals.add(tag)

    def _is_shown(self, tag: GTag) -> bool:
        """Whether the tabs show `tag` already; where that is not known, they do not."""
        while tag is not self._index.app:
            parent = tag.parent
            if parent is None or tag._id is None:
                return False
            if parent in self.before:
                shown = self.before[parent]
                if shown is None or not any(child is tag for child in shown):
                    return False
            tag = parent
        return True

    def forget(self, tag: GTag) -> None:
        """`tag` has left the tree: it takes along the JavaScript that waits."""
        self.dirty.pop(tag, None)
        self.before.pop(tag, None)
        self.exposed.pop(tag, None)
        self.unknown.pop(tag, None)
        leave_on(tag, self.scripts.pop(tag, []))

    def drain_dirty(self) -> dict[GTag, int]:
        """What changed: the caller's to show from now on."""
        dirty, self.dirty = self.dirty, {}
        return dirty

    def put_back(self, earlier: dict[GTag, int]) -> None:
        """`earlier` was taken and could not be shown: it is noted again, before what has changed since."""
        since, self.dirty = self.dirty, earlier
        for tag, what in since.items():
            self.dirty[tag] = self.dirty.get(tag, 0) | what

    def render(self, updates: dict[str, str], dirty: dict[GTag, int], target: RenderTarget) -> Failures:
        """Render into `updates`, handlers inline, those of the `dirty` tags that are in the tree and that no other one
        brings along."""
        failures: Failures = []
        dirty |= {select: ATTRIBUTES for tag in dirty if (select := chooser(tag)) is not None}
        waiting = [*dirty]
        while waiting:
            failed = []
            for tag in waiting:
                if self._is_outermost(tag, dirty):
                    try:
                        text = detached(render, tag, target)  # first: it may give the tag its id
                        updates[tag.id] = text
                    except Exception as error:
                        failed.append((tag, error))
            failures += failed
            for tag, _ in failed:
                del dirty[tag]  # brings nothing along: what changed below it goes by itself
            waiting = [tag for tag in dirty if tag.id not in updates] if failed else []
        return failures

    def _is_outermost(self, tag: GTag, dirty: dict[GTag, int]) -> bool:
        above: GTag | None = tag
        while above is not self._index.app:
            above = above.parent if above is not None else None
            if above is None or above in dirty:
                return False
        return True

    def drain_scripts(self) -> list[str]:
        """All JavaScript that waits: that of earlier tags in the document first, of one tag in the order of calls."""
        return self.drain_addressed_scripts()[0]

    def drain_addressed_scripts(self) -> tuple[list[str], list[str]]:
        """All JavaScript that waits, and the part of it that concerns all tabs, not the asking one only."""
        scripts, self.scripts = self.scripts, {}
        arrivals, self.arrivals = self.arrivals, set()
        present = [tag for tag in scripts if self._index.contains(tag)]
        for tag in scripts.keys() - set(present):
            leave_on(tag, scripts[tag])
        if len(present) > 1:
            present.sort(key=self._document_order())
        codes = [code for tag in present for code in scripts[tag]]
        return codes, [code for tag in present if tag in arrivals for code in scripts[tag]]

    def _document_order(self) -> Callable[[GTag], list[int]]:
        app = self._index.app
        positions: dict[GTag, dict[int, int]] = {}

        def path(tag: GTag) -> list[int]:
            steps = []
            while tag is not app and tag.parent is not None:
                above = tag.parent
                if above not in positions:
                    below = self._generated.below(above)
                    positions[above] = {id(child): index for index, child in enumerate(below)}
                steps.append(positions[above].get(id(tag), 0))
                tag = above
            return steps[::-1]

        return path

    @contextmanager
    def apart(self) -> Iterator[list[str]]:
        """JavaScript that is called for in this context is no part of the next push: it comes into the list that the
        context is given, at its end."""
        waiting, arrivals = self.scripts, self.arrivals
        self.scripts, self.arrivals = {}, set()
        codes: list[str] = []
        try:
            yield codes
        finally:
            codes += self.drain_scripts()
            self.scripts, self.arrivals = waiting, arrivals

    def pending_bytes(self) -> int:
        """Characters of the JavaScript that waits for a tab. From any thread."""
        return sum(len(code) for codes in [*self.scripts.values()] for code in [*codes])

    def clear(self) -> None:
        """Forget all of it."""
        self.dirty.clear()
        self.scripts.clear()
        self.arrivals.clear()
        self.drain_before()
        self.unknown.clear()
        self.exposed.clear()


def leave_on(tag: GTag, scripts: list[str]) -> None:
    """Have `tag`, which is in no app, keep JavaScript until it is in one."""
    if scripts:
        tag._set_flags(PENDING_SCRIPTS)
        tag.__dict__.setdefault("_scripts", []).extend(scripts)


def element_of(tag: GTag) -> GTag:
    """`tag`, or what stands around it if it is a fragment, which has no element of its own."""
    while tag.parent is not None and tag._start_tag is None and tag.tag is None:
        tag = tag.parent
    return tag
