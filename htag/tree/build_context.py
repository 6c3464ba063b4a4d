"""Building: what is made in a `with` block, or in the `init` that runs, becomes a child of its tag."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from htag.tree.pairs import MISSING

Answer = TypeVar("Answer")


class BuildContext:
    """A `with` block or an `init` that runs.

    A task that is started in it inherits the variable below but not the children: once the block is left, its context
    is not `open` any more, in no task.
    """

    __slots__ = ("children", "notifies", "open", "outer", "tag")

    def __init__(self, tag: Any, outer: "BuildContext | None", notifies: bool) -> None:
        self.tag = tag  # what is made becomes its child
        self.outer = outer
        self.notifies = notifies  # whether each new child is a change to be told; an `init` tells once, at its end
        self.open = True
        self.children: Any = MISSING  # the list that a new child may simply be appended to, once there is one

    def leave(self) -> None:
        """From now on no tag becomes a child by being made."""
        self.open = False
        self.children = MISSING


# A context variable, not a thread's: two tasks that build components at the same time do not adopt each other's.
current_build: ContextVar[BuildContext | None] = ContextVar("current_build", default=None)


def innermost() -> BuildContext | None:
    """The innermost context that is still open."""
    context = current_build.get()
    while context is not None and not context.open:
        context = context.outer
    return context


def detached(work: Callable[..., Answer], *arguments: Any) -> Answer:
    """`work(*arguments)` outside any build context: the tags that are made meanwhile become children of none."""
    if current_build.get() is None:
        return work(*arguments)
    token = current_build.set(None)
    try:
        return work(*arguments)
    finally:
        current_build.reset(token)
