"""Snapshots that an attacker has put into the store: real workers refuse them, and never unpickle."""

import sqlite3
from pathlib import Path

import pytest

from headless.errors import ClientError
from headless.resilient import ResilientClient
from tests.app.processes import GUNICORN, Stack, Start
from tests.app.visiting import get
from tests.support.source import ROOT
from tests.support.waiting import eventually

FORGERIES = ("flipped", "truncated", "swapped", "emptied", "pickled", "beheaded")


@pytest.fixture
def stack(start: Start, free_base: int, tmp_path: Path) -> Stack:
    (tmp_path / "clicked.py").write_text((ROOT / "tests/e2e/rolled/before.py").read_text())
    settings = {"HTAG_APP": "clicked:Clicked", "HTAG_PORT": str(free_base), "HTAG_LOG_FORMAT": "json"}
    return Stack(start(*GUNICORN, **settings), free_base)


def file_of(folder: Path) -> Path:
    (found,) = [each for each in folder.rglob("*") if each.suffix in (".db", ".sqlite", ".sqlite3")]
    return found


def forge(path: Path, kind: str, mine: str, other: str, trap: Path) -> None:
    """Change what the store has of the session `mine`; nobody holds it any more."""
    with sqlite3.connect(path) as connection:
        rows = dict(connection.execute("SELECT id, data FROM record WHERE data IS NOT NULL"))
        data = rows[mine]
        forged = {
            "flipped": data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
            "truncated": data[: len(data) // 2],
            "swapped": rows[other],
            "emptied": b"",
            "pickled": f"cposix\nsystem\n(S'touch {trap}'\ntR.".encode(),
            "beheaded": data[10:],
        }[kind]
        connection.execute("UPDATE record SET data = ?, owner = '' WHERE id = ?", (forged, mine))


def id_of(client: ResilientClient) -> str:
    (cookie,) = client.http.cookies.values()
    return cookie.rpartition(".")[0]


def test_forgeries_are_refused_counted_and_met_once(stack: Stack, tmp_path: Path) -> None:
    one, two = stack.ports
    other = opened(one)
    trap = tmp_path / "trap"
    clients = {kind: opened(one) for kind in FORGERIES}
    path = file_of(tmp_path)
    for kind, client in clients.items():
        client.leave()
        forge(path, kind, id_of(client), id_of(other), trap)
        client.url = f"http://127.0.0.1:{two}/"
        for _ in range(3):
            with pytest.raises(ClientError, match="4404"):
                client.connect()
    assert not trap.exists()
    told = get(two, "/metrics").body.decode()  # type: ignore[attr-defined]
    assert f'htag_restores_total{{outcome="forged"}} {len(FORGERIES)}.0' in told, told
    assert stack.server.stdout().count("is not ours, and is set aside") == 1
    assert other.click("more") == 2


def opened(port: int) -> ResilientClient:
    """A tab at this slot, with one click that is saved."""
    client = ResilientClient(f"http://127.0.0.1:{port}/")
    client.open()
    client.connect()
    assert client.click("more") == 1
    eventually(lambda: not client.events.log, "it is saved")
    return client
