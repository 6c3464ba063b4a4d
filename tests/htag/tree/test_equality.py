"""Components may define what equals them: the tree keeps them apart all the same."""

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from htag import GTag, Tag
from htag.snapshot.api import dump, load
from tests.support.lives import Life


class Item(Tag.li):
    """Two of one name are equal."""

    def init(self, name: str) -> None:
        self.name = name
        self.add(name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Item) and self.name == other.name


def local() -> type[GTag]:
    class Local(Tag.li):
        def init(self, name: str) -> None:
            self.name = name
            self.add(name)

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Local) and self.name == other.name

    return Local


class Page(Tag.App):
    def init(self, made: type[GTag] = Item) -> None:
        self.items = [made("a"), made("a")]
        self.list = Tag.ul(self.items)
        self.add(self.list)


def clear(page: Any) -> None:
    for number, item in enumerate(page.items):
        item.clear()
        item.add(str(number))


def mark(page: Any) -> None:
    for item in page.items:
        item["class"] = "marked"


def remove(page: Any) -> None:
    page.items[0].remove()


@pytest.mark.parametrize("change", [clear, mark, remove])
@pytest.mark.parametrize("made", [Item, local()])
async def test_each_of_two_equal_ones_is_shown(change: Callable[[Any], None], made: type[GTag]) -> None:
    built: Any = Page(made)
    assert built.items[0] == built.items[1]
    for app in (built, cast(Any, load(dump(Page(made)), Page).app)):
        life = Life(app)
        change(app)
        life.session.push()
        told = json.loads(life.channel.frames[-1])["updates"]
        assert [*told] == [item.id for item in (app.items if change is not remove else [app.list])]


def test_a_subclass_may_have_a_hash() -> None:
    class Hashed(Item):
        def __hash__(self) -> int:
            return 7

    assert hash(Hashed("a")) == 7
    assert len({Item("a"), Item("a")}) == 2
