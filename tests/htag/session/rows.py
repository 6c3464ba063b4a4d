"""An app whose elements get their ids as they are made. Not in a test module: code that pytest has rewritten has no
address."""

from typing import Any

from htag import State, Tag
from htag.core import GTag


class Rows(Tag.App):
    """Rows that are added, each with a tick of its own; and a list that a callable makes anew each time."""

    def init(self) -> None:
        self.ticked: list[str] = []
        self.names = State([])
        Tag.button("add", _id="add", _onclick=self.append)
        self.rows = Tag.ul()
        Tag.ol(lambda: [Tag.li(Tag.button(name, _onclick=self.tick)) for name in self.names.value])

    def append(self, event: Any) -> None:
        self.rows <= Tag.li(Tag.button(event.name, _onclick=self.tick))
        self.names.value = [*self.names.value, event.name]

    def tick(self, event: Any) -> None:
        button: GTag = event.target
        self.ticked.append(button.text)
