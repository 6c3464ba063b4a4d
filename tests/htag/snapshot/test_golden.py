"""Snapshots of earlier forms load, or are `Moved`: htag's own insides may have changed meanwhile."""

from pathlib import Path

import pytest

from htag.snapshot.api import carry, load
from htag.snapshot.errors import Moved
from htag.snapshot.writer import FORMAT, PYTHON
from htag.tree.live import live_tree
from tests.htag.snapshot.golden_app import Golden, files, html_of
from tests.support.machine import give_up


@pytest.mark.parametrize("file", files(), ids=lambda file: file.stem)
def test_a_snapshot_of_another_form_or_python_never_raises_anything_else(file: Path) -> None:
    try:
        load(file.read_bytes(), Golden)
    except Moved:
        assert carry(file.read_bytes(), Golden()) >= 0


TODAY = [file for file in files() if file.stem == f"{FORMAT}-python-{PYTHON}"]


def test_one_of_today_s_form_loads() -> None:
    """If it does not: raise FORMAT, and write another one (see golden_app.py)."""
    if not TODAY:
        give_up("there is no snapshot of today's form by this Python (see golden_app.py)")
    app, outcome = load(TODAY[0].read_bytes(), Golden)
    assert outcome == "same"
    assert html_of(app) == TODAY[0].with_suffix(".html").read_text()
    assert isinstance(app, Golden)
    assert app.held is app.list.childs
    assert [each() for each in (app.next[1], app.next[0], app.next[1])] == [1, 2, 2]
    app.cards[0].raised(1)
    assert live_tree(app).has_changes()
    assert app.cards[0].clicks.value == 4
