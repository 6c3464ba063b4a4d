"""The live tree of an app: all that a process knows of a tree while it is shown, and the session that runs it.

It composes an index of tags, what changed, generated tags, hooks, what belongs in the head. An operation that concerns
one of these is asked of that one; those that concern several are here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, TypeVar

from htag.tree import access
from htag.tree.build_context import detached
from htag.tree.changes import AS_HTML, Changes, Failures, Update, Wanted, element_of
from htag.tree.child_list import index_of
from htag.tree.departed import Departed
from htag.tree.flags import HAS_HOOKS, HAS_STATICS, PENDING_SCRIPTS
from htag.tree.generated import Generated
from htag.tree.head import Head
from htag.tree.hooks import Hooks
from htag.tree.index import Index
from htag.tree.numbers import Numbers
from htag.tree.operations import ATTRIBUTES, HANDLERS
from htag.tree.patch import WHOLE, Before, Patch, write_single_text
from htag.tree.render import render, render_plain_element
from htag.tree.replaced import Replaced, Replacement
from htag.tree.succession import has_key, inherit_ids
from htag.tree.tag import GTag, current_request

Answer = TypeVar("Answer")


TRANSIENT = frozenset(("_runtime",))

NOT_CONTENT = ATTRIBUTES | HANDLERS

INLINE_PAGES = False


class Page(NamedTuple):
    """The whole tree as HTML, with what belongs into its document's head."""

    body: str
    statics: list[str]
    title: str | None
    language: str = ""  # of the app, by its attribute `lang`


class Host(Protocol):
    """What runs an app, a session: the tree asks it for these."""

    def request_push(self, seconds: float) -> None:
        """Push what changed, at the earliest `seconds` after the last push. From any thread."""
        ...

    def inside(self, work: Callable[..., Answer], *arguments: Any) -> Answer:
        """`work(*arguments)` with the session's context variables."""
        ...

    @property
    def tabs_connected(self) -> int:
        """How many tabs show the tree now."""
        ...

    def renew_id(self) -> None:
        """Give the session another id."""
        ...

    @property
    def revision(self) -> int:
        """The number of the latest update that tabs were sent."""
        ...

    def call_later(self, seconds: float, work: Callable[[], None]) -> None:
        """Call `work` after that time, if there is an event loop."""
        ...


