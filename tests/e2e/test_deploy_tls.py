"""docker-compose.yml with deploy/tls.yml: people over wss, and a certificate that is renewed under them."""

import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import requests

from headless.protocol import Transport
from tests.e2e.stack import Crowd, Stack, Visitor
from tests.support.engine import need_engine, run
from tests.support.waiting import eventually

VISITORS = 60
LOAD_USERS = 20
LOAD_SECONDS = 8


class TlsStack(Stack):
    """With certificates in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__("tls", ["deploy/tls.yml"], TLS_DIR=str(folder))
        self.folder = folder
        self.plain_url, self.url = self.url.replace("127.0.0.1", "localhost"), f"https://localhost:{self.https_port}"
        self.trusted = str(folder / "trusted.pem")  # all that were ever made

    def make_certificate(self) -> None:
        """A new one in place of the one before, as a renewal does it."""
        fresh = self.folder / "fresh"
        made = run("make", "--silent", "certificate", f"TLS_DIR={fresh}")
        assert made.returncode == 0, made.stderr
        with Path(self.trusted).open("a") as trusted:
            trusted.write((fresh / "certificate.pem").read_text())
        for name in ("key.pem", "certificate.pem"):
            (fresh / name).rename(self.folder / name)

    def served_certificate(self) -> str:
        """The certificate that a new connection gets, as PEM."""
        return ssl.get_server_certificate(("localhost", self.https_port), ca_certs=self.trusted, timeout=10)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsStack]:
    need_engine()
    folder = tmp_path_factory.mktemp("tls")
    # pytest's folders are for its user only, and nginx runs as another
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    stack = TlsStack(folder)
    stack.make_certificate()
    try:
        stack.build("app", "nginx")
        stack.up(services=["nginx", "app", "valkey"])
        yield stack
    except AssertionError as failure:
        failure.add_note(stack.compose("logs", "--tail", "20", "app", "nginx"))
        raise
    finally:
        stack.down()


@pytest.mark.parametrize("transport", ["websocket", "sse", "http"])
def test_people_are_served_over_tls(tls: TlsStack, transport: Transport) -> None:
    with Crowd(tls, VISITORS // 3, transport) as crowd:
        crowd.each(Visitor.arrive)
        crowd.each(Visitor.click_once)
        assert not crowd.moved()
        for visitor in crowd.visitors:
            cookies: list[Any] = list(visitor.http.cookies)  # typed as a mapping of names
            assert {"_".join(cookie.name.split("_")[:2]) for cookie in cookies} == {"htag_sid", "htag_route"}
            assert all(cookie.secure for cookie in cookies)


def test_http_leads_to_https(tls: TlsStack) -> None:
    answer = requests.get(f"{tls.plain_url}/some/where?x=1", timeout=10, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{tls.url}/some/where?x=1")
    assert "Set-Cookie" not in answer.headers


def test_the_question_of_let_s_encrypt_is_answered_over_http(tls: TlsStack) -> None:
    challenge = tls.folder / "acme/.well-known/acme-challenge/token"
    challenge.parent.mkdir(parents=True)
    challenge.write_text("answer")
    url = f"{tls.plain_url}/.well-known/acme-challenge"
    assert requests.get(f"{url}/token", timeout=10).text == "answer"
    assert requests.get(f"{url}/%2e%2e/%2e%2e/%2e%2e/key.pem", timeout=10, allow_redirects=False).status_code != 200


def test_a_browser_speaks_http_2_and_is_told_to_stay_with_https(tls: TlsStack) -> None:
    context = ssl.create_default_context(cafile=tls.trusted)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("localhost", tls.https_port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        assert connection.selected_alpn_protocol() == "h2"
        assert connection.version() == "TLSv1.3"
    answer = httpx2.get(tls.url + "/health/ready", verify=context)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_renewed_certificate_is_served_and_no_websocket_is_cut(tls: TlsStack) -> None:
    with Crowd(tls, VISITORS) as crowd:
        crowd.each(Visitor.arrive)
        before = tls.served_certificate()
        tls.make_certificate()
        renewed = (tls.folder / "certificate.pem").read_text()
        assert renewed != before
        eventually(lambda: tls.served_certificate().split() == renewed.split(), "the renewed certificate")
        time.sleep(6)  # longer than worker_shutdown_timeout, after which a reload would have cut them
        assert all(visitor.connected for visitor in crowd.visitors)
        crowd.each(Visitor.click_once)
        assert not crowd.moved()


def test_the_load_kit_goes_through_tls(tls: TlsStack, tmp_path: Path) -> None:
    command = [
        "make",
        "--assume-old=.venv/dev",
        "load",
        f"USERS={LOAD_USERS}",
        f"DURATION={LOAD_SECONDS}s",
        f"HOST={tls.url}",
    ]
    loaded = run(*command, f"OPTIONS=--json-file={tmp_path / 'load'}", env={"REQUESTS_CA_BUNDLE": str(tls.trusted)})
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    rows = json.loads((tmp_path / "load.json").read_text())
    assert {row["method"] for row in rows} == {"websocket", "sse", "http"}
    assert sum(row["num_failures"] for row in rows) == 0
