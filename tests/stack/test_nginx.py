"""nginx: what the template and the hook render, and what nginx makes of it in front of a backend that tells."""

import json
import re
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
import requests

from tests.stack.engine import ROOT, docker, run

pytestmark = pytest.mark.usefixtures("engine")

IMAGE = "nginxinc/nginx-unprivileged:1.30"
BACKEND = "python:3.13-slim-trixie"
FILES = {
    "nginx/nginx.conf": "/etc/nginx/nginx.conf",
    "nginx/templates": "/etc/nginx/templates",
    "nginx/pages": "/etc/nginx/pages",
    "nginx/15-htag.envsh": "/docker-entrypoint.d/15-htag.envsh",
}
HARDENED = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
PRIVATE = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"  # wherever Docker puts us, the test's own requests come from there


def arguments(**settings: str) -> list[str]:
    """`docker run` arguments: the files mounted, the settings in the environment, locked down as in Compose."""
    mounts = [f"--volume={ROOT / source}:{target}:ro" for source, target in FILES.items()]
    return [*HARDENED, *mounts, *(f"--env={name}={value}" for name, value in settings.items())]


def nginx(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return run("docker", "run", "--rm", *arguments(**settings), IMAGE, "nginx", *command)


# what is rendered


@pytest.mark.parametrize("slots", [1, 2, 11])
def test_every_slot_is_a_server_of_a_valid_configuration(slots: int) -> None:
    done = nginx("-T", WEB_CONCURRENCY=str(slots))
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr  # a wrong order of the upstream's directives is only warned about
    servers = re.findall(r"^ +server (\S+) resolve max_fails=0;$", done.stdout, re.MULTILINE)
    assert servers == [f"app:{8001 + index}" for index in range(slots)]


def test_nothing_of_the_template_is_left_unfilled() -> None:
    assert "${" not in nginx("-T").stdout.replace("# ${…}", "")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"WEB_CONCURRENCY": "two"}, "nginx: WEB_CONCURRENCY must be a whole number from 1 up, not 'two'."),
        ({"WEB_CONCURRENCY": "0"}, "nginx: WEB_CONCURRENCY must be a whole number from 1 up, not '0'."),
        ({"NGINX_COOKIE_SECURE": "yes"}, "nginx: NGINX_COOKIE_SECURE must be on or off, not 'yes'."),
    ],
)
def test_a_bad_setting_ends_the_start_with_one_sentence(settings: dict[str, str], sentence: str) -> None:
    done = nginx("-t", **settings)
    assert done.returncode == 1
    assert done.stderr.strip() == sentence


# what it does


class Proxy(NamedTuple):
    """A running nginx in front of the echo backend."""

    container: str
    url: str

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(
            self.url + path, headers={name.replace("_", "-"): text for name, text in headers.items()}, timeout=10
        )

    def told(self, path: str = "/echo", **headers: str) -> dict[str, str]:
        """The headers that reached the backend."""
        received: dict[str, str] = self.get(path, **headers).json()["headers"]
        return received

    def log(self) -> list[dict[str, object]]:
        """The access log so far."""
        lines = docker("logs", self.container).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture(scope="module")
def network(engine: None) -> Iterator[str]:
    """A network with the echo backend, named `app`."""
    name = f"htag-nginx-{uuid.uuid4().hex[:8]}"
    docker("network", "create", name)
    backend = docker(
        "run", "--detach", "--rm", "--network", name, "--network-alias", "app",
        f"--volume={ROOT / 'tests/stack/echo.py'}:/echo.py:ro", BACKEND, "python", "/echo.py",
    ).strip()  # fmt: skip
    yield name
    docker("rm", "--force", backend)
    docker("network", "rm", name)


@pytest.fixture(scope="module")
def start(network: str) -> Iterator[Callable[..., Proxy]]:
    containers: list[str] = []

    def start(**settings: str) -> Proxy:
        container = docker(
            "run", "--detach", "--network", network, "--publish", "127.0.0.1::8080",
            *arguments(WEB_CONCURRENCY="1", **settings), IMAGE,
        ).strip()  # fmt: skip
        containers.append(container)
        proxy = Proxy(container, "http://" + docker("port", container, "8080").strip())
        _wait_until_it_serves(proxy)
        return proxy

    yield start
    docker("rm", "--force", *containers)


def _wait_until_it_serves(proxy: Proxy) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if proxy.get("/echo").status_code == 200:
                return
        except requests.ConnectionError:
            pass  # not listening yet
        time.sleep(0.1)
    pytest.fail(docker("logs", proxy.container))


@pytest.fixture(scope="module")
def proxy(start: Callable[..., Proxy]) -> Proxy:
    """As it comes: nobody is trusted."""
    return start()


@pytest.fixture(scope="module")
def inner_proxy(start: Callable[..., Proxy]) -> Proxy:
    """Behind another proxy, which is trusted and speaks TLS."""
    return start(NGINX_TRUSTED_PROXIES=PRIVATE, NGINX_COOKIE_SECURE="on")


FORGED = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https", "X_Forwarded_Host": "htag.example"}


def test_a_visitor_cannot_choose_its_address_scheme_or_host(proxy: Proxy) -> None:
    told = proxy.told(**FORGED, Forwarded="for=203.0.113.9;proto=https", X_Real_IP="203.0.113.9")
    host = proxy.url.removeprefix("http://")
    assert (told["host"], told["x-forwarded-host"], told["x-forwarded-proto"]) == (host, host, "http")
    assert told["x-forwarded-for"] == told["x-real-ip"] != "203.0.113.9"
    assert "forwarded" not in told


