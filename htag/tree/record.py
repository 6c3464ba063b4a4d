"""A live tree as plain data, for a snapshot, and a live tree again from that, maybe in another process."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from htag.tree.head import HeadRecord
from htag.tree.live import LiveTree
from htag.tree.reported import Reported
from htag.tree.tag import GTag


class LiveRecord(NamedTuple):
    """All of a live tree that is the app's. What is left out belongs to a process: the host, the request, templates."""

    next_number: int
    hosts: list[GTag]  # tags whose callables made tags …
    generated: list[list[GTag]]  # … those, of each …
    shown: list[list[Any] | None]  # … and all that it shows; None: just those
    dirty: list[tuple[GTag, int]]
    scripts: list[tuple[GTag, list[str]]]
    head: HeadRecord
    addresses: list[tuple[str | int, GTag]]  # that are not found by looking at the tags
    reported: Sequence[tuple[GTag, list[tuple[Any, ...]]]] = ()  # what fields have that people changed


def record(live: LiveTree) -> LiveRecord:
    """What is known of a tree now. Nothing changes, and no number is taken."""
    generated, shown = live.generated.lists()
    return LiveRecord(
        live.numbers.next,
        [*live.generated.by_host],
        generated,
        shown,
        [*live.changes.dirty.items()],
        [*live.changes.scripts.items()],
        live.head.record(),
        live.index.unusual(),
        () if live.reported is None else live.reported.record(),
    )


def restore(app: Any, tags: list[GTag], record: LiveRecord) -> LiveTree:
    """Give `app`, whose tree consists of `tags`, a live tree that knows what `record` says. It has no host."""
    live = LiveTree(app, record.next_number)
    set_live_tree(app, live)
    live.generated.restore(record.hosts, record.generated, record.shown)
    live.changes.dirty = dict(record.dirty)
    live.changes.scripts = dict(record.scripts)
    live.head.restore(record.head)
    live.index.rebuild(tags, record.addresses)
    live.targets = live.index.targets
    if record.reported:
        live.reported = Reported()
        live.reported.restore(record.reported)
    return live


def set_live_tree(app: Any, live: LiveTree) -> None:
    """Have `live` be what `app` tells of its changes."""
    app._runtime = live
