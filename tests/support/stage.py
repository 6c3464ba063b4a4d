"""A bare app whose live tree is looked at."""

from __future__ import annotations

from typing import Any

from htag import Tag
from htag.tree.live import live_tree
from htag.wire.messages import Update


class Stage(Tag.App):
    """An app with nothing on it yet."""


def clicked(event: Any) -> None:
    """A handler."""


def pushed(app: Stage) -> Update:
    """What changed on `app`, all of which can be rendered."""
    update = Update({})
    assert live_tree(app).drain_changes(update) == []
    return update
