"""How a Valkey or Redis server should be set up, so that it does not lose sessions."""

from htag.errors import StoreError
from htag.stores.valkey_client import ValkeyClient

DISK = "The Valkey server keeps nothing on disk: if it restarts, sessions are lost. Set appendonly to yes."


async def complaints(client: ValkeyClient) -> list[str]:
    """Return what is wrong, and what the server does not let us see, in sentences."""
    found = []
    for what, question in (("whether it throws keys away", _eviction), ("whether it keeps its data on disk", _disk)):
        try:
            found += await question(client)
        except StoreError as error:
            found.append(f"Of the Valkey server it could not be checked {what}: {error}.")
    return found


async def _eviction(client: ValkeyClient) -> list[str]:
    policy = (await client.info("memory"))["maxmemory_policy"]
    if policy == "noeviction":
        return []
    return [
        f"The Valkey server's maxmemory-policy is {policy}: when its memory is full, it throws sessions away. "
        "Set it to noeviction."
    ]


async def _disk(client: ValkeyClient) -> list[str]:
    if (await client.info("persistence"))["aof_enabled"]:
        return []
    return [] if await client.setting("save") else [DISK]
