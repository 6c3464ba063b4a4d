"""What is clicked, in its next version: a State more, a component that is another one, and every line elsewhere."""

from typing import Any

from htag import State, Tag

STEP = 1


class Banner(Tag.header):
    def init(self, text: str) -> None:
        Tag.h1(text)
        Tag.small("with a banner now")


class Clicked(Tag.App):
    def init(self) -> None:
        self.news = State("After")
        self.number = State(0)
        Banner(self.news.value)
        with Tag.p():
            Tag.span(lambda: str(self.number.value), _id="clicks")
            Tag.button("more", _id="more", _onclick=self.more)

    def more(self, event: Any) -> int:
        """Count one more."""
        return self.number.set(self.number.value + STEP)
