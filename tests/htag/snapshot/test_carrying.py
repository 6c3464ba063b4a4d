"""Where the tree cannot come back, the States do."""

import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest

from htag import State, Tag
from htag.snapshot.api import carry, dump, load
from htag.snapshot.errors import Moved
from tests.apps.shop import Shop
from tests.htag.snapshot import shops
from tests.htag.snapshot.edited_module import NAME, folder, imported
from tests.support.lives import Life

__all__ = ["folder"]


def carried(folder: Path) -> tuple[Any, int]:
    payload = dump(shops.fill(imported(folder, shops.FIRST)))
    module = imported(folder, shops.SECOND)
    with pytest.raises(Moved):
        load(payload, module.Shop)
    app = module.Shop()
    return app, carry(payload, app)


def test_states_are_carried_by_their_path(folder: Path) -> None:
    app, count = carried(folder)
    assert app.cart.value == {"tea": 2}
    assert app.page.count.value == 7
    assert app.page.numbers.dump() == {"one": 5, "two": [3]}
    assert app.old.seen.value == 3  # by its path, though its class is another
    assert app.model.total.value == 11
    assert app.fields["name"].value == "Ann"
    assert [(type(item), item.name) for item in app.items.value] == [(sys.modules[NAME].Item, "coffee")]
    assert app._private.value == 4
    assert count >= 9


def test_what_is_gone_or_of_the_old_page_stays_behind(folder: Path) -> None:
    app, _ = carried(folder)
    assert app.left.value == []
    assert app.deep.value == {"a": []}
    assert app.shown.value[0].root is app
    assert app.call.value() == 1
    assert app.plain == "plain"
    assert (app.was_plain.value, app.was_state, app.nothing.value) == (4, 3, 9)
    assert app.old_kind.value is sys.modules[NAME].Kind.TEA


async def test_the_page_shows_them(folder: Path) -> None:
    app, _ = carried(folder)
    life = Life(app)
    assert "tea" in str(life.app)


def test_another_app_altogether_takes_what_fits(folder: Path) -> None:
    payload = dump(shops.fill(imported(folder, shops.FIRST)))
    app = Shop()
    assert carry(payload, app) == 1
    assert app.cart.value == {"tea": 2}


@pytest.mark.parametrize("payload", [b"", b"garbage", b"\x80\x05N."])
def test_what_cannot_be_read_stays_behind(payload: bytes) -> None:
    assert carry(payload, Shop()) == 0


def test_a_cut_payload_carries_nothing_or_what_there_is() -> None:
    app = Shop()
    app.cart.value = {"tea": 1}
    payload = dump(app)
    assert carry(payload, Shop()) == 1
    assert {carry(payload[:length], Shop()) for length in range(0, len(payload), 11)} == {0, 1}


class Parcel:
    """Its class says how it takes its state; a test, in what way that goes wrong."""

    problem: ClassVar[Exception | None] = None

    def __init__(self, name: str) -> None:
        self.name = name
        self.label = State(name)

    def __setstate__(self, state: dict[str, Any]) -> None:
        if self.problem is not None and state["name"] == "broken":
            raise self.problem
        vars(self).update(state)


class Slotted:
    """A version later one of its slots is gone."""

    __slots__ = ("name", "weight")

    def __init__(self, name: str) -> None:
        self.name = name
        self.weight = 3


class Depot(Tag.App):
    """Holds such ones."""

    def init(self, name: str = "") -> None:
        self.count = State(0)
        self.parcel = State(Parcel(name))
        self.whole = State(Parcel("whole"))
        self.several = State([Parcel("whole"), Parcel(name)])
        self.slotted = State(Slotted(name))
        self.own = Parcel(name)


def depot() -> Any:
    app: Any = Depot("broken")
    app.count.value, app.own.label.value, app.whole.value.name = 5, "written on", "old"
    return app


def test_a_setstate_that_raises_costs_that_object_only(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = dump(depot())
    monkeypatch.setattr(Parcel, "problem", KeyError("weight"))
    app: Any = Depot("new")
    assert carry(payload, app) == 3
    assert (app.count.value, app.whole.value.name, type(app.whole.value)) == (5, "old", Parcel)
    assert type(app.slotted.value) is Slotted
    assert (app.slotted.value.name, app.slotted.value.weight) == ("broken", 3)
    assert (app.parcel.value.name, len(app.several.value)) == ("new", 2)
    assert [each.name for each in app.several.value] == ["whole", "new"]


def test_so_does_a_slot_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = dump(depot())

    class Later:
        __slots__ = ("name",)
        __module__ = __name__
        __qualname__ = "Slotted"

    monkeypatch.setattr(sys.modules[__name__], "Slotted", Later)
    monkeypatch.setattr(Later, "__init__", lambda self, name: setattr(self, "name", name))
    app: Any = Depot("new")
    assert carry(payload, app) == 5
    assert (app.count.value, app.own.label.value, app.slotted.value.name) == (5, "written on", "new")
