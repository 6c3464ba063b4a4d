"""What an edit of an app's module means for a snapshot of before: the whole way through `load`."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from htag.snapshot.api import dump, entity_path, fingerprint, load, prepare
from htag.snapshot.errors import Moved
from htag.tree.access import handler
from htag.tree.live import live_tree
from htag.tree.node import child_tags
from tests.htag.snapshot.edited_module import NAME, folder, imported
from tests.support.lives import Life

__all__ = ["folder"]
SOURCE = """
from htag import State, Tag


class Item(Tag.li):
    def init(self, name):
        self.name = name
        Tag.button("x", _onclick=lambda event: self.root.count(1))


class Page(Tag.App):
    def init(self):
        self.total = State(0)
        Tag.b(self.total)
        self.items = [Item(name) for name in "ab"]
        self.add(self.items)

    def count(self, by):
        self.total.value += by
"""


def version(folder: Path, source: str) -> Any:
    """The class of the app, as `source` has it."""
    return imported(folder, source).Page


BUTTON = '        Tag.button("x"'
CLASS = "\n\nclass New(Tag.p):\n    pass\n\n\ndef new():\n    return lambda: 1\n"

EDITS = {
    "nothing": (SOURCE, "same"),
    "lines above": ("\n\n# a comment\nUNUSED = 3\n" + SOURCE, "same"),
    "another class and function": (SOURCE + CLASS, "same"),
    "a lambda before it": (
        SOURCE.replace(BUTTON, f'        Tag.i("y", _onclick=lambda event: None)\n{BUTTON}'),
        "moved",
    ),
    "another text inside it": (SOURCE.replace("self.root.count(1)", "self.root.count(10)"), "edited"),
    "another heading": (SOURCE.replace("Tag.b(self.total)", 'Tag.h1("new")\n        Tag.b(self.total)'), "same"),
    "another method": (SOURCE.replace("self.total.value += by", "self.total.value += by * 100"), "same"),
}


@pytest.mark.parametrize("name", EDITS)
async def test_an_edit_within_the_rule(name: str, folder: Path) -> None:
    source, expected = EDITS[name]
    life = Life(version(folder, SOURCE)())
    payload = dump(life.app)
    cls = version(folder, source)
    app, outcome = load(payload, cls)
    assert (type(app), outcome) == (cls, expected)
    again = Life(app, starts=False)
    button = child_tags(again.app.items[1])[0]  # type: ignore[attr-defined]
    await again.fire(button.id, "click")
    raised = {"another text inside it": 10, "another method": 100}.get(name, 1)
    assert again.app.total.value == raised  # type: ignore[attr-defined]
    assert f">{raised}<" in again.channel.frames[-1]
    assert handler(button, "click").__globals__ is vars(sys.modules[NAME])


REFUSED = {
    "an attribute that the old one lacks": SOURCE.replace(
        "self.name = name", "self.name = name\n        self.price = 3"
    ),
    "the class is gone": SOURCE.replace("Item", "Entry"),
    "a method that is held is gone": SOURCE.replace("lambda event: self.root.count(1)", "None"),
    "the handler needs more": SOURCE.replace("self.root.count(1)", "self.root.count(name)"),
    "the module is broken": "raise ValueError('broken')\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_edit_beyond_it_is_moved(name: str, folder: Path) -> None:
    cls = version(folder, SOURCE)
    app = cls()
    live_tree(app).render_page()
    payload = dump(app)
    if name == "the module is broken":
        (folder / f"{NAME}.py").write_text(REFUSED[name])
        del sys.modules[NAME]
        importlib.invalidate_caches()
    else:
        cls = version(folder, REFUSED[name])
    with pytest.raises(Moved):
        load(payload, cls)


def test_an_app_is_known_by_its_name_and_its_code(folder: Path) -> None:
    cls = version(folder, SOURCE)
    prepare(cls)
    assert entity_path(cls) == entity_path(cls()) == f"{NAME}:Page"
    before = fingerprint(cls)
    assert fingerprint(version(folder, "\n# lines above\n" + SOURCE)) == before
    assert fingerprint(version(folder, SOURCE.replace("count(1)", "count(2)"))) != before
