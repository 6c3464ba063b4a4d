"""What `check` has to say about how a Valkey server is set up."""

import pytest

from htag.stores.valkey import ValkeyStore
from tests.support.valkey import ValkeyServer


def configure(server: ValkeyServer, **settings: str) -> None:
    for name, value in settings.items():
        assert server.ask("config", "set", name.replace("_", "-"), value) == "OK"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"maxmemory_policy": "noeviction", "appendonly": "yes", "save": ""}, []),
        ({"maxmemory_policy": "noeviction", "appendonly": "no", "save": "60 1"}, []),
        ({"appendonly": "no", "save": ""}, ["keeps nothing on disk"]),
        ({"maxmemory_policy": "allkeys-lru", "save": "60 1"}, ["maxmemory-policy is allkeys-lru"]),
        ({"maxmemory_policy": "volatile-ttl", "save": ""}, ["maxmemory-policy is volatile-ttl", "keeps nothing on"]),
    ],
)
async def test_what_would_lose_sessions_is_said(
    valkey_server: ValkeyServer, settings: dict[str, str], expected: list[str]
) -> None:
    configure(valkey_server, **settings)
    store = ValkeyStore(valkey_server.url, 60)
    found = await store.check()
    configure(valkey_server, maxmemory_policy="noeviction", appendonly="no", save="60 1")
    assert len(found) == len(expected)
    for sentence, words in zip(found, expected, strict=True):
        assert words in sentence
    await store.close()


async def test_where_the_server_does_not_tell_that_is_said(valkey_server: ValkeyServer) -> None:
    """As at providers who forbid CONFIG."""
    configure(valkey_server, save="60 1", appendonly="no")
    assert valkey_server.ask("acl", "setuser", "provided", "on", "nopass", "~*", "+@all", "-config") == "OK"
    store = ValkeyStore(valkey_server.url.replace("//", "//provided:x@"), 60)
    (sentence,) = await store.check()
    assert sentence.startswith("Of the Valkey server it could not be checked whether it keeps its data on disk:")
    await store.close()
