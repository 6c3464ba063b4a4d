import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from htag_stack.probe import failure, main


class Endpoint(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/health/live" else 404)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def worker(free_base: int) -> Iterator[int]:
    """A worker on slot 1 of the base port that it gives."""
    with http.server.HTTPServer(("127.0.0.1", free_base + 1), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield free_base
        server.shutdown()
        thread.join()


def test_a_container_whose_slots_all_live_is_healthy(worker: int) -> None:
    assert main(worker, 1) == 0


def test_one_slot_that_does_not_answer_makes_it_unhealthy(worker: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(worker, 2) == 1
    assert f"port {worker + 2} does not answer" in capsys.readouterr().out


def test_any_other_status_is_unhealthy(worker: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Endpoint, "status", 503)
    assert failure(worker + 1) == f"port {worker + 1} answers 503"


def test_a_worker_that_hangs_is_unhealthy(free_base: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("htag_stack.probe.TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", free_base)):
        assert "timed out" in (failure(free_base) or "")
