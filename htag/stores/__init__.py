"""The stores that outlive a process, each a module with an optional dependency of its own."""

from urllib.parse import urlsplit

from htag.stores.base import Store
from htag.stores.memory import MemoryStore
from htag.stores.urls import check_url

SESSION_SECONDS = 86_400.0  # a day: a page that was left open overnight still finds its session


def open_store(url: str, seconds: float = SESSION_SECONDS) -> Store:
    """Make the store at `url`, which connects when it is first used.

    `memory://`, `sqlite:///relative/path`, `sqlite:////absolute/path`, `valkey://[user:password@]host[:6379][/0]`,
    `valkeys://…` (TLS) or `valkey+unix:///path/of/socket?db=0`; docs/stores.md has more of them.
    A session is forgotten `seconds` after its last claim, save or touch. ValueError: no store's URL.
    """
    check_url(url)
    match urlsplit(url).scheme:
        case "memory":
            return MemoryStore(seconds)
        case "sqlite":
            from htag.stores.sqlite import SqliteStore

            return SqliteStore(urlsplit(url).path.removeprefix("/"), seconds)
        case _:
            from htag.stores.valkey import ValkeyStore

            return ValkeyStore(url, seconds)
