"""nginx: what the template and the hook render, and what nginx makes of it in front of a backend that tells."""

import json
import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import NamedTuple

import pytest
import requests

from headless.client import Client
from headless.errors import Refused
from tests.stack.nginx_container import IMAGE, arguments, nginx
from tests.support.engine import docker, run
from tests.support.servers import serves
from tests.support.source import ROOT
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("engine")

BACKEND = "python:3.13-slim-trixie"
PRIVATE = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"  # wherever Docker puts us, the test's own requests come from there


# what is rendered


@pytest.mark.parametrize("slots", [1, 2, 11])
def test_every_slot_is_a_server_of_a_valid_configuration(slots: int) -> None:
    done = nginx("-T", WEB_CONCURRENCY=str(slots))
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr  # a wrong order of the upstream's directives is only warned about
    servers = re.findall(r"^ +server (\S+) resolve max_fails=0;$", done.stdout, re.MULTILINE)
    # with the sticky cookie, following it, by route, and elsewhere
    assert servers == 4 * [f"app:{8001 + index}" for index in range(slots)]


def test_nothing_of_the_template_is_left_unfilled() -> None:
    assert "${" not in nginx("-T").stdout.replace("# ${…}", "")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"WEB_CONCURRENCY": "two"}, "nginx: WEB_CONCURRENCY must be a whole number from 1 up, not 'two'."),
        ({"WEB_CONCURRENCY": "0"}, "nginx: WEB_CONCURRENCY must be a whole number from 1 up, not '0'."),
        ({"NGINX_COOKIE_SECURE": "yes"}, "nginx: NGINX_COOKIE_SECURE must be on or off, not 'yes'."),
        ({"HTAG_ROOT_PATH": "demo"}, "nginx: HTAG_ROOT_PATH must be a path such as /demo, not 'demo'."),
        ({"HTAG_ROOT_PATH": "/a;b"}, "nginx: HTAG_ROOT_PATH must be a path such as /demo, not '/a;b'."),
        (
            {"HTAG_COOKIE_NAME": "a b"},
            "nginx: HTAG_COOKIE_NAME must be letters, digits, _, - and . only, not 'a b'.",
        ),
        ({"NGINX_ROUTE_COOKIE": "a-b"}, "nginx: NGINX_ROUTE_COOKIE must be letters, digits and _ only, not 'a-b'."),
        ({"NGINX_VISITOR_BURST": "many"}, "nginx: NGINX_VISITOR_BURST must be a whole number from 1 up, not 'many'."),
        (
            {"NGINX_TRUSTED_PROXIES": "10.0.0.1,lb.example"},
            "nginx: NGINX_TRUSTED_PROXIES: 'lb.example' is no address or network, and not the word gateway.",
        ),
        (
            {"HTAG_EMBEDDED": "1"},
            "nginx: HTAG_EMBEDDED=1 wants HTTPS: NGINX_TLS=on, or behind a proxy that has it NGINX_COOKIE_SECURE=on.",
        ),
        ({"HTAG_EMBEDDED": "perhaps"}, "nginx: HTAG_EMBEDDED must be 1 or 0, not 'perhaps'."),
        (
            {"NGINX_FRAME_ANCESTORS": "self; script-src *"},
            "nginx: NGINX_FRAME_ANCESTORS: 'self;' is neither self, none nor an origin such as https://intranet.example.",
        ),
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

    def raw(self, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and text for a path that is sent as it is, not tidied up."""
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        connection.request("GET", path, headers={name.replace("_", "-"): text for name, text in headers.items()})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, dict(answer.getheaders()), text

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
        eventually(lambda: serves(proxy.url + "/echo"), lambda: docker("logs", container))
        return proxy

    yield start
    docker("rm", "--force", *containers)


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


@pytest.mark.parametrize(
    ("proto", "host"),
    [
        ("https,http", "htag.example, inner.example"),
        ("https, http", "htag.example,inner.example"),
        ("HTTPS", "htag.example ,inner.example"),
    ],
)
def test_a_list_that_a_chain_of_proxies_made_is_understood(inner_proxy: Proxy, proto: str, host: str) -> None:
    told = inner_proxy.told(X_Forwarded_Proto=proto, X_Forwarded_Host=host)
    assert (told["x-forwarded-proto"], told["host"]) == ("https", "htag.example")
    told = inner_proxy.told(X_Forwarded_Proto="http,https")
    assert told["x-forwarded-proto"] == "http"


@pytest.mark.parametrize("proxies", ["127.0.0.1", "gateway", "10.9.8.7,localhost"])
def test_a_proxy_on_the_host_is_believed_although_it_arrives_as_the_gateway(
    start: Callable[..., Proxy], proxies: str
) -> None:
    proxy = start(NGINX_TRUSTED_PROXIES=proxies)  # this test runs on the host
    assert proxy.told(**FORGED)["x-forwarded-for"] == "203.0.113.9"
    proxy.get("/seen", X_Forwarded_For="203.0.113.9")
    [line] = [line for line in proxy.log() if line["path"] == "/seen"]
    assert line["client"] == "203.0.113.9"
    sentence = f"is a proxy on the host, which arrives here as {line['peer']}."
    assert sentence in docker_logs(proxy)


def docker_logs(proxy: Proxy) -> str:
    """What it says on both of its outputs."""
    done = run("docker", "logs", proxy.container)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "path", ["/api/x", "/orders?id=1", "/demo/orders", "/a%20b/c", "/metricsx", "/my-metrics", "/x.js"]
)
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_whatever_an_app_has_of_its_own_is_passed_on_as_it_came(proxy: Proxy, path: str, accept: str) -> None:
    answer = proxy.get(path, Accept=accept)
    assert (answer.status_code, answer.json()["path"]) == (200, path)


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
    assert re.fullmatch(r"htag_route_8080=[0-9a-f]{32}; httponly; samesite=lax; path=/", plain)
    assert "secure" in inner_proxy.get("/echo").headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("settings", "name", "path"),
    [
        ({"NGINX_PUBLIC_PORT": "8081"}, "htag_route_8081", "/"),
        ({"NGINX_PUBLIC_PORT": "127.0.0.1:8081"}, "htag_route_8081", "/"),
        ({"HTAG_ROOT_PATH": "/demo/v2.0/"}, "htag_route_8080_demo_v2_0", "/demo/v2.0/"),
        ({"NGINX_ROUTE_COOKIE": "mine"}, "mine", "/"),
    ],
)
def test_two_installations_on_one_host_have_two_route_cookies(settings: dict[str, str], name: str, path: str) -> None:
    assert f'    sticky cookie {name} "path={path}" httponly samesite=lax' in nginx("-T", **settings).stdout


EMBEDDED = {"HTAG_EMBEDDED": "true", "NGINX_COOKIE_SECURE": "on", "NGINX_FRAME_ANCESTORS": "https://portal.example"}


def test_in_frames_of_other_sites_each_has_a_route_cookie_of_its_own(start: Callable[..., Proxy]) -> None:
    proxy = start(**EMBEDDED)
    answer = proxy.get("/echo").headers
    flags = "httponly; secure; samesite=none; path=/; Partitioned"
    assert re.fullmatch(f"htag_route_8080=[0-9a-f]{{32}}; {flags}", answer["Set-Cookie"])
    assert answer["Content-Security-Policy"] == "frame-ancestors https://portal.example"
    text = nginx("-T", **EMBEDDED).stdout
    assert '"htag_route_8080=$told_route; path=/; httponly; samesite=none; secure; Partitioned";' in text
    assert text.count('"htag_route_8080=; path=/; max-age=0; secure; samesite=none; Partitioned";') == 2


def test_frames_that_no_other_site_may_show_are_told_at_the_start() -> None:
    done = nginx("-t", **{**EMBEDDED, "NGINX_FRAME_ANCESTORS": "self"})
    assert done.returncode == 0
    assert "HTAG_EMBEDDED=true, but NGINX_FRAME_ANCESTORS=self lets no other site show the app." in done.stderr
    assert "HTAG_EMBEDDED" not in nginx("-t", **EMBEDDED).stderr


@pytest.mark.parametrize("prefix", ["", "/demo"])
@pytest.mark.parametrize(
    "file",
    [
        "htag.js?v=1",
        "errors.js?v=1",
        "later.js?v=1",
        "logo.png",
        "favicon.ico",
        "health",
        "health/live",
        "health/ready",
    ],
)
def test_what_belongs_to_no_session_sets_no_cookie(proxy: Proxy, prefix: str, file: str) -> None:
    answer = proxy.get(f"{prefix}/{file}")
    assert answer.json()["path"] == f"{prefix}/{file}"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/ws", "/event", "/demo/", "/demo/ws", "/demo/event"])
def test_what_belongs_to_a_session_binds_it(proxy: Proxy, path: str) -> None:
    assert "htag_route" in proxy.get(path).headers["Set-Cookie"]


def test_only_pages_of_the_same_origin_may_frame_the_app_unless_it_says_otherwise(proxy: Proxy) -> None:
    assert proxy.get("/echo").headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    both = proxy.get("/own-policy").headers["Content-Security-Policy"]  # two headers, joined; each is enforced
    assert both == "default-src 'self', frame-ancestors 'self'"
    assert proxy.get("/own-framing").headers["Content-Security-Policy"] == "frame-ancestors https://own.example"
    denied = proxy.get("/own-frame-options").headers
    assert denied["X-Frame-Options"] == "DENY"
    assert "Content-Security-Policy" not in denied  # or browsers would go by ours, and let the same origin in
    assert "frame-ancestors 'self'" in proxy.get("/hang-up").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("setting", "sources"),
    [
        ("none", "'none'"),
        ("self https://intranet.example", "'self' https://intranet.example"),
        ("'self',https://*.example:8443", "'self' https://*.example:8443"),
        ("*", "*"),
    ],
)
def test_others_may_be_allowed_to_frame_the_app(setting: str, sources: str) -> None:
    assert f'"frame-ancestors {sources}"' in nginx("-T", NGINX_FRAME_ANCESTORS=setting).stdout


def test_a_worker_that_hangs_up_gives_a_page_that_tries_again(proxy: Proxy) -> None:
    answer = proxy.get("/hang-up")
    assert answer.status_code == 502
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"
    assert '<meta http-equiv="refresh"' in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Htag-Limit" not in answer.headers


PAGES = ("/", "//", "/?x", "/%2e/", "/demo/", "/demo//", "/demo/?x", "/orders", "/shop/", "/%0d/")
NOT_PAGES = ("/ws", "/event", "/htag.js", "/health", "/demo/ws", "/demo/event", "/demo/htag.js", "/demo/health")


@pytest.fixture(scope="module")
def strict_proxy(start: Callable[..., Proxy]) -> Proxy:
    """One page a minute, and it has been had."""
    proxy = start(NGINX_VISITOR_RATE="1r/m", NGINX_VISITOR_BURST="1", HTAG_ROOT_PATH="/demo")
    while proxy.get("/").status_code == 200:
        pass
    return proxy


@pytest.mark.parametrize("cookie", ["", "htag_sid=made-up", "htag_sid_8080=x; htag_route_8080=y"])
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_outside_the_limit(strict_proxy: Proxy, path: str, cookie: str, accept: str) -> None:
    status, headers, body = strict_proxy.raw(path, Cookie=cookie, Accept=accept)
    if path == "/%0d/":
        assert status == 404
        return
    assert status == 429
    assert headers["X-Htag-Limit"] == "pages"
    assert int(headers["Retry-After"]) > 0
    assert '<meta http-equiv="refresh"' in body


def test_only_pages_are_limited(strict_proxy: Proxy) -> None:
    assert {path: strict_proxy.raw(path)[0] for path in NOT_PAGES} == dict.fromkeys(NOT_PAGES, 200)


def test_an_office_of_five_hundred_may_reload_twice_at_once(start: Callable[..., Proxy]) -> None:
    proxy = start()
    with ThreadPoolExecutor(20) as people:
        answers = Counter(people.map(lambda _: proxy.raw("/")[0], range(1000)))
    assert answers == {200: 1000}


def test_one_address_cannot_take_all_connections(start: Callable[..., Proxy]) -> None:
    proxy = start(NGINX_CONNECTIONS_PER_ADDRESS="1")
    with the_only_connection(proxy):
        answer = proxy.get("/echo")
    assert (answer.status_code, answer.headers["X-Htag-Limit"]) == (429, "connections")


def test_the_load_kit_names_the_limit_that_it_met(strict_proxy: Proxy, start: Callable[..., Proxy]) -> None:
    with pytest.raises(Refused, match=r"429: nginx's limit on pages from one address \(NGINX_VISITOR_RATE"):
        Client(strict_proxy.url).open()
    proxy = start(NGINX_CONNECTIONS_PER_ADDRESS="1")
    sentence = r"the WebSocket .* 429: nginx's limit on connections from one address"
    with the_only_connection(proxy), pytest.raises(Refused, match=sentence):
        Client(proxy.url).connect()


@contextmanager
def the_only_connection(proxy: Proxy) -> Iterator[None]:
    """A stream that is open, where an address may have one: those that asked whether nginx is up may count a moment."""
    deadline = time.monotonic() + 10
    while True:
        with requests.get(proxy.url + "/stream", stream=True, timeout=10) as answer:
            if answer.status_code == 200:
                yield
                return
        assert time.monotonic() < deadline, "every connection was refused"
        time.sleep(0.1)


def test_nothing_that_was_typed_is_in_any_log(start: Callable[..., Proxy]) -> None:
    proxy = start(NGINX_VISITOR_RATE="1r/m", NGINX_VISITOR_BURST="3", NGINX_MAX_BODY="1k")
    for path in ("/hang-up", "/bad-header", "/", "/", "/", "/", "/"):
        proxy.get(f"{path}?q=TYPED", Referer=f"{proxy.url}/?q=TYPED")
    requests.post(f"{proxy.url}/event?q=TYPED", b"x" * 5000, timeout=10)
    proxy.raw("/?q=TYPED", Host="not a host")
    proxy.raw("/?q=TYPED", Padding="x" * 50_000)
    said = docker_logs(proxy)
    assert {line["status"] for line in proxy.log()} >= {502, 200, 429, 413}  # so it is told, but not with these words
    assert "TYPED" not in said
    assert "start worker process" in said  # what nginx says about itself is still there


def test_the_access_log_tells_much_and_nothing_private(proxy: Proxy) -> None:
    mark = uuid.uuid4().hex
    proxy.get(f"/{mark}?token=SECRET", Cookie="htag_sid=SECRET; htag_route_8080=abc", Referer=f"{proxy.url}/?SECRET")
    [line] = [line for line in proxy.log() if line["path"] == f"/{mark}"]
    assert "SECRET" not in json.dumps(line)
    assert (line["status"], line["route"], line["upstream_status"]) == (200, "abc", "200")
    assert str(line["upstream"]).endswith(":8001")
    assert isinstance(line["seconds"], float)
    assert line["request_id"]


def test_an_upgrade_is_logged_as_one(proxy: Proxy) -> None:
    proxy.get("/ws", Connection="Upgrade", Upgrade="websocket")
    assert [line for line in proxy.log() if line["path"] == "/ws"][-1]["upgrade"] == "websocket"
