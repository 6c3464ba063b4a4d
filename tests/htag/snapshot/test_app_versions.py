"""An app is edited between the snapshot and its reading: what its person meets, and what a click does then."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.app_versions import read_by, written_here

MODULE = "corner_shop"

SHOP = """\
from htag import State, Tag

PRICES = {"tea": 4, "coffee": 6}


class Line(Tag.li):
    def init(self, shop, name):
        self.shop = shop
        self.label = name
        Tag.span(lambda: f"{self.label}: {self.shop.cart.get(self.label, 0)}")
        Tag.button("+", _id=name, _onclick=lambda event: self.shop.buy(self.label))


class Shop(Tag.App):
    def init(self):
        self.cart = State({})
        self.visits = 0
        Tag.h1("Shop")
        Tag.ul([Line(self, name) for name in PRICES])
        Tag.p(lambda: f"{self.total()} EUR", _id="total")
        Tag.button("empty", _id="empty", _onclick=lambda event: self.cart.clear())

    def buy(self, name):
        self.visits += 1
        self.cart[name] = self.cart.get(name, 0) + 1

    def total(self):
        return sum(PRICES[name] * count for name, count in self.cart.value.items())
"""

Edits = list[tuple[str, str]]
EMPTY = 'Tag.button("empty", _id="empty", _onclick=lambda event: self.cart.clear())'

# title → the edits; the outcome; the page after "tea" was clicked twice before and once after
VERSIONS: dict[str, tuple[Edits, str, str]] = {
    "nothing": ([], "same", "Shop tea: 3 + coffee: 0 + 12 EUR empty"),
    "lines moved": ([("from htag", "\n\n# new\nfrom htag")], "same", "Shop tea: 3 + coffee: 0 + 12 EUR empty"),
    "a method edited": ([("0) + 1\n", "0) + 2\n")], "same", "Shop tea: 4 + coffee: 0 + 16 EUR empty"),
    "a value of the module": ([('"tea": 4', '"tea": 5')], "same", "Shop tea: 3 + coffee: 0 + 15 EUR empty"),
    "the text in a lambda": ([(" EUR", " euros")], "edited", "Shop tea: 3 + coffee: 0 + 12 euros empty"),
    "a heading: the page stays as it is seen": (
        [('"Shop"', '"The shop"')],
        "same",
        "Shop tea: 3 + coffee: 0 + 12 EUR empty",
    ),
    "a button added, likewise": (
        [("        Tag.ul(", '        Tag.button("hi", _onclick=lambda event: self.total())\n        Tag.ul(')],
        "moved",
        "Shop tea: 3 + coffee: 0 + 12 EUR empty",
    ),
    "a button means another thing now": (
        [(EMPTY, 'Tag.button("delete all", _id="empty", _onclick=lambda event: self.destroy())')],
        "corner_shop: Shop.init.<locals>.<lambda> #1 is gone, or cannot be told from its neighbours",
        "Shop tea: 3 + coffee: 0 + 12 EUR delete all",
    ),
    "a State added that a method uses": (
        [
            ("self.visits = 0", "self.visits = 0\n        self.limit = State(9)"),
            (
                "        self.visits += 1",
                "        if self.visits > self.limit.value:\n            return\n        self.visits += 1",
            ),
        ],
        "Shop now stores limit when it is built, which one in the snapshot lacks",
        "Shop tea: 3 + coffee: 0 + 12 EUR empty",
    ),
    "an attribute renamed": (
        [("self.visits = 0", "self.clicks = 0"), ("self.visits += 1", "self.clicks += 1")],
        "Shop now stores clicks when it is built, which one in the snapshot lacks",
        "Shop tea: 3 + coffee: 0 + 12 EUR empty",
    ),
    "an attribute of a component added": (
        [("self.label = name", "self.label = name\n        self.price = PRICES[name]"), ('"+"', 'f"+ {self.price}"')],
        "Line now stores price when it is built, which one in the snapshot lacks",
        "Shop tea: 3 + 4 coffee: 0 + 6 12 EUR empty",
    ),
    "a method that a lambda calls renamed": (
        [("self.total()", "self.sum_up()"), ("def total", "def sum_up")],
        "edited",
        "Shop tea: 3 + coffee: 0 + 12 EUR empty",
    ),
    "a component renamed": (
        [("class Line", "class Row"), ("Line(self", "Row(self")],
        "corner_shop.Line is gone",
        "Shop tea: 3 + coffee: 0 + 12 EUR empty",
    ),
    "the app renamed: its class is what is served, whatever it is called": (
        [("class Shop", "class Store")],
        "moved",
        "Shop tea: 3 + coffee: 0 + 12 EUR empty",
    ),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """By title: what becomes of the session in a process with that version."""
    top = tmp_path_factory.mktemp("shops")
    folders = [_version(top / str(number), edits) for number, (edits, *_) in enumerate(VERSIONS.values())]
    payload = written_here(MODULE, folders[0], ["tea", "tea"])
    return dict(zip(VERSIONS, read_by(MODULE, folders, payload, ["tea"]), strict=True))


def _version(folder: Path, edits: Edits) -> Path:
    folder.mkdir()
    text = SHOP
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    (folder / f"{MODULE}.py").write_text(text)
    return folder


@pytest.mark.parametrize("title", VERSIONS)
def test_what_becomes_of_a_session_in_another_version(title: str, found: dict[str, dict[str, Any]]) -> None:
    _, outcome, page = VERSIONS[title]
    it = found[title]
    assert (it["page"], it["errors"]) == (page.split(), [])
    if outcome in ("same", "moved", "edited"):
        assert (it["outcome"], it["carried"]) == (outcome, None)
    else:
        assert it["outcome"].startswith(outcome)
        assert it["carried"] == 1
