"""What an app's live tree is asked to write: a page, everything as it is shown, what changed since the last time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

from htag.tree import access
from htag.tree.build_context import detached
from htag.tree.changes import AS_HTML, Changes, Failures, Update, Wanted, element_of
from htag.tree.generated import Generated
from htag.tree.head import Head
from htag.tree.index import Index
from htag.tree.operations import ATTRIBUTES, HANDLERS
from htag.tree.patch import WHOLE, Before, Operation, Patch, single_text
from htag.tree.render import render, render_plain_element
from htag.tree.render_target import RenderTarget
from htag.tree.tag import GTag

NOT_CONTENT = ATTRIBUTES | HANDLERS


class Page(NamedTuple):
    """The whole tree as HTML, with what belongs into its document's head."""

    body: str
    statics: list[str]
    title: str | None
    language: str = ""  # of the app, by its attribute `lang`


class Renders:
    """The part of a live tree that renders; with the rest of it, it is the target of its renders."""

    __slots__ = ("evaluated", "inline_handlers", "nonce", "reuses")

    changes: Changes
    generated: Generated
    head: Head
    index: Index
    evaluated: dict[Any, Any] | None
    inline_handlers: bool
    nonce: str
    reuses: bool

    def render_page(self, nonce: str = "", *, inline: bool = False) -> Page:
        """Render everything; nothing is pending afterwards but JavaScript. Raises what a callable of the app raises.

        `nonce`: of the `script` elements in the body. `inline`: handlers are attributes with JavaScript."""
        self.head.begin_page(type(self.index.app))  # an app may give its class statics in its own `init`
        self.nonce = nonce
        try:
            body = self.render_body(inline=inline)
        finally:
            self.nonce = ""
        app = self.index.app
        language = access.attribute(app, "lang") if app._attributes else ""
        return Page(body, self.head.drain(), self.head.title, language if isinstance(language, str) else "")

    def render_body(self, *, inline: bool = False) -> str:
        """Render everything for a document that has its statics already. Raises what a callable of the app raises."""
        dirty = self.changes.drain_dirty()  # what a hook changes during the render, it may have shown already
        before, left = self.changes.drain_before() if self.changes.before else ({}, {})
        try:
            body = self._render(self.index.app, inline=inline)
        except BaseException:
            self.changes.put_back(dirty)
            self.changes.put_back_before(before, left)
            raise
        self.changes.unknown.clear()
        return body

    def render_shown(self, top: GTag | None = None, *, inline: bool = False) -> str:
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
            if wanted.ops:
                text = None if dirty[tag] & NOT_CONTENT else single_text(tag)
                if text is None:
                    return False
                update.ops = (text,)
            changes.dirty = {}
            if wanted.html and not render_plain_element(tag, update.updates, self.index.targets):
                changes.dirty = dirty
                return False
            if changes.before:
                changes.drain_before()
        return True

    def take_single_text(self) -> Operation | None:
        """What changed since the last time, if that is the text of one tag, for tabs that want operations alone. None:
        it is something else, or nothing."""
        changes = self.changes
        dirty = changes.dirty
        if len(dirty) != 1 or changes.scripts or self.head.statics:
            return None
        ((tag, what),) = dirty.items()
        if what & NOT_CONTENT or (text := single_text(tag)) is None:
            return None
        changes.dirty = {}
        if changes.before:
            changes.drain_before()
        return text

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
                    failures += changes.render(update.updates, dirty, cast(RenderTarget, self))
        if changes.scripts:
            update.js, others = changes.drain_addressed_scripts()
            if wanted.ops:
                update.others = others
        if self.head.statics:
            update.statics = self.head.drain()
        return failures

    def _write_operations(
        self, update: Update, dirty: dict[GTag, int], before: Before, left: dict[int, None]
    ) -> Failures:
        """Write the operations for the `dirty` tags. Those that fail are not dirty any more."""
        patch = Patch(self.index.app, cast(RenderTarget, self), before, left, self.changes.exposed)
        self.inline_handlers = False
        try:
            detached(patch.tell, dirty)
            update.ops = detached(patch.operations)
        finally:
            self.inline_handlers = True
        for tag, _ in patch.failures:
            dirty.pop(tag, None)
        # what they yield is new: for tabs of version 1 too
        dirty |= dict.fromkeys(map(element_of, patch.around), WHOLE)
        unknown = self.changes.unknown
        unknown |= dict.fromkeys(tag for tag, _ in patch.failures)
        for tag in patch.whole if unknown else ():
            unknown.pop(tag, None)
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
                failures = self._write_operations(update, hosts, {}, {})
            if wanted.html:
                failures += self.changes.render(update.updates, hosts, cast(RenderTarget, self))
        return failures
