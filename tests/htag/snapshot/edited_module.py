"""A module of which one version after another is written into a folder, and imported."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from htag.snapshot import packages

NAME = "edited_app"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where modules are found."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    packages.is_local.cache_clear()
    yield tmp_path
    sys.modules.pop(NAME, None)


def imported(folder: Path, source: str) -> ModuleType:
    """The module, as `source` has it."""
    (folder / f"{NAME}.py").write_text(source)
    sys.modules.pop(NAME, None)
    importlib.invalidate_caches()
    return importlib.import_module(NAME)
