"""Which store a URL means."""

import pytest

from htag.stores import open_store
from htag.stores.memory import MemoryStore
from htag.stores.sqlite import SqliteStore
from htag.stores.valkey import ValkeyStore


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("memory://", MemoryStore),
        ("sqlite:///data/x.db", SqliteStore),
        ("valkey://host:6379/0", ValkeyStore),
        ("valkeys://host:6379/0", ValkeyStore),
    ],
)
async def test_the_scheme_chooses_the_store(url: str, kind: type) -> None:
    store = open_store(url)
    assert type(store) is kind
    await store.close()


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match=r"valkey:.*'mongodb'"):
        open_store("mongodb://host")


@pytest.mark.parametrize(("url", "path"), [("sqlite:///a/b.db", "a/b.db"), ("sqlite:////a/b.db", "/a/b.db")])
def test_three_slashes_are_a_relative_path_and_four_an_absolute_one(url: str, path: str) -> None:
    store = open_store(url)
    assert isinstance(store, SqliteStore)
    assert str(store._path) == path
