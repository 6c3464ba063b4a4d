"""What the runners run."""

from htag import Tag


class Page(Tag.App):
    def init(self):
        self <= Tag.p("x")
