"""A stand-in for a tag that shows a State."""

from collections.abc import Callable
from typing import Any

from htag.state import State
from htag.tree.readers import reader


class Shown:
    """A reader of States: `show` evaluates what it shows, `told` counts the changes it heard of since it was made."""

    def __init__(self, content: Callable[[], Any]) -> None:
        self.content = content
        self.told = 0
        self.show()

    def show(self) -> Any:
        token = reader.set(self)
        try:
            return self.content()
        finally:
            reader.reset(token)

    def state_changed(self) -> None:
        self.told += 1


def changes(state: State[Any], action: Callable[[], Any]) -> int:
    """Return how often `action` notifies the readers of `state`."""
    shown = Shown(lambda: state.value)
    action()
    return shown.told
