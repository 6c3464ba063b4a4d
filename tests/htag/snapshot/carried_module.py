"""A module of which one version after another is written into a folder, and imported."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from htag.snapshot import packages

NAME = "carried_shop"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where modules are found."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    packages.is_local.cache_clear()
    yield tmp_path
    sys.modules.pop(NAME, None)
