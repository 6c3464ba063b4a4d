"""Two versions of a shop under one name: in the second the class of a page and a handler are gone."""

from types import ModuleType
from typing import Any

FIRST = """
from enum import Enum

from htag import State, States, Tag


class Kind(Enum):
    TEA = 1
    GONE = 2


class Item:
    def __init__(self, name):
        self.name = name


class Left:
    pass


class Model:
    def __init__(self):
        self.total = State(0)


class Page(Tag.div):
    def init(self):
        self.count = State(0)
        self.numbers = States(one=1, two=[2])
        Tag.button("x", _onclick=lambda event: self.count.set(self.count.value + 1))


class Old(Tag.section):
    def init(self):
        self.seen = State(0)


class Shop(Tag.App):
    def init(self):
        self.cart = State({})
        self.nothing = None
        self.page = Page()
        self.old = Old()
        self.model = Model()
        self.fields = {"name": State("")}
        self.items = State([Item("tea")])
        self.kind = State(Kind.TEA)
        self.left = State([Left()])
        self.deep = State({"a": [Left()]})
        self.call = State(lambda: 1)
        self.shown = State([Tag.b("old page")])
        self._private = State(0)
        self.plain = "plain"
        self.was_plain = 3
        self.was_state = State(3)
        self.old_kind = State(Kind.GONE)
        Tag.p(lambda: self.cart.value)
"""

SECOND = FIRST.replace("class Left:\n    pass\n", "").replace("[Left()]", "[]").replace("class Old(", "class New(")
SECOND = SECOND.replace("Old()", "New()").replace("    GONE = 2\n", "").replace("Kind.GONE", "Kind.TEA")
SECOND = SECOND.replace("self.was_plain = 3", "self.was_plain = State(4)").replace("State(3)", "3")
SECOND = SECOND.replace("self.count.set(self.count.value + 1)", "None")
SECOND = SECOND.replace("self.nothing = None", "self.nothing = State(9)")


def fill(module: ModuleType) -> Any:
    """A shop somewhat used."""
    app = module.Shop()
    app.cart.value = {"tea": 2}
    app.page.count.value = 7
    app.page.numbers.one = 5
    app.page.numbers.two = [3]
    app.old.seen.value = 3
    app.model.total.value = 11
    app.fields["name"].value = "Ann"
    app.items.value = [module.Item("coffee")]
    app._private.value = 4
    return app
