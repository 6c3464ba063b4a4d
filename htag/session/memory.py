"""How much memory an app's tree takes: an estimate, in one pass."""

from sys import getsizeof

from htag.app import App
from htag.tree.footprint import tag_bytes
from htag.tree.live import live_tree

# The session, its live tree and empty containers, and what else small apps hold that is not worth walking: without any
# tag it is 5 KiB.
SESSION_BYTES = 7040


def of(app: App) -> int:
    """Bytes of `app` and its tree: tags, texts, attributes, handlers, two levels of the Python attributes, and what
    waits for a tab."""
    live = live_tree(app)
    kept = live.generated.container_bytes() + getsizeof(live.index.targets) + live.head.kept_bytes()
    if live.departed is not None:
        kept += live.departed.kept_bytes()
    tags = sum(map(tag_bytes, live.generated.pre_order(app)))
    if live.reported is not None:
        kept += live.reported.kept_bytes()
    if live.replaced is not None:
        # what the author gave these, those have as well that stand for them now
        tags += sum(tag_bytes(tag, with_values=False) for tag in live.replaced.tags)
    return SESSION_BYTES + live.changes.pending_bytes() + kept + tags
