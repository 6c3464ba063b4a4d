import os
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from htag.errors import StoreError
from htag.stores.memory import MemoryStore
from htag_stack.health import Health, is_private
from htag_stack.memory import Memory
from htag_stack.vitals import Vitals


class PoolOfThree:
    draining = False
    sessions = 3

    def counts(self) -> dict[str, int]:
        return {"new": 1, "connected": self.sessions - 1, "disconnected": 0, "parked": 40}

    def memory(self) -> int:
        return 90_000

    def snapshot_counts(self) -> dict[str, int]:
        return {"saved": 1, "dirty": 1, "pinned": 0, "asleep": 1}

    def unsaved_seconds(self) -> float:
        return 0.25


class EmptyPool(PoolOfThree):
    def counts(self) -> dict[str, int]:
        return {"new": 0, "connected": 0, "disconnected": 0, "parked": 40}


@pytest.fixture
def pool() -> PoolOfThree:
    return PoolOfThree()


@pytest.fixture
def vitals() -> Vitals:
    return Vitals(MemoryStore(), Memory(1 << 40))


def client_of(pool: PoolOfThree, vitals: Vitals, address: str = "10.1.2.3", **options: Any) -> TestClient:
    health = Health(pool, vitals, version="1.2", store="valkey", place=lambda scope: ("box", 2), **options)
    return TestClient(Starlette(routes=health.routes), client=(address, 4321))


@pytest.fixture
def client(pool: PoolOfThree, vitals: Vitals) -> TestClient:
    return client_of(pool, vitals)


def report(client: TestClient) -> Any:
    return client.get("/health").json()


def test_the_report_has_what_monitors_and_people_ask_for(client: TestClient, vitals: Vitals) -> None:
    body = report(client)
    worker = body.pop("worker")
    assert worker.pop("uptime_seconds") >= 0
    assert worker == {"host": "box", "slot": 2, "pid": os.getpid()}
    assert body == {
        "status": "ok",
        "version": "1.2",
        "sessions": {"new": 1, "connected": 2, "disconnected": 0, "parked": 40},
        "snapshots": {"saved": 1, "dirty": 1, "pinned": 0, "asleep": 1, "oldest_unsaved_seconds": 0.2},
        "memory": {
            "rss_bytes": vitals.memory.resident,
            "reusable_bytes": vitals.memory.reusable,
            "used_bytes": vitals.memory.uses[0].used,
            "limit_bytes": 1 << 40,
            "per_session_bytes": 30_000,
        },
        "store": {"kind": "valkey", "ok": True, "error": None},
        "event_loop_lag_seconds": 0.0,
    }


def test_without_sessions_and_limit_the_unknown_is_null() -> None:
    memory = report(client_of(EmptyPool(), Vitals(MemoryStore())))["memory"]
    assert memory["per_session_bytes"] is memory["limit_bytes"] is memory["used_bytes"] is None
    assert memory["rss_bytes"] > 1_000_000


def test_a_store_that_is_down_degrades_and_stays_ready_without_telling_addresses(
    client: TestClient, vitals: Vitals
) -> None:
    vitals.store_error = StoreError("connecting to valkey.internal:6379 refused")
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["store"] == {"kind": "valkey", "ok": False, "error": "does not answer"}
    assert "internal" not in response.text
    assert client.get("/health/ready").status_code == 200


def full_worker(pool: PoolOfThree) -> TestClient:
    vitals = Vitals(MemoryStore(), Memory(1))
    vitals.measure_memory()
    return client_of(pool, vitals)


def test_memory_that_is_short_degrades(pool: PoolOfThree) -> None:
    client = full_worker(pool)
    assert report(client)["status"] == "degraded"
    assert client.get("/health/ready").status_code == 200


def test_a_worker_that_stays_full_is_not_ready_and_says_why(pool: PoolOfThree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("htag_stack.vitals.FULL_SECONDS", 0.0)
    ready = full_worker(pool).get("/health/ready")
    assert (ready.status_code, ready.text) == (503, "memory\n")
    assert full_worker(pool).get("/health/live").status_code == 200


def test_without_sessions_a_worker_is_never_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("htag_stack.vitals.FULL_SECONDS", 0.0)
    client = full_worker(EmptyPool())
    assert report(client)["status"] == "ok"
    assert client.get("/health/ready").status_code == 200


def test_a_draining_worker_is_live_and_not_ready(client: TestClient, pool: PoolOfThree) -> None:
    assert client.get("/health/ready").status_code == 200
    pool.draining = True
    assert client.get("/health/ready").status_code == 503
    assert client.get("/health").status_code == 503
    assert report(client)["status"] == "draining"
    assert client.get("/health/live").status_code == 200


def test_the_internet_is_told_the_status_and_nothing_else(pool: PoolOfThree, vitals: Vitals) -> None:
    client = client_of(pool, vitals, "203.0.114.7")
    assert (client.get("/health").status_code, report(client)) == (200, {"status": "ok"})
    vitals.store_error = StoreError("down")
    assert report(client) == {"status": "degraded"}
    pool.draining = True
    assert (client.get("/health").status_code, report(client)) == (503, {"status": "draining"})
    assert "sessions" in report(client_of(pool, vitals, "203.0.114.7", public=True))


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("172.18.0.1", True),
        ("192.168.1.9", True),
        ("fd12::1", True),
        ("fe80::1%eth0", True),
        ("::ffff:10.0.0.1", True),
        ("::ffff:8.8.8.8", False),
        ("8.8.8.8", False),
        ("100.64.0.1", False),  # many customers of one provider share these
        ("2001:4860:4860::8888", False),
        ("", True),
    ],
)
def test_whose_address_is_private(address: str, private: bool) -> None:
    assert is_private(address) is private


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_no_cache_keeps_an_answer(client: TestClient, path: str) -> None:
    assert client.get(path).headers["cache-control"] == "no-store"
