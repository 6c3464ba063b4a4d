"""How a Valkey server is reached: passwords, TLS, a Unix socket, rights, a cluster of one node."""

import stat
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from htag.errors import StoreError
from htag.stores import open_store
from htag.stores.base import Save, Store
from tests.support.engine import need_engine, run
from tests.support.valkey import ValkeyServer

PASSWORD = "p@ss:w/o#r%d?"
ENCODED = "p%40ss%3Aw%2Fo%23r%25d%3F"

# What docs/stores.md says that a user needs.
RIGHTS = ["+ping", "+get", "+set", "+getrange", "+incr", "+expire", "+pexpire", "+time", "+evalsha", "+script|load"]

Starter = Callable[..., ValkeyServer]


@pytest.fixture
def started() -> Iterator[Starter]:
    """Starts servers that end with the test."""
    need_engine()
    with ExitStack() as stack:

        def start(*options: str, access: tuple[str, ...] = (), folder: Path | None = None) -> ValkeyServer:
            if folder:
                folder.chmod(0o777)  # the server runs as another user
            server = ValkeyServer(*options, access=access, folder=folder)
            stack.callback(server.end)
            return server

        yield start


@pytest.fixture
async def at() -> AsyncIterator[Callable[[str], Store]]:
    """Opens stores that are closed with the test."""
    stores: list[Store] = []

    def opened(url: str) -> Store:
        stores.append(open_store(url))
        return stores[-1]

    yield opened
    for store in stores:
        await store.close()


async def works(store: Store) -> bool:
    """Use every method once."""
    generation = time.time_ns() // 1000
    saved = await store.save([Save("a", generation, "us", b"x"), Save("b", generation, "us", b"y")])
    claimed = await store.claim("a", "them")
    await store.touch(["a", "b"])
    before = await store.pulse()
    await store.ping()
    assert claimed is not None
    assert await store.drop("a", claimed.generation)
    assert await store.peek("a") is None
    return saved == [True, True] and await store.pulse() > before


async def test_a_password_may_have_any_characters(started: Starter, at: Callable[[str], Store]) -> None:
    server = started("--requirepass", PASSWORD, access=("-a", PASSWORD))
    assert await works(at(f"valkey://:{ENCODED}@127.0.0.1:{server.port}/3"))
    assert "db3:keys=" in server.ask("info", "keyspace"), "the number in the URL is the database"
    with pytest.raises(StoreError, match="wants a password"):
        await at(server.url).ping()
    with pytest.raises(StoreError, match="refuses the user name or the password") as caught:
        await at(f"valkey://:wrong-one@127.0.0.1:{server.port}").ping()
    assert "wrong-one" not in str(caught.value)


async def test_a_user_needs_few_rights(started: Starter, at: Callable[[str], Store]) -> None:
    server = started()
    assert server.ask("acl", "setuser", "u@ser", "on", ">" + PASSWORD, "~{htag}:*", *RIGHTS) == "OK"
    store = at(f"valkey://u%40ser:{ENCODED}@127.0.0.1:{server.port}/0")
    assert await works(store)
    assert len(await store.check()) == 2, "what it cannot see it says"
    server.ask("acl", "setuser", "u@ser", "-set")
    with pytest.raises(StoreError, match="does not let this user"):
        await store.save([Save("c", 1, "us", b"z")])


async def test_tls(started: Starter, at: Callable[[str], Store], tmp_path: Path) -> None:
    certify(tmp_path)
    tls = ["--tls-cert-file", "/run/valkey/cert.pem", "--tls-key-file", "/run/valkey/key.pem"]
    options = ["--port", "0", "--tls-port", "6379", "--tls-auth-clients", "no", "--tls-ca-cert-file", tls[1]]
    server = started(*tls, *options, access=("--tls", "--insecure"), folder=tmp_path)
    address = f"valkeys://localhost:{server.port}/0"
    assert await works(at(f"{address}?ssl_ca_certs={tmp_path}/cert.pem"))
    assert await works(at(f"valkeys://127.0.0.1:{server.port}?ssl_cert_reqs=none"))
    with pytest.raises(StoreError, match=r"(?i)certificate"):
        await at(address).ping()
    with pytest.raises(StoreError, match=r"(?i)certificate|hostname|IP address"):
        await at(f"valkeys://127.0.0.1:{server.port}?ssl_ca_certs={tmp_path}/cert.pem").ping()
    with pytest.raises(StoreError):
        await at(server.url).ping()


def certify(folder: Path) -> None:
    """Make a certificate for localhost that signs itself."""
    made = run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"),
        *("-addext", "subjectAltName=DNS:localhost"),
        *("-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"),
    )
    assert made.returncode == 0, made.stderr
    for name in ("cert.pem", "key.pem"):
        (folder / name).chmod(0o644)  # the server runs as another user


async def test_a_unix_socket(started: Starter, at: Callable[[str], Store], tmp_path: Path) -> None:
    server = started("--unixsocket", "/run/valkey/valkey.sock", "--unixsocketperm", "777", folder=tmp_path)
    assert stat.S_ISSOCK((tmp_path / "valkey.sock").stat().st_mode)
    assert await works(at(f"valkey+unix://{tmp_path}/valkey.sock?db=2"))
    assert "db2:keys=" in server.ask("info", "keyspace")


async def test_a_cluster_of_one_node(started: Starter, at: Callable[[str], Store]) -> None:
    """As some providers run it. A script may use several keys there, if all are in one slot."""
    server = started("--cluster-enabled", "yes")
    with pytest.raises(StoreError, match="cluster that is down"):
        await at(server.url).save([Save("a", 1, "us", b"x")])
    assert server.ask("cluster", "addslotsrange", "0", "16383") == "OK"
    deadline = time.monotonic() + 20
    while "cluster_state:ok" not in server.ask("cluster", "info"):
        assert time.monotonic() < deadline
    assert await works(at(server.url))
