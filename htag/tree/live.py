"""What an app knows of its tree: which tags the browser may address, what changed, what is to be sent or started."""

from collections.abc import Callable, Iterator
from itertools import chain, count
from typing import Any, NamedTuple, Protocol
from weakref import WeakSet

from htag.tree import pairs
from htag.tree.build_context import detached
from htag.tree.flags import HAS_HOOKS, HAS_STATICS, PENDING_SCRIPTS
from htag.tree.node import child_tags, descendants
from htag.tree.pairs import MISSING
from htag.tree.render import render, render_plain_element
from htag.tree.tag import GTag

# Each session counts its tags from 1, and an int takes 32 bytes: these are the same objects for all sessions, which
# saves a tenth of a session's memory. As many as large pages have tags.
NUMBERS = tuple(range(1, 4097))


class News(Protocol):
    """What changes are written into: elements by id → outer HTML, JavaScript to run, statics for the head."""

    updates: dict[str, str]
    js: list[str]
    statics: Any


class Page(NamedTuple):
    """The whole tree as HTML, with what belongs into its document's head."""

    body: str
    statics: list[str]
    title: str | None


class Registry:
    """Filled by mutations and renders, emptied by pushes. No operation walks the whole tree but a page's render."""

    __slots__ = (
        "_app",
        "_classes",
        "_found",
        "_made",
        "_radios",
        "_scripts",
        "_sent",
        "auto_bind",
        "dirty",
        "number",
        "reuses",
        "started",
        "statics",
        "targets",
        "title",
    )

    def __init__(self, app: GTag) -> None:
        self._app = app
        self.auto_bind = True
        # no tag of this app has, or ever had, the number that comes next: a late click must not hit another tag
        self.number = chain(NUMBERS, count(len(NUMBERS) + 1)).__next__
        self.dirty: dict[GTag, None] = {}  # ordered, so that equal runs push equal messages
        self.statics: list[str] = []  # not sent yet
        self.title: str | None = None
        self.started: list[tuple[GTag, Any]] = []  # what async and generator hooks returned, to be run by the session
        self.targets: dict[str | int, GTag] = {}  # by number, and by any id of one's own
        self._classes: set[type] = set()  # whose statics are among those
        self._sent: dict[str, None] = {}  # statics since the last page, in order
        self._made: dict[GTag, list[GTag]] = {}
        self._found: dict[GTag, list[Any]] | None = None  # all that a host of those shows; None: there is none
        self.reuses = False  # whether the render that is made shows that again
        self._scripts: dict[GTag, list[str]] = {}
        self._radios: dict[str, WeakSet[GTag]] = {}

    # -- told by the tree --------------------------------------------------------------------------------------------

    def note_change(self, tag: GTag) -> None:
        """`tag` is to be rendered again; a fragment has no element of its own, so what it stands in is."""
        self.dirty[element_of(tag)] = None

    def note_script(self, tag: GTag, code: str) -> None:
        """`code` is to run in the browser after the next push."""
        self._scripts.setdefault(tag, []).append(code)

    def mount(self, top: GTag) -> None:
        """Call `on_mount` of `top` and all below it, in document order."""
        for tag in list(self._hooked(top)):
            self._start(tag, tag.on_mount())

    def leave(self, top: GTag) -> None:
        """Call `on_unmount` of `top` and all below it, in document order. Raises the first error after all had a turn.

        What `on_mount` left to be run, and nobody has run yet, is not run any more.
        """
        tags = list(self._hooked(top))
        self.forget_started(set(tags))
        errors = []
        for tag in tags:
            try:
                self._start(tag, tag.on_unmount())
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def visit(self, request: Any) -> None:
        """Call `on_visit` of the app."""
        app: Any = self._app
        self._start(app, app.on_visit(request))

    def forget_started(self, tags: "set[GTag] | None" = None) -> None:
        """Drop hooks (of `tags`, or all) that have not begun."""
        kept = []
        for tag, outcome in self.started:
            if tags is not None and tag not in tags:
                kept.append((tag, outcome))
            elif hasattr(outcome, "close"):  # an async generator that has not begun needs no closing
                outcome.close()
        self.started = kept

    def unmount(self, top: GTag) -> None:
        """`top` is about to leave the tree: its hooks run, and no message will find it or what is below it."""
        try:
            self.leave(top)
        finally:
            for tag in list(descendants(top, self._made)):
                self._forget(tag)

    def _hooked(self, top: GTag) -> Iterator[GTag]:
        stack = [top]
        while stack:
            tag = stack.pop()
            if tag._flags & HAS_HOOKS:
                yield tag
                stack.extend(reversed(child_tags(tag) + self._made.get(tag, [])))

    def _start(self, tag: GTag, result: Any) -> None:
        if hasattr(result, "send") or hasattr(result, "asend"):
            self.started.append((tag, result))

    def _forget(self, tag: GTag) -> None:
        for key in (tag._id, pairs.get(tag._attributes, "id")):
            if isinstance(key, int | str) and self.targets.get(key) is tag:
                del self.targets[key]
        self._made.pop(tag, None)
        if self._found is not None:
            self._found.pop(tag, None)
        self.dirty.pop(tag, None)
        for code in self._scripts.pop(tag, ()):
            tag._set_flags(PENDING_SCRIPTS)
            tag.__dict__.setdefault("_scripts", []).append(code)

    # -- told by a render (the `RenderTarget` of render) ---------------------------------------------------------------

    def collect_head(self, tag: GTag) -> None:
        """A tag that brings statics, or JavaScript queued while it was in no app."""
        if tag._flags & HAS_STATICS:
            self._note_class(type(tag))
            if tag.statics is not type(tag).statics:
                self._note_statics(tag.statics)
        if tag._flags & PENDING_SCRIPTS:
            tag._flags &= ~PENDING_SCRIPTS
            for code in tag.__dict__.pop("_scripts", ()):
                self.note_script(tag, code)

    def _note_class(self, cls: type[GTag]) -> None:
        if cls not in self._classes:
            self._classes.add(cls)
            self._note_statics(cls.statics)

    def _note_statics(self, statics: Any) -> None:
        for item in statics if isinstance(statics, list | tuple) else [statics]:
            if isinstance(item, GTag) and item.tag == "title":
                self.title = item.text
            elif (text := str(item)) not in self._sent:
                self._sent[text] = None
                self.statics.append(text)

    def register(self, tag: GTag, shown: Any) -> None:
        """A tag that the browser may address: one that has handlers, reports its value, or has an id of its own."""
        self._index(tag._id, tag)
        if shown is not MISSING and shown != tag._id:
            self._index(shown, tag)
        if tag.tag == "input" and tag._attributes:
            self._note_radio(tag)

    def _index(self, key: Any, tag: GTag) -> None:
        other = self.targets.get(key)
        if other is None or not self._has(other):  # of two tags with one id, the first in the document
            self.targets[key] = tag

    def _has(self, tag: GTag) -> bool:
        node: GTag | None = tag
        while node is not None:
            if node is self._app:
                return True
            node = node.parent
        return False

    def _note_radio(self, tag: GTag) -> None:
        attributes = dict(zip(tag._attributes[::2], tag._attributes[1::2], strict=True))
        if attributes.get("type") == "radio":
            self._radios.setdefault(str(attributes.get("name")), WeakSet()).add(tag)

    def reused(self, host: GTag) -> list[Any] | None:
        """What `host` showed last, while what is shown is rendered: tags that its callables made are the same then."""
        if any(tag.parent is not host for tag in self._made.get(host, ())):
            return None  # one was moved away, and rendering its host anew failed since
        return self._found.get(host) if self._found is not None else None

    def reconcile(self, host: GTag, tags: list[GTag], found: list[Any]) -> None:
        """The tags that callables of `host` yielded this time: the new ones mount, those gone unmount."""
        if not tags and host not in self._made:
            return  # texts, as nearly always
        before = self._made.get(host, [])
        kept = {id(tag) for tag in tags}
        self._made[host] = tags  # first: a hook that raises must not raise again at the next render
        if self._found is None:
            self._found = {}
        self._found[host] = tags if len(tags) == len(found) else found
        for tag in before:
            if id(tag) not in kept and tag.parent is host:
                try:
                    self.unmount(tag)
                finally:
                    tag.parent = None
        known = {id(tag) for tag in before}
        for tag in tags:
            if id(tag) not in known:
                self._take_in(host, tag)
        if not tags:
            self._made.pop(host, None)
            self._found.pop(host, None)

    def _take_in(self, host: GTag, tag: GTag) -> None:
        host._refuse_cycle(tag)  # a lambda that yields what it stands in would be rendered for ever
        if tag.parent is not None and tag.parent is not host:
            tag.parent.remove(tag)
        tag.parent = host
        if tag._flags & HAS_HOOKS:
            host._set_has_hooks()
            self.mount(tag)

    # -- asked by the session ----------------------------------------------------------------------------------------

    def find(self, identity: str) -> GTag | None:
        """The tag that the browser calls `identity`, if it is still in the tree. Costs the same for any tree."""
        tag = self.targets.get(identity) or self._numbered(identity)
        node = tag
        while node is not self._app:
            if node is None:
                return None
            node = node.parent
        return tag

    def _numbered(self, identity: str) -> GTag | None:
        number = identity.rpartition("-")[2]
        if not (number.isascii() and number.isdecimal() and len(number) < 16):
            return None
        tag = self.targets.get(int(number))
        return tag if tag is not None and tag.id == identity else None

    def radios(self, name: str) -> list[GTag]:
        """The radio buttons called `name` now."""
        noted = self._radios.get(name, ())
        return [tag for tag in noted if str(pairs.get(tag._attributes, "name")) == name and self._has(tag)]

    def has_changes(self) -> bool:
        """Whether the next push has anything to say."""
        return bool(self.dirty or self._scripts or self.statics)

    def has_made_tags(self) -> bool:
        """Whether a new render gives new ids to some tags: those that callables make afresh each time."""
        return bool(self._made)

    def pre_order(self, start: GTag) -> Iterator[GTag]:
        """`start` and all below it."""
        return descendants(start, self._made)

    def take_page(self) -> Page:
        """Render everything; nothing is pending afterwards but scripts."""
        self._classes.clear()
        self._sent.clear()
        self.statics, self.title = [], None
        self._note_class(type(self._app))  # an app may give its class statics in its own `init`
        body = self.take_body()
        statics, self.statics = self.statics, []
        return Page(body, statics, self.title)

    def all_statics(self) -> list[str]:
        """All statics since the last page, that page's included."""
        return [*self._sent]

    def take_body(self) -> str:
        """Render everything for a document that has its statics already."""
        before, self.dirty = self.dirty, {}  # what a hook changes during the render, it may have shown already
        try:
            return detached(render, self._app, self)
        except BaseException:
            self.dirty = before | self.dirty
            raise

    def take_shown(self) -> str:
        """Render everything as the tabs that are open show it. No tag gets a new id, and what is dirty stays so."""
        self.reuses = True
        try:
            return detached(render, self._app, self)
        finally:
            self.reuses = False

    def take_made(self, update: News) -> list[tuple[GTag, Exception]]:
        """Put into `update` the tags that callables made, as they are, for tabs that show earlier ones."""
        self.reuses = True
        try:
            return self._render_into(update.updates, dict.fromkeys(map(element_of, self._made)))
        finally:
            self.reuses = False

    def take_one_text(self, update: News) -> bool:
        """Put into `update` what changed since the last time, if that is nothing, or the text of one tag."""
        dirty = self.dirty
        if len(dirty) > 1 or self._scripts or self.statics:
            return False
        if dirty:
            self.dirty = {}
            if not render_plain_element(next(iter(dirty)), update.updates, self.targets):
                self.dirty = dirty
                return False
        return True

    def take_changes(self, update: News) -> list[tuple[GTag, Exception]]:
        """Put into `update` all that changed since the last time. Returns the tags that could not be rendered: they
        cost no other tag its update."""
        errors: list[tuple[GTag, Exception]] = []
        if self.dirty:
            dirty, self.dirty = self.dirty, {}
            errors = self._render_into(update.updates, dirty)
        if self._scripts:
            update.js = self.take_scripts()
        if self.statics:
            update.statics, self.statics = self.statics, []
        return errors

    def _render_into(self, updates: dict[str, str], dirty: dict[GTag, None]) -> list[tuple[GTag, Exception]]:
        """Render those of the `dirty` tags that are in the tree, with no dirty tag around that brings them along."""
        errors: list[tuple[GTag, Exception]] = []
        waiting = [*dirty]
        while waiting:
            failed = []
            for tag in waiting:
                if self._stands_alone(tag, dirty):
                    try:
                        text = detached(render, tag, self)  # first: it may give the tag its id
                        updates[tag.id] = text
                    except Exception as error:
                        failed.append((tag, error))
            errors += failed
            for tag, _ in failed:
                del dirty[tag]  # brings nothing along: what changed below it goes by itself
            waiting = [tag for tag in dirty if tag.id not in updates] if failed else []
        return errors

    def _stands_alone(self, tag: GTag, dirty: dict[GTag, None]) -> bool:
        above: GTag | None = tag
        while above is not self._app:
            above = above.parent if above is not None else None
            if above is None or above in dirty:
                return False
        return True

    def take_scripts(self) -> list[str]:
        """All scripts: those of earlier tags first, those of one tag in the order of the calls."""
        scripts, self._scripts = self._scripts, {}
        here = [tag for tag in scripts if self._has(tag)]
        for tag in scripts.keys() - set(here):
            tag._set_flags(PENDING_SCRIPTS)
            tag.__dict__.setdefault("_scripts", []).extend(scripts[tag])
        if len(here) > 1:
            here.sort(key=self._place_in_document())
        return [code for tag in here for code in scripts[tag]]

    def _place_in_document(self) -> Callable[[GTag], list[int]]:
        places: dict[GTag, dict[int, int]] = {}

        def key(tag: GTag) -> list[int]:
            path = []
            while tag is not self._app and tag.parent is not None:
                above = tag.parent
                if above not in places:
                    below = child_tags(above) + self._made.get(above, [])
                    places[above] = {id(child): index for index, child in enumerate(below)}
                path.append(places[above].get(id(tag), 0))
                tag = above
            return path[::-1]

        return key

    def pending_bytes(self) -> int:
        """Characters of the scripts that wait for a tab."""
        return sum(len(code) for codes in [*self._scripts.values()] for code in [*codes])

    def empty(self) -> None:
        """Take the tree apart, so that its memory is free now and not at some later collection of cycles."""
        for tag in list(descendants(self._app, self._made)):
            tag.parent, tag._content, tag._events, tag._attributes, tag._start_tag = None, None, (), (), None
        for container in (self.targets, self._made, self.dirty, self._scripts, self._radios):
            container.clear()
        self._found = None
        self._app = detached(GTag)  # any: the app and this no longer keep each other


def element_of(tag: GTag) -> GTag:
    """`tag`, or what stands around it if it is a fragment, which has no element of its own."""
    while tag.parent is not None and tag._start_tag is None and tag.tag is None:
        tag = tag.parent
    return tag
