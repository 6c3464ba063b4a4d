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
        ("valkey://host", ValkeyStore),
        ("valkey://[::1]:6379/", ValkeyStore),
        ("valkeys://user:p%40ss@host:6379/12?ssl_ca_certs=/ca.pem", ValkeyStore),
        ("valkey+unix:///run/valkey.sock?db=1", ValkeyStore),
    ],
)
async def test_the_scheme_chooses_the_store(url: str, kind: type) -> None:
    store = open_store(url)
    assert type(store) is kind
    await store.close()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mongodb://host", r"valkey:.*'mongodb'"),
        ("sqlite://data/x.db", "three slashes"),
        ("sqlite:///", "names no file"),
        ("valkey+unix://", "names no file"),
        ("valkey:///0", "takes a host"),
        ("valkey://host:secret/0", "a host and a port"),
        ("valkey://:secr#et@host", "is written"),
        ("valkey://:6379/secret@host/0", "is written"),
        ("valkey://host/secret", "is a number"),
    ],
)
def test_another_url_is_refused_and_not_repeated(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("url", "path"), [("sqlite:///a/b.db", "a/b.db"), ("sqlite:////a/b.db", "/a/b.db")])
def test_three_slashes_are_a_relative_path_and_four_an_absolute_one(url: str, path: str) -> None:
    store = open_store(url)
    assert isinstance(store, SqliteStore)
    assert str(store._path) == path