class LiveTree:
    """Filled by mutations and renders, emptied by pushes. No operation walks the whole tree but a page's render.

    It is of one app in one process: a copy or a pickle of the app has another one, which goes on with its numbers.
    """

    auto_bind = True  # fields without a handler report their value

    __slots__ = (
        "_host",
        "changes",
        "departed",
        "evaluated",
        "generated",
        "head",
        "hooks",
        "index",
        "inline_handlers",
        "nonce",
        "note_change",
        "note_children",
        "number",
        "numbers",
        "opaque",
        "replaced",
        "request",
        "reuses",
        "served",
        "targets",
        "transient",
    )

    def __init__(self, app: GTag, first_number: int = 1) -> None:
        """`first_number`: no tag of `app` has, or ever had, this number or a greater one."""
        self.index = Index(app)
        self.generated = Generated()
        self.changes = Changes(self.index, self.generated)
        self.hooks = Hooks(self.generated)
        self.head = Head()
        # a late click must not hit another tag: no number is given twice
        self.numbers = Numbers(first_number)
        # for renders
        self.number = self.numbers.allocate
        self.targets = self.index.targets
        self.inline_handlers = True  # whether the render that is made has handlers as JavaScript
        self.nonce = ""  # of the page that is rendered
        self.reuses = False  # whether the render that is made shows generated tags again
        self.evaluated: dict[Any, Any] | None = None  # by callables, while several renders are made together
        self.opaque: dict[Any, Any] = {}  # tags whose callables may read anything
        self.note_change = self.changes.note  # told by each mutation, so it is one call
        self.note_children = self.changes.note_children  # likewise
        # names of the app's attributes that are no part of it: a server's settings, and this
        self.transient = TRANSIENT
        self.departed: Departed | None = None  # once a tag has left
        self.replaced: Replaced | None = None  # once tags with handlers were made anew
        self.served: Any = None  # the ASGI application that serves this instance by itself, once there is one
        self._host: Host | None = None
        self.request: Callable[[], Any] | None = None  # yields the request or WebSocket that spoke last

    # -- the session that runs the app ---------------------------------------------------------------------------------

    def attach_host(self, host: Host | None) -> None:
        """`host` runs the app from now on; None: nothing does."""
        self._host = host

    def last_request(self) -> Any:
        """The Starlette Request or WebSocket that spoke last; before any, the one that the app is made for; or None."""
        return current_request.get() if self.request is None else self.request()

    def request_push(self, seconds: float) -> None:
        """Ask for a push, at the earliest `seconds` after the last one. From any thread."""
        if self._host is not None:
            self._host.request_push(seconds)

    def call_later(self, seconds: float, work: Callable[[], None]) -> None:
        """Call `work` after that time, if the app runs in an event loop."""
        if self._host is not None:
            self._host.call_later(seconds, work)

    @property
    def tabs_connected(self) -> int:
        """How many tabs show the tree now."""
        return 0 if self._host is None else self._host.tabs_connected

    def renew_id(self) -> None:
        """Ask for another id of the session. RuntimeError: it has none that one person alone has."""
        if self._host is not None:
            self._host.renew_id()

    # -- told by the tree --------------------------------------------------------------------------------------------

    def note_script(self, tag: GTag, code: str) -> None:
        """`code` is to run in the browser after the next push."""
        self.changes.note_script(tag if self.replaced is None else self.replaced.living(tag), code)

    def is_dirty(self, tag: GTag) -> bool:
        """Whether a change of `tag` is yet to be pushed."""
        return tag in self.changes.dirty

    def mount(self, tag: GTag) -> None:
        """`tag` has come into the tree: its hooks run, with the variables of the session."""
        if self.replaced is not None and self.replaced.holds(tag):
            return
        if self._host is None:
            self.hooks.run_mount_hooks(tag)
        else:
            self._host.inside(self.hooks.run_mount_hooks, tag)

    def unmount(self, tag: GTag) -> None:
        """`tag` is about to leave the tree: its hooks run, and no message will find it or what is below it."""
        if self.replaced is not None and self.replaced.holds(tag):
            self.replaced.take_back(tag)
        elif self._host is None or not tag._flags & HAS_HOOKS:  # without hooks, nothing of the app's runs
            self._unmount(tag)
        else:
            self._host.inside(self._unmount, tag)

    def _unmount(self, top: GTag, replacement: Replacement | None = None) -> None:
        """`replacement`: takes the tags down, where others are about to stand for them."""
        try:
            self.hooks.run_unmount_hooks(top)
        finally:
            self.departed = self.departed or Departed()
            self.departed.note((top,))
            self.changes.note_left(top)
            left = list(self.generated.pre_order(top))
            for tag in left:
                if tag in self.generated.by_host:
                    below = self.generated.by_host[tag]
                    self.departed.note(below)  # nothing below leads to them from now on
                    if replacement is not None:
                        replacement.below[tag] = below
                if self.index.forget(tag) and replacement is not None:
                    replacement.addresses[tag._id] = tag  # type: ignore[index]  # it was indexed by number
                self.generated.forget(tag)
                self.changes.forget(tag)
                self.opaque.pop(tag, None)
            if replacement is not None:
                replacement.tags += left

    def forget_generated(self, host: GTag) -> None:
        """`host` has lost its children, and with them what those generated."""
        self.reconcile(host, [], [])

    # -- told by a render (the `RenderTarget` of render) --------------------------------------------------------------

    def register(self, tag: GTag, shown: Any) -> None:
        """Index `tag`; `shown`: its HTML attribute `id`, or MISSING."""
        self.index.register(tag, shown)

    def collect_head(self, tag: GTag) -> None:
        """Collect statics of `tag`, and JavaScript queued on it while it was in no app."""
        if tag._flags & HAS_STATICS:
            self.head.collect(tag)
        if tag._flags & PENDING_SCRIPTS:
            tag._flags &= ~PENDING_SCRIPTS
            for code in tag.__dict__.pop("_scripts", ()):
                self.changes.note_script(tag, code, arrives=True)

    def reused(self, host: GTag) -> list[Any] | None:
        """What `host` has yielded for this very update, or showed last, in a render that shows it again; None: evaluate
        it."""
        if self.evaluated and host in self.evaluated:
            found: list[Any] = self.evaluated[host]
            return found
        return self.generated.shown(host) if self.reuses else None

    def reconcile(self, host: GTag, tags: list[GTag], found: list[Any]) -> None:
        """The tags that callables of `host` yielded this time: the new ones mount, those gone unmount."""
        if self.evaluated is not None:
            self.evaluated[host] = found
        if not tags and host not in self.generated.by_host:
            return  # texts, as nearly always
        before = self.generated.of(host)
        self.generated.replace(host, tags, found)  # first: a hook that raises must not raise again at the next render
        kept = {id(tag) for tag in tags}
        gone = [tag for tag in before if id(tag) not in kept and tag.parent is host and index_of(host, tag) < 0]
        if gone:
            self._replace_generated(host, before, gone, tags)
        known = {id(tag) for tag in before}
        for tag in tags:
            if id(tag) not in known:
                self._adopt_generated(host, tag)
        if not tags:
            self.generated.forget(host)

    def _replace_generated(self, host: GTag, before: list[GTag], gone: list[GTag], tags: list[GTag]) -> None:
        """`tags` stand in the place of `gone`, which were some of those `before`."""
        replacement = Replacement(host, before, 0 if self._host is None else self._host.revision)
        for tag in gone:
            try:
                self._unmount(tag, replacement)
            finally:
                tag.parent = None
        if any(map(has_key, replacement.tags)):
            inherit_ids(before, tags)
        if tags and replacement.addresses:
            replacement.tops = gone
            self.replaced = self.replaced or Replaced(self)
            self.replaced.keep(replacement)

    def _adopt_generated(self, host: GTag, tag: GTag) -> None:
        host._refuse_cycle(tag)  # a lambda that yields what it stands in would be rendered for ever
        if self.replaced is not None:
            self.replaced.take_back(tag)
        if tag.parent is not None and tag.parent is not host:
            tag.parent.remove(tag)
        tag.parent = host
        if tag._flags & HAS_HOOKS:
            host._set_has_hooks()
            self.hooks.run_mount_hooks(tag)

    # -- asked by the session ----------------------------------------------------------------------------------------

    def run_visit_hook(self, request: Any) -> None:
        """Tell the app that `request` asks for its page. Raises what the hook raises."""
        self.hooks.run_visit_hook(self.index.app, request)

    @property
    def has_hooks(self) -> bool:
        """Whether any tag has hooks that run when it mounts or unmounts."""
        return access.has_hooks(self.index.app)

    def has_changes(self) -> bool:
        """Whether the next push has anything to say."""
        return bool(self.changes.dirty or self.changes.scripts or self.head.statics)

    def has_generated_tags(self) -> bool:
        """Whether a new render gives new ids to some tags: those that callables make afresh each time."""
        return bool(self.generated.by_host)

    def render_page(self, nonce: str = "", *, inline: bool = INLINE_PAGES) -> Page:
        """Render everything; nothing is pending afterwards but JavaScript. Raises what a callable of the app raises.

        `nonce`: of the `script` elements in the body. `inline`: handlers are attributes with JavaScript."""
        self.head.begin_page(type(self.index.app))  # an app may give its class statics in its own `init`
        self.nonce = nonce
        try:
            body = self.render_body(inline=inline)
        finally:
            self.nonce = ""
        language = access.attribute(self.index.app, "lang")
        return Page(body, self.head.drain(), self.head.title, language if isinstance(language, str) else "")

    def render_body(self, *, inline: bool = INLINE_PAGES) -> str:
        """Render everything for a document that has its statics already. Raises what a callable of the app raises."""
        dirty = self.changes.drain_dirty()  # what a hook changes during the render, it may have shown already
        before, left = self.changes.drain_before()
        try:
            body = self._render(self.index.app, inline=inline)
        except BaseException:
            self.changes.put_back(dirty)
            self.changes.put_back_before(before, left)
            raise
        self.changes.unknown.clear()
        return body

    def render_shown(self, top: GTag | None = None, *, inline: bool = INLINE_PAGES) -> str:
        """Render `top`, or everything, as the tabs that are open show it. No tag gets a new id, and what is dirty stays
        so."""
        self.reuses = True
        try:
            return self._render(self.index.app if top is None else top, inline=inline)
        finally:
            self.reuses = False

    def _render(self, top: GTag, *, inline: bool) -> str:
        self.inline_handlers = inline
        try:
            return detached(render, top, self)
        finally:
            self.inline_handlers = True

    def drain_single_text(self, update: Update, wanted: Wanted) -> bool:
        """Put into `update` what changed since the last time, if that is nothing, or the text of one tag."""
        changes = self.changes
        dirty = changes.dirty
        if len(dirty) > 1 or changes.scripts or self.head.statics:
            return False
        if dirty:
            tag = next(iter(dirty))
            if wanted.ops and (dirty[tag] & NOT_CONTENT or not write_single_text(tag, update)):
                return False
            changes.dirty = {}
            if wanted.html and not render_plain_element(tag, update.updates, self.index.targets):
                changes.dirty = dirty
                return False
            if changes.before:
                changes.drain_before()
        return True

    def drain_changes(self, update: Update, wanted: Wanted = AS_HTML) -> Failures:
        """Put into `update` all that changed since the last time. Returns the tags that could not be rendered: they
        cost no other tag its update."""
        changes, failures = self.changes, Failures()
        if changes.dirty:
            dirty, (before, left) = changes.drain_dirty(), changes.drain_before()
            with self._together():
                if wanted.ops:
                    failures = self._write_operations(update, dirty, before, left)
                if wanted.html:
                    self.reuses = wanted.ops
                    failures += changes.render(update.updates, dirty, self)
        if changes.scripts:
            update.js, others = changes.drain_addressed_scripts()
            if wanted.ops:
                update.others = others
        if self.head.statics:
            update.statics = self.head.drain()
        return failures

    def _write_operations(self, update: Update, dirty: dict[GTag, int], before: Before, left: set[int]) -> Failures:
        """Write the operations for the `dirty` tags. Those that fail are not dirty any more."""
        patch = Patch(self.index.app, self, before, left)
        self.inline_handlers = False
        try:
            detached(patch.tell, dirty)
            update.ops = detached(patch.operations)
        finally:
            self.inline_handlers = True
        for tag, _ in patch.failures:
            dirty.pop(tag, None)
        self.changes.unknown.update(tag for tag, _ in patch.failures)
        self.changes.unknown.difference_update(patch.whole)
        return patch.failures

    @contextmanager
    def _together(self) -> Iterator[None]:
        """While renders are made that belong together: what is called for one of them is not called again."""
        self.evaluated = {}
        try:
            yield
        finally:
            self.evaluated, self.reuses = None, False

    def render_generated(self, update: Update, wanted: Wanted = AS_HTML) -> Failures:
        """Put into `update` the generated tags as they are, for tabs that show earlier ones."""
        hosts = dict.fromkeys(map(element_of, self.generated.by_host), WHOLE)
        failures = Failures()
        with self._together():
            self.reuses = True
            if wanted.ops:
                failures = self._write_operations(update, hosts, {}, set())
            if wanted.html:
                failures += self.changes.render(update.updates, hosts, self)
        return failures

    def dispose(self) -> None:
        """The app is over: take the tree apart, so that its memory is free now and not at some later collection of
        cycles."""
        if self.replaced is not None:
            self.replaced.clear()
        for tag in list(self.generated.pre_order(self.index.app)):
            tag.parent, tag._content, tag._events, tag._attributes, tag._start_tag = None, None, (), (), None
        self._host, self.request = None, nothing_heard
        self.generated.clear()
        self.changes.clear()
        self.opaque.clear()
        self.index.clear(detached(GTag))  # any tag: the app and this no longer keep each other


def nothing_heard() -> None:
    """The request of an app that is over."""


def live_tree(app: GTag) -> LiveTree:
    """The live tree of `app`: the one way from outside the tree to what is not for the app's author."""
    live: LiveTree = app._runtime  # type: ignore[attr-defined]  # of App, which stands above
    return live