def test_a_trusted_proxy_is_believed(inner_proxy: Proxy) -> None:
    told = inner_proxy.told(**FORGED)
    assert (told["host"], told["x-forwarded-host"], told["x-forwarded-proto"]) == (
        "htag.example",
        "htag.example",
        "https",
    )
    assert told["x-forwarded-for"] == "203.0.113.9"


def test_behind_a_trusted_proxy_the_visitor_s_own_claim_is_still_not_believed(inner_proxy: Proxy) -> None:
    assert inner_proxy.told(X_Forwarded_For="198.51.100.1, 203.0.113.9")["x-forwarded-for"] == "203.0.113.9"


def test_only_a_websocket_is_an_upgrade(proxy: Proxy) -> None:
    told = proxy.told(Connection="Upgrade, HTTP2-Settings", Upgrade="h2c", HTTP2_Settings="AAMAAABkAAQCAAAAAAIAAAAA")
    assert "upgrade" not in told
    assert told["connection"] == "close"
    told = proxy.told(Connection="Upgrade", Upgrade="WebSocket")
    assert (told["upgrade"], told["connection"]) == ("websocket", "upgrade")


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/a/../metrics", "/metrics?x=1"])
def test_metrics_are_not_public(proxy: Proxy, path: str) -> None:
    request = requests.Request("GET", proxy.url).prepare()
    request.url = proxy.url + path  # as it is, not tidied up
    with requests.Session() as session:
        answer = session.send(request, timeout=10)
    assert answer.status_code == 404
    assert "headers" not in answer.text


def test_a_stream_is_not_held_back(proxy: Proxy) -> None:
    with requests.get(proxy.url + "/stream", stream=True, timeout=10) as stream:
        lines = stream.iter_lines()
        assert next(lines) == b"data: first"  # while the backend still waits
        proxy.get("/release")
        assert b"data: last" in lines
        assert "Content-Encoding" not in stream.headers


def test_text_is_compressed(proxy: Proxy) -> None:
    answer = proxy.get("/echo", Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers.get("Content-Length", 0)) < 1000
    assert answer.json()["padding"] == "x" * 2000


def test_a_large_body_is_refused(proxy: Proxy) -> None:
    assert requests.post(proxy.url + "/echo", b"x" * (1 << 20), timeout=10).status_code == 200
    assert requests.post(proxy.url + "/echo", b"x" * (3 << 20), timeout=10).status_code == 413


def test_security_headers_are_added_unless_the_app_says_otherwise(proxy: Proxy) -> None:
    ours = proxy.get("/echo").headers
    assert (ours["X-Content-Type-Options"], ours["Referrer-Policy"]) == ("nosniff", "same-origin")
    theirs = proxy.get("/own-headers").headers  # requests joins a header that comes twice with a comma
    assert (theirs["X-Content-Type-Options"], theirs["Referrer-Policy"]) == ("nosniff", "no-referrer")
    assert ours["Server"] == "nginx"


def test_strict_transport_security_is_said_only_over_tls(proxy: Proxy, inner_proxy: Proxy) -> None:
    assert "Strict-Transport-Security" not in proxy.get("/echo").headers
    assert "max-age=" in inner_proxy.get("/echo", X_Forwarded_Proto="https").headers["Strict-Transport-Security"]


def test_the_route_cookie_is_out_of_reach_for_scripts(proxy: Proxy, inner_proxy: Proxy) -> None:
    plain = proxy.get("/echo").headers["Set-Cookie"]
    assert re.fullmatch(r"htag_route=[0-9a-f]{32}; httponly; samesite=lax; path=/", plain)
    assert "secure" in inner_proxy.get("/echo").headers["Set-Cookie"]


def test_a_worker_that_hangs_up_gives_a_page_that_tries_again(proxy: Proxy) -> None:
    answer = proxy.get("/hang-up")
    assert answer.status_code == 502
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"
    assert '<meta http-equiv="refresh"' in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_too_many_newcomers_wait_and_people_with_a_session_do_not(start: Callable[..., Proxy]) -> None:
    proxy = start(NGINX_VISITOR_RATE="1r/m", NGINX_VISITOR_BURST="5")
    answers = [proxy.get("/") for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert '<meta http-equiv="refresh"' in answers[-1].text
    assert {proxy.get("/", Cookie="htag_sid=mine").status_code for _ in range(8)} == {200}
    assert proxy.get("/echo").status_code == 200  # only pages cost a session


def test_one_address_cannot_take_all_connections(start: Callable[..., Proxy]) -> None:
    proxy = start(NGINX_CONNECTIONS_PER_ADDRESS="1")
    with requests.get(proxy.url + "/stream", stream=True, timeout=10):
        assert proxy.get("/echo").status_code == 429


def test_the_access_log_tells_much_and_nothing_private(proxy: Proxy) -> None:
    mark = uuid.uuid4().hex
    proxy.get(f"/{mark}?token=SECRET", Cookie="htag_sid=SECRET; htag_route=abc", Referer=f"{proxy.url}/?SECRET")
    [line] = [line for line in proxy.log() if line["path"] == f"/{mark}"]
    assert "SECRET" not in json.dumps(line)
    assert (line["status"], line["route"], line["upstream_status"]) == (200, "abc", "200")
    assert str(line["upstream"]).endswith(":8001")
    assert isinstance(line["seconds"], float)
    assert line["request_id"]


def test_an_upgrade_is_logged_as_one(proxy: Proxy) -> None:
    proxy.get("/ws", Connection="Upgrade", Upgrade="websocket")
    [line] = [line for line in proxy.log() if line["path"] == "/ws"]
    assert line["upgrade"] == "websocket"
