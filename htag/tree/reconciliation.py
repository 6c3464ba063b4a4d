"""Tags come into a tree and leave it as callables yield others: they mount, unmount, and some take another's place."""

from typing import Any, Protocol

from htag.tree.child_list import index_of
from htag.tree.departed import Departed
from htag.tree.flags import AWAY, CHANGED_AWAY, HAS_HOOKS
from htag.tree.hooks import Hooks
from htag.tree.replaced import Live, Replaced, Replacement
from htag.tree.reported import Reported
from htag.tree.succession import all_couples, has_key, inherit_id
from htag.tree.tag import GTag


class Tree(Live, Protocol):
    """The live tree, as this knows it."""

    hooks: Hooks
    departed: Departed | None
    replaced: Replaced | None
    reported: Reported | None
    opaque: dict[Any, Any]

    @property
    def revision(self) -> int:
        """The number of the latest update."""
        ...


def reconcile(live: Tree, host: GTag, tags: list[GTag], found: list[Any]) -> None:
    """Callables of `host` yielded `tags` this time, and `host` shows `found`. Raises what a hook raises."""
    generated = live.generated
    before = generated.of(host)
    generated.replace(host, tags, found)  # first: a hook that raises must not raise again at the next render
    kept = {id(tag) for tag in tags}
    gone = [tag for tag in before if id(tag) not in kept and tag.parent is host and index_of(host, tag) < 0]
    if gone:
        _replace(live, host, before, gone, tags)
    elif generated.former and host in generated.former:
        _hand_on(live, *generated.former.pop(host), tags)
    known = {id(tag) for tag in before}
    for tag in tags:
        if id(tag) not in known:
            _adopt(live, host, tag)
    if not tags:
        generated.forget(host)


def unmount(live: Tree, top: GTag, replacement: Replacement | None = None) -> None:
    """`top` is about to leave the tree: its hooks run, and no message will find it or what is below it.

    `replacement`: takes the tags down, where others are about to stand for them. Raises what a hook raises.
    """
    try:
        live.hooks.run_unmount_hooks(top)
    finally:
        live.departed = live.departed or Departed()
        live.departed.note((top,))
        live.changes.note_left(top)
        left = list(live.generated.pre_order(top))
        for tag in left:
            if tag in live.generated.by_host:
                below = live.generated.by_host[tag]
                live.departed.note(below)  # nothing below leads to them from now on
                if replacement is not None:
                    replacement.below[tag] = below
            is_known = not (tag in live.changes.dirty or tag in live.generated.by_host or tag in live.opaque)
            tag._flags |= AWAY if is_known else AWAY | CHANGED_AWAY
            if live.index.forget(tag) and replacement is not None:
                replacement.addresses[tag._id] = tag  # type: ignore[index]  # it was indexed by number
            live.generated.forget(tag)
            live.changes.forget(tag)
            live.opaque.pop(tag, None)
        if replacement is not None:
            replacement.tags += left


def _replace(live: Tree, host: GTag, before: list[GTag], gone: list[GTag], tags: list[GTag]) -> None:
    """`tags` stand in the place of `gone`, which were some of those `before`."""
    replacement = Replacement(host, before, live.revision)
    for tag in gone:
        try:
            unmount(live, tag, replacement)
        finally:
            tag.parent = None
    reported = live.reported
    if any(map(has_key, replacement.tags)) or (
        reported is not None and any(map(reported.__contains__, replacement.tags))
    ):
        _hand_on(live, before, replacement.below, tags)
    if tags and replacement.addresses:
        replacement.tops = gone
        live.replaced = live.replaced or Replaced(live)
        live.replaced.keep(replacement)


def _hand_on(live: Tree, before: list[GTag], below: dict[GTag, list[GTag]], tags: list[GTag]) -> None:
    """Ids and what people typed go on from tags `before` to those `tags` that stand for them, and from tags below them.
    `below`: what callables of these had yielded."""
    for old, new in all_couples(before, tags):
        inherit_id(old, new)
        if live.reported is not None:
            live.reported.hand_on(old, new)
        if old in below:
            live.generated.await_yield(new, (below[old], below))


def _adopt(live: Tree, host: GTag, tag: GTag) -> None:
    host._refuse_cycle(tag)  # a lambda that yields what it stands in would be rendered for ever
    if live.replaced is not None:
        live.replaced.take_back(tag)
    if tag.parent is not None and tag.parent is not host:
        tag.parent.remove(tag)
    tag.parent = host
    if tag._flags & HAS_HOOKS:
        host._set_has_hooks()
        live.hooks.run_mount_hooks(tag)
