"""Nested components with scoped styles: composites that pass their children on, tabs, a dialog made by a lambda."""

from htag import State, Tag, stop


class Card(Tag.article):
    """A composite: what is added to the card lands in its body."""

    styles = """
        h2, h3:hover { color: navy }
        .body { padding: 1em }
        @media (max-width: 600px) { .body { padding: 0 } }
    """

    def init(self, title, *children):
        self.body = None
        Tag.h2(title)
        self.body = Tag.div(_class="body")
        Tag.article.add(self, self.body)
        self <= children

    def add(self, *items):
        target = self.body
        if target is None or items == (target,):
            return super().add(*items)
        target.add(*items)
        return self


class Counter(Tag.button):
    """A button that counts its clicks and keeps them from the card."""

    styles = ":host, .many { font-weight: bold }"

    def init(self, name):
        self.clicks = State(0)
        self["id"] = name
        self["onclick"] = stop(lambda event: self.click())
        self <= name + ": "
        self <= self.clicks

    def click(self):
        self.clicks.value += 1
        self.toggle_class("odd")


class Tabs(Tag.section):
    """Shows one of several components; the others keep their state."""

    styles = "nav { display: flex } .current { border-bottom: 2px solid }"

    def init(self, **pages):
        self.pages = pages
        self.current = State(next(iter(pages)))
        with Tag.nav():
            for name in pages:
                Tag.a(
                    name,
                    _id=f"tab-{name}",
                    _class=lambda name=name: "current" if self.current == name else None,
                    _onclick=lambda event, name=name: self.current.set(name),
                )
        for page in pages.values():
            page.remove()
        self <= (lambda: self.pages[self.current.value])


class Gallery(Tag.App):
    """Cards in tabs, counters in cards, a dialog above."""

    styles = "body { margin: 0 }"

    def init(self):
        self.asking = State(False)
        self.clicked = State(0)
        first = Card("First", Counter("a"), _onclick=lambda event: self.count())
        first <= Counter("b")
        with first:
            Counter("c")
        self <= Tabs(one=first, two=Card("Second", Card("Inner", Counter("d"))))
        self <= Tag.p(self.clicked, _id="clicked")
        self <= Tag.button("ask", _onclick=lambda event: self.asking.set(True))
        self <= (lambda: self.dialog() if self.asking.value else None)

    def count(self):
        self.clicked.value += 1

    def dialog(self):
        return Tag.dialog(
            Tag.p("Sure?"), Tag.button("yes", _onclick=lambda event: self.asking.set(False)), _open=True, _id="dialog"
        )
