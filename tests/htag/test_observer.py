"""The observer hears all that happens, by the names that it says."""

import inspect
import re
from pathlib import Path

import pytest

import htag
from htag.observer import Observer

NAMES = sorted(name for name in vars(Observer) if not name.startswith("_"))


@pytest.mark.parametrize("name", NAMES)
def test_the_null_observer_does_nothing(name: str) -> None:
    method = getattr(Observer(), name)
    assert method(*[1] * len(inspect.signature(method).parameters)) is None
    assert method.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_can_be_heard_of_is_announced_somewhere(name: str) -> None:
    sources = [path for path in Path(htag.__file__).parent.rglob("*.py") if path.name != "observe.py"]
    assert any(re.search(rf"observer\.{name}\b", path.read_text()) for path in sources)
