"""Hooks of the author's: `on_mount`, `on_unmount`, `on_visit`; and what they returned that has yet to run."""

from collections.abc import Iterable, Iterator
from typing import Any

from htag.tree.flags import HAS_HOOKS
from htag.tree.generated import Generated
from htag.tree.tag import GTag

Pending = list[tuple[GTag, Any]]  # a tag, and the coroutine, generator or async generator that its hook returned


class Hooks:
    """Calls the hooks of one app's tags. Those that take time are `pending` until the session takes and runs them."""

    __slots__ = ("_generated", "pending")

    def __init__(self, generated: Generated) -> None:
        self._generated = generated
        self.pending: Pending = []

    def run_mount_hooks(self, top: GTag) -> None:
        """Call `on_mount` of `top` and all below it, in document order. Raises what a hook raises."""
        for tag in list(self._hooked(top)):
            self._note(tag, tag.on_mount())

    def run_unmount_hooks(self, top: GTag) -> None:
        """Call `on_unmount` of `top` and all below it, in document order. Raises the first error after all had a turn.

        What `on_mount` of these tags left pending is dropped.
        """
        tags = list(self._hooked(top))
        self.drop_pending(tags)
        errors = []
        for tag in tags:
            try:
                self._note(tag, tag.on_unmount())
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def run_visit_hook(self, app: Any, request: Any) -> None:
        """Call `on_visit` of `app`. Raises what it raises."""
        if (result := app.on_visit(request)) is not None:
            self._note(app, result)

    def drain_pending(self) -> Pending:
        """What has yet to run: the caller's from now on."""
        pending, self.pending = self.pending, []
        return pending

    def put_back(self, earlier: Pending) -> None:
        """`earlier` is pending again, before what has come since it was taken."""
        self.pending = earlier + self.pending

    def drop_pending(self, tags: Iterable[GTag] | None = None) -> None:
        """Close what hooks of `tags`, by default of all, returned and the session has not taken."""
        dropped = None if tags is None else set(tags)
        kept = []
        for tag, outcome in self.pending:
            if dropped is not None and tag not in dropped:
                kept.append((tag, outcome))
            elif hasattr(outcome, "close"):  # an async generator that has not begun needs no closing
                outcome.close()
        self.pending = kept

    def _hooked(self, top: GTag) -> Iterator[GTag]:
        stack = [top]
        while stack:
            tag = stack.pop()
            if tag._flags & HAS_HOOKS:
                yield tag
                stack.extend(reversed(self._generated.below(tag)))

    def _note(self, tag: GTag, result: Any) -> None:
        if result is not None and (hasattr(result, "send") or hasattr(result, "asend")):
            self.pending.append((tag, result))
