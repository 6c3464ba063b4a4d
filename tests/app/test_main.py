"""The program as one ASGI application, put together as it is deployed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from htag import Tag, WebApp
from htag_stack.brought_app import BroughtApp
from htag_stack.main import compose, create_application
from htag_stack.settings import Settings
from htag_stack.startup import Prepared
from tests.app.processes import SECRET, STACK
from tests.support.source import ROOT
from tests.support.waiting import eventually

# names that dashboards, alerts and people rely on: design section 12
PROMISED = (
    "htag_sessions htag_sessions_opened_total htag_sessions_closed_total htag_session_memory_bytes htag_connections"
    " htag_session_size_bytes_bucket htag_events_total htag_event_duration_seconds_bucket htag_update_bytes_bucket"
    " htag_refused_total htag_messages_refused_total htag_component_failures_total htag_blocked_handlers_total"
    " htag_clients_behind_total htag_browser_errors_total htag_event_loop_lag_seconds htag_store_up htag_build_info"
    " htag_websocket_pauses_total"
    " htag_snapshots_total htag_snapshot_bytes_bucket htag_snapshot_seconds_total htag_session_snapshots"
    " htag_oldest_unsaved_seconds htag_restores_total htag_restore_seconds_bucket htag_takeovers_total"
    " htag_sessions_parked_total htag_session_wake_seconds_bucket htag_sessions_moved_total"
    " htag_sessions_superseded_total htag_duplicate_events_total htag_skipped_events_total htag_lost_events_total"
    " htag_reconnects_total"
    " http_requests_total http_request_duration_seconds_bucket"
    " process_cpu_seconds_total process_resident_memory_bytes process_open_fds"
)


class Shop(Tag.App):
    def init(self) -> None:
        Tag.h1("Shop")


def client_of(app: type[Tag.App] = Shop, *, address: str = "testclient", **settings: Any) -> TestClient:
    prepared = Prepared(Settings(**{"store": "memory://", "app": "tests:Shop", **settings}), SECRET)
    web = WebApp(app)
    return TestClient(compose(prepared, BroughtApp(web, (web,))), client=(address, 50000))


@pytest.fixture
def client() -> Iterator[TestClient]:
    with client_of() as client:
        yield client


def test_the_app_is_served_with_health_and_metrics_beside_it(client: TestClient) -> None:
    assert "<h1" in client.get("/").text
    assert client.get("/health").json()["store"]["kind"] == "memory"
    assert client.get("/health/live").status_code == client.get("/health/ready").status_code == 200


def test_health_and_metrics_are_about_the_app_s_sessions(client: TestClient) -> None:
    client.get("/")
    assert client.get("/health").json()["sessions"] == {"new": 1, "connected": 0, "disconnected": 0, "parked": 0}
    text = client.get("/metrics").text
    assert 'htag_sessions{state="new"} 1.0' in text
    assert "htag_sessions_opened_total 1.0" in text


def test_health_tells_which_sessions_would_outlive_the_worker(client: TestClient) -> None:
    client.get("/")
    assert client.get("/health").json()["snapshots"]["saved"] == 0  # no tab was there
    with client.websocket_connect("/ws", headers={"origin": "http://testserver"}) as socket:
        socket.receive_text()
        eventually(lambda: client.get("/health").json()["snapshots"]["saved"] == 1, "the session to be saved")
    text = client.get("/metrics").text
    assert 'htag_snapshots_total{outcome="saved"} 1.0' in text
    assert 'htag_session_snapshots{state="saved"} 1.0' in text


@pytest.mark.parametrize("path", ["/health", "/metrics", "/htag.js", "/favicon.ico", "/nothing"])
def test_nothing_but_the_page_makes_a_session(client: TestClient, path: str) -> None:
    client.get(path)
    client.head("/")
    assert sum(client.get("/health").json()["sessions"].values()) == 0


@pytest.mark.parametrize("name", PROMISED.split())
def test_every_promised_metric_is_there_once_a_page_was_served(client: TestClient, name: str) -> None:
    client.get("/")
    assert re.search(rf"^{name}[ {{]", client.get("/metrics").text, re.MULTILINE)


def test_the_build_is_named(client: TestClient) -> None:
    assert re.search(r'htag_build_info\{.*htag_app="tests:Shop"', client.get("/metrics").text)


def test_no_label_holds_a_path_a_session_or_a_user(client: TestClient) -> None:
    session = client.get("/").cookies["htag_sid"]
    client.get("/secret/path/of/lieselotte")
    text = client.get("/metrics").text
    assert "lieselotte" not in text
    assert session.partition(".")[0] not in text
    assert 'http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in text


def test_sessions_end_with_the_worker_and_their_apps_are_told() -> None:
    destroyed = []

    class Told(Tag.App):
        def on_destroy(self) -> None:
            destroyed.append(self)

    with client_of(Told) as client:
        client.get("/")
        assert destroyed == []
    assert len(destroyed) == 1


def test_a_store_is_opened_where_the_setting_says_and_closed(tmp_path: Path) -> None:
    with client_of(store=f"sqlite:///{tmp_path}/data/htag.db") as client:
        assert client.get("/health").json()["store"] == {"kind": "sqlite", "ok": True, "error": None}


def test_settings_reach_htag() -> None:
    with client_of(max_sessions=1, session_new_seconds=5, parano=True, debug=True) as client:
        assert 'window.PARANO = "' in client.get("/").text
        client.cookies.clear()
        refused = client.get("/")
        assert refused.status_code == 503
        assert 'htag_refused_total{reason="sessions"} 1.0' in client.get("/metrics").text


def test_the_limit_on_newcomers_is_a_setting() -> None:
    with client_of(newcomers_per_second=0.01, newcomers_burst=1, address="203.0.113.1") as client:
        statuses = [client.get("/", headers={"cookie": "htag_sid=x"}).status_code for _ in range(2)]
        assert statuses == [200, 429]
        assert 'htag_refused_total{reason="rate"} 1.0' in client.get("/metrics").text


def test_the_cookies_name_is_a_setting() -> None:
    with client_of(cookie_name="shop") as client:
        assert list(client.get("/").cookies) == ["shop"]
        assert list(client.get("/", headers={"host": "here:8080"}).cookies) == ["shop_8080"]


def test_a_worker_that_is_short_of_memory_takes_no_new_visitors() -> None:
    with client_of(memory_limit=1) as full:
        assert full.get("/").status_code == 200  # without a session none is refused
        full.cookies.clear()
        assert full.get("/").status_code == 503
        assert full.get("/health").json()["status"] == "degraded"
        assert full.get("/health/ready").status_code == 200


def test_a_path_prefix_is_taken_off() -> None:
    with client_of(root_path="/shop") as client:
        assert client.get("/shop/").status_code == 200
        assert client.get("/shop/health").status_code == 200


@pytest.mark.parametrize("root_path", ["", "/shop"])
@pytest.mark.parametrize("path", ["/", "/metrics", "/health", "/health/live", "/health/ready", "/htag.js", "/event"])
def test_a_newline_makes_another_path(path: str, root_path: str) -> None:
    with client_of(root_path=root_path) as client:
        for asked in (f"{path}%0a", f"{root_path}{path}%0a", f"{path}%0d", f"{path}%00"):
            assert client.get(asked).status_code == 404, asked
        text = client.get("/metrics").text
        assert 'htag_sessions{state="new"} 0.0' in text
        assert 'route="unmatched",status="404"' in text


def test_the_metrics_are_not_below_the_prefix_that_the_public_knows() -> None:
    with client_of(root_path="/shop") as client:
        assert client.get("/shop/metrics").status_code == 404
        assert client.get("/metrics").status_code == 200


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "brought_along.py").write_text(
        "from htag import Tag\nclass Mine(Tag.App):\n    def init(self): Tag.b('mine')"
    )
    monkeypatch.setenv("HTAG_APP", "brought_along:Mine")
    with TestClient(create_application()) as client:
        assert ">mine</b>" in client.get("/").text
    assert (tmp_path / "data" / "secret").exists()


def test_only_settings_reads_the_environment() -> None:
    sources = [*STACK.glob("*.py"), *(ROOT / "htag" / "stores").glob("*.py")]
    readers = {path.name for path in sources if re.search(r"os\.environ|getenv", path.read_text())}
    assert readers <= {"gunicorn_conf.py"}  # where gunicorn's own variable tells of an upgrade
