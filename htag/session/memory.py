"""How much memory an app's tree takes: an estimate, in one pass."""

from htag.app import App
from htag.tree.footprint import tag_bytes
from htag.tree.live import live_tree

SESSION_BYTES = 4096  # the session, its live tree and containers: measured empty, and not worth walking


def of(app: App) -> int:
    """Bytes of `app` and its tree: tags, texts, attributes, handlers, two levels of the Python attributes, and what
    waits for a tab."""
    live = live_tree(app)
    return SESSION_BYTES + live.changes.pending_bytes() + sum(map(tag_bytes, live.generated.pre_order(app)))
