"""The Content-Security-Policy: which header each choice makes, and which choices are refused."""

import base64
import hashlib
import re

import pytest
from starlette.testclient import TestClient

from htag import HTML, Tag, WebApp
from htag.web.answers import busy
from htag.web.policy import ContentPolicy, new_nonce
from tests.support.source import ROOT

HEADER = "content-security-policy"


class Page(Tag.App):
    """An app with statics of each kind."""

    statics = ("<script>one()</script>", "<style>a {}</style>")


def directives(policy: str) -> dict[str, list[str]]:
    """Return the sources of each directive."""
    return {name: sources for name, *sources in (part.split() for part in policy.split(";"))}


def test_by_default_only_scripts_of_the_page_run_and_what_is_passive_loads_from_anywhere() -> None:
    policy = directives(ContentPolicy("default").text("abc"))
    assert policy == {
        "script-src": ["'nonce-abc'", "'strict-dynamic'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
    }
    assert ContentPolicy(" Default ").text("abc") == ContentPolicy("default").text("abc")


def test_strict_closes_all_else_to_other_origins() -> None:
    policy = directives(ContentPolicy("strict").text("abc"))
    assert policy["default-src"] == ["'self'"]
    assert policy["script-src"] == ["'nonce-abc'", "'strict-dynamic'"]
    assert not [source for sources in policy.values() for source in sources if "*" in source or "http" in source]


@pytest.mark.parametrize("choice", ["default", "strict"])
def test_no_policy_of_ours_lets_text_become_a_script(choice: str) -> None:
    header = ContentPolicy(choice).text("abc")
    assert "unsafe-eval" not in header
    assert "'unsafe-inline'" not in directives(header)["script-src"]


def test_off_is_no_header() -> None:
    assert ContentPolicy("off").text("abc") == ""


@pytest.mark.parametrize(
    ("own", "header"),
    [
        ("script-src 'nonce-{nonce}' 'unsafe-eval'", "script-src 'nonce-abc' 'unsafe-eval'"),
        ("default-src 'self';\n  script-src 'nonce-{nonce}'", "default-src 'self'; script-src 'nonce-abc'"),
        ("img-src 'self'", "img-src 'self'"),  # rules no scripts
        ("script-src 'self' 'unsafe-inline'", "script-src 'self' 'unsafe-inline'"),
        ("default-src 'none'; script-src-elem 'nonce-{nonce}'", "default-src 'none'; script-src-elem 'nonce-abc'"),
    ],
)
def test_a_policy_of_ones_own_gets_the_nonce(own: str, header: str) -> None:
    assert ContentPolicy(own).text("abc") == header


@pytest.mark.parametrize(
    ("own", "why"),
    [
        ("script-src 'self'", "nonce-{nonce}"),
        ("default-src 'self'; img-src *", "nonce-{nonce}"),
        ("script-src 'nonce-{nonce}'; script-src-elem 'self'", "nonce-{nonce}"),
        ("script-src 'self'; script-src 'nonce-{nonce}'", "nonce-{nonce}"),  # browsers go by the first
        ("none", "not 'none'"),
        ("stric", "not 'stric'"),
        ("img-src 'self' “x”", "ASCII"),
    ],
)
def test_a_policy_under_which_the_page_would_not_run_is_refused(own: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        ContentPolicy(own)


def test_a_line_break_makes_no_second_header() -> None:
    assert "\n" not in ContentPolicy("img-src 'self'\r\nset-cookie: a=b").text("abc")


def test_each_page_has_a_nonce_of_its_own_in_the_header_and_in_its_scripts() -> None:
    seen = set()
    with TestClient(WebApp(Page, csp="default").app) as client:
        for _ in range(3):
            answer = client.get("/")
            found = re.search("'nonce-([^']+)'", answer.headers[HEADER])
            assert found
            assert set(re.findall(r'<script\b[^>]* nonce="([^"]*)"', answer.text)) == {found[1]}
            assert answer.text.count("<script") == answer.text.count(" nonce=") == 3
            assert answer.headers["cache-control"] == "no-store"
            seen.add(found[1])
    assert len(seen) == 3


class Scripts(Tag.App):
    """Scripts in the tree, and what only looks like one."""

    def init(self) -> None:
        self <= Tag.script("one()")
        self <= Tag.script("two()", _id="own")
        self <= Tag.script("three()", _nonce="author's")
        self <= Tag.p("<script>shown()</script>", _title="<script>")
        self <= HTML("<script>raw()</script>")


def test_scripts_of_the_tree_carry_the_nonce_and_raw_html_does_not() -> None:
    with TestClient(WebApp(Scripts, csp="default").app) as client:
        answer = client.get("/")
    found = re.search("'nonce-([^']+)'", answer.headers[HEADER])
    assert found
    body = answer.text.split("</head>")[1]
    scripts = re.findall(r"<script([^>]*)>(\w+)\(\)</script>", body)
    nonces = {name: re.findall(' nonce="([^"]*)"', attributes) for attributes, name in scripts}
    assert nonces == {"one": [found[1]], "two": [found[1]], "three": ["author&#x27;s"], "raw": []}


def test_nonces_are_random_and_stand_for_themselves_in_a_header_and_in_an_attribute() -> None:
    nonces = {new_nonce() for _ in range(1000)}
    assert len(nonces) == 1000
    assert all(re.fullmatch("[A-Za-z0-9_-]{22}", nonce) for nonce in nonces)


def hash_of(page: str) -> str:
    """Return what a policy says of the only script of `page`."""
    (script,) = re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    return f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}';"


@pytest.mark.parametrize("reason", ["sessions", "rate"])
def test_a_page_that_stands_in_for_the_app_may_run_its_own_script_only(reason: str) -> None:
    answer = busy(reason)
    policy = answer.headers[HEADER]
    assert policy.startswith("default-src 'none'; ")
    assert hash_of(bytes(answer.body).decode()) in policy
    assert "connect-src 'self';" in policy  # by which it asks for the page


@pytest.mark.parametrize("debug", [True, False])
def test_a_page_that_says_what_failed_has_a_policy(debug: bool) -> None:
    class Broken(Tag.App):
        def init(self) -> None:
            raise RuntimeError("<script>alert(1)</script>")

    with TestClient(WebApp(Broken, debug=debug, csp="off").app) as client:
        answer = client.get("/")
    assert answer.status_code == 500
    assert answer.headers[HEADER].startswith("default-src 'none'; ")


def test_the_proxy_lets_the_script_of_its_own_page_run() -> None:
    page = (ROOT / "nginx/pages/again.html").read_text()
    assert hash_of(page) in (ROOT / "nginx/templates/htag.conf.template").read_text()


@pytest.mark.parametrize("path", ["/htag.js", "/logo.png", "/nothing"])
def test_what_is_no_page_has_no_policy(path: str) -> None:
    with TestClient(WebApp(Page, csp="default").app) as client:
        assert HEADER not in client.get(path).headers
