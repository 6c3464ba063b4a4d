"""What is clicked, at first."""

from typing import Any

from htag import State, Tag


class Headline(Tag.h1):
    def init(self) -> None:
        self.text = "Before"


class Clicked(Tag.App):
    def init(self) -> None:
        self.number = State(0)
        Headline()
        Tag.span(lambda: str(self.number.value), _id="clicks")
        Tag.button("more", _id="more", _onclick=self.more)

    def more(self, event: Any) -> int:
        return self.number.set(self.number.value + 1)
