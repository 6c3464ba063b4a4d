"""What an author says about snapshots holds: pickle's methods, and a version number."""

from typing import Any

import pytest

from htag.snapshot.api import dump, load
from htag.snapshot.errors import Moved, Pinned
from htag.tree.live import live_tree
from tests.htag.snapshot import methods
from tests.support.lives import Life


def back(app: Any) -> Any:
    return load(dump(app), type(app)).app


async def test_a_component_s_own_state_is_what_is_kept() -> None:
    life = Life(methods.Page())
    again = Life(back(life.app), starts=False)
    cleaned = again.app.cleaned  # type: ignore[attr-defined]
    assert (cleaned.rows, cleaned.connection, cleaned.opened) == ([1], None, 2)
    assert cleaned.parent is again.app
    await again.fire(cleaned.childs[0].id, "click")
    assert 'title="2 2"' in again.channel.frames[-1].replace("\\", "")


def test_its_own_way_to_be_made_is_taken() -> None:
    app = back(methods.Page())
    assert app.reduced.name == "NAME"
    assert app.reduced.parent is app
    assert app.reduced.text == "name"  # its children are those that it had


async def test_those_of_an_app_hold_too() -> None:
    life = Life(methods.Page())
    number = live_tree(life.app).numbers.next
    app: Any = back(life.app)
    assert (app.handle, app.loads, app.count.value) == (None, 1, 1)
    assert live_tree(app).numbers.next == number
    again = Life(app, starts=False)
    again.session.push()
    assert "loaded" in again.channel.frames[-1]
    app.count.value = 2


def test_what_it_raises_while_it_loads_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = dump(methods.Page())

    def wrong(self: Any, state: Any) -> None:
        raise KeyError("rows")

    monkeypatch.setattr(methods.Cleaned, "__setstate__", wrong)
    with pytest.raises(Moved, match="KeyError: 'rows'"):
        load(payload, methods.Page)


def test_what_it_raises_while_it_is_written_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Any) -> None:
        raise KeyError("rows")

    monkeypatch.setattr(methods.Cleaned, "__getstate__", wrong)
    with pytest.raises(Pinned, match="KeyError: 'rows'"):
        dump(methods.Page())


@pytest.mark.parametrize("made", [methods.Page, methods.Other])
@pytest.mark.parametrize("version", [2, None, "1"])
def test_another_version_number_is_moved(made: Any, version: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    payload = dump(made())
    assert load(payload, made).outcome == "same"
    of = methods.Page if made is methods.Page else methods.Versioned
    monkeypatch.setattr(of, "state_version", version)
    with pytest.raises(Moved, match="state_version was"):
        load(payload, made)


@pytest.mark.parametrize("cls", [methods.Cleaned, methods.Slots])
def test_a_version_number_that_is_new_or_gone_is_moved(cls: type, monkeypatch: pytest.MonkeyPatch) -> None:
    made: Any = methods.Slots if cls is methods.Slots else methods.Page
    payload = dump(made())
    monkeypatch.setattr(cls, "state_version", 1, raising=False)
    with pytest.raises(Moved, match="state_version was None"):
        load(payload, made)
    payload = dump(made())
    assert load(payload, made).outcome == "same"
    monkeypatch.delattr(cls, "state_version")
    with pytest.raises(Moved, match="state_version was 1"):
        load(payload, made)


def test_slots_of_its_own_and_an_attribute_behind_a_property() -> None:
    inner = back(methods.Slots()).inner
    assert (inner.one, inner.three, inner.__dict__["size"], inner.size) == (1, 3, 4, 5)
    assert not hasattr(inner, "two")
