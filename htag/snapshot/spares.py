"""Spares, once read: other people's sessions are taken out of the lists, dicts and sets that held them."""

from collections import deque
from collections.abc import Container
from types import ModuleType
from typing import Any

from htag.snapshot.culprit import steps
from htag.tree.node import Node


class LeftOut:
    """Stands for another session's tag."""


def leave_out(left: LeftOut, found: Any, others: Container[int]) -> None:
    """Take `left` out of all lists, dicts and sets that `found` leads to; not by way of `others`, by their `id()`, nor
    of tags, modules and classes."""
    waiting, seen = [found], {}
    while waiting:
        each = waiting.pop()
        if id(each) in seen or id(each) in others or isinstance(each, Node | ModuleType | type):
            continue
        seen[id(each)] = each
        take_out(left, each)
        waiting += [held for _, held in steps(None, each)]


def take_out(left: LeftOut, holder: Any) -> None:
    """Take `left` out of `holder`, as far as that is one of the kinds."""
    match holder:
        case dict():
            for key in [key for key, value in holder.items() if key is left or value is left]:
                del holder[key]
        case list() | deque():
            kept = [each for each in holder if each is not left]
            if len(kept) < len(holder):
                holder.clear()
                holder.extend(kept)
        case set():
            holder.discard(left)
