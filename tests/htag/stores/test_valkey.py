"""What is Valkey's own."""

import pytest

from htag.errors import StoreError
from htag.stores.base import Record, Save
from htag.stores.valkey import PREFIX, ValkeyStore
from tests.support.valkey import ValkeyServer


async def test_a_server_that_has_lost_its_scripts_gets_them_again(valkey_server: ValkeyServer, name: str) -> None:
    store = ValkeyStore(valkey_server.url, 60)
    assert await store.save([Save(name, 1, "us", b"x")]) == [True]
    valkey_server.ask("script", "flush")
    assert await store.save([Save(name, 1, "us", b"y")]) == [True]
    assert await store.peek(name) == Record(1, "us", b"y")
    await store.close()


async def test_a_key_that_is_not_ours_is_a_store_error(valkey_server: ValkeyServer, name: str) -> None:
    store = ValkeyStore(valkey_server.url, 60)
    valkey_server.ask("lpush", PREFIX + name, "of another program")
    for asked in (store.peek(name), store.claim(name, "us"), store.save([Save(name, 1, "us", b"x")])):
        with pytest.raises(StoreError):
            await asked
    await store.close()
