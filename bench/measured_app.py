"""The htag app that is measured. One source, run by our htag and by the published one."""

from typing import Any

from htag import Tag


def measured_app(rows: int) -> Any:
    """The App class with a list of that many rows."""

    class Measured(Tag.App):
        """A heading, a counter, the button that raises it, and a list whose every row has a handler of its own."""

        def init(self) -> None:
            self.clicks = 0
            self.counter = Tag.span("0")
            self.rows = Tag.ul()
            self.add(Tag.h1("Measured"))
            self.add(self.counter)
            self.add(Tag.button("+", _id="inc", _onclick=self.inc))
            self.add(self.rows)
            for number in range(rows):
                self.rows.add(self.row(number))

        def row(self, number: int) -> Any:
            button = Tag.button("show", _onclick=lambda event: self.show(number))
            return Tag.li([Tag.span(f"row {number}"), button], _class="row")

        def inc(self, event: Any) -> None:
            self.show(self.clicks + 1)

        def show(self, number: int) -> None:
            self.clicks = number
            self.counter.text = str(number)

    return Measured


Small, Large = measured_app(20), measured_app(1000)  # 65 and 3 005 tags, under names that HTAG_APP can say
