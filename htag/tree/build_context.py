"""`with` blocks, and the `init` that runs: what is made in them becomes a child of their tag."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from htag.tree.pairs import MISSING

Answer = TypeVar("Answer")


class Block:
    """A `with` block or an `init` that runs: tags made in it become children of `tag`, and each is a change to `tell`
    (an `init` tells once). A task that is started in it inherits the context but not the block: once it is left, it
    is not `open` any more, for anybody. `children`: the list that a new child may simply be appended to, once there
    is one."""

    __slots__ = ("around", "children", "open", "tag", "tell")

    def __init__(self, tag: Any, around: "Block | None", tell: bool) -> None:
        self.tag, self.around, self.tell, self.open = tag, around, tell, True
        self.children: Any = MISSING

    def leave(self) -> None:
        """No tag joins any more."""
        self.open = False
        self.children = MISSING


# A context variable, not a thread's: two tasks that build components at the same time do not adopt each other's.
enclosing: ContextVar[Block | None] = ContextVar("enclosing", default=None)


def innermost() -> Block | None:
    """The innermost block that is still open."""
    block = enclosing.get()
    while block is not None and not block.open:
        block = block.around
    return block


def outside_blocks(work: Callable[..., Answer], *arguments: Any) -> Answer:
    """`work(*arguments)`, whatever block is open: what is made meanwhile belongs to none."""
    if enclosing.get() is None:
        return work(*arguments)
    token = enclosing.set(None)
    try:
        return work(*arguments)
    finally:
        enclosing.reset(token)
