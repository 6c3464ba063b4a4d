"""Where the tree cannot come back, the States do."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from htag.snapshot import packages
from htag.snapshot.api import carry, dump, load
from htag.snapshot.errors import Moved
from tests.apps.shop import Shop
from tests.htag.snapshot import shops
from tests.support.lives import Life

NAME = "carried_shop"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    packages.is_local.cache_clear()
    yield tmp_path
    sys.modules.pop(NAME, None)


def version(folder: Path, source: str) -> ModuleType:
    """The shop's module, as `source` has it."""
    shops.write(folder, source)
    sys.modules.pop(NAME, None)
    importlib.invalidate_caches()
    return importlib.import_module(NAME)


def carried(folder: Path) -> tuple[Any, int]:
    payload = dump(shops.fill(version(folder, shops.FIRST)))
    module = version(folder, shops.SECOND)
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
    payload = dump(shops.fill(version(folder, shops.FIRST)))
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
