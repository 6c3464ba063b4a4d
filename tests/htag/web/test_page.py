"""The document of a first load says what it must, and nothing that was put into it breaks out."""

import hashlib
import re

import pytest

from headless.document import parse
from htag import Tag, WebApp
from htag.tree.live import live_tree
from htag.tree.renders import Page
from htag.web.page import SCRIPTS, asset, document, notice, script_name

NONCE = "n" * 22
PAGE = Page('<body id="body-1">text</body>', ["<style>a {}</style>", "<script>b()</script>"], None)


def made(page: Page = PAGE, **options: object) -> str:
    return document(page, **{"title": "App", "csrf": "c" * 32, "revision": 7, "nonce": NONCE, **options})  # type: ignore[arg-type]  # options of any kind


def test_the_document_has_everything_in_its_place() -> None:
    text = made()
    order = [
        "<!DOCTYPE html><html><head><meta charset",
        "<title>App</title>",
        "viewport",
        'rel="icon"',
        "window.HTAG_RELOAD = false",
        "window.PARANO = null",
        f'window.HTAG_CSRF = "{"c" * 32}"',
        "window.HTAG_REVISION = 7",
        f'src="{script_name()}"',
        f'<style>a {{}}</style><script nonce="{NONCE}">b()</script></head>',
        PAGE.body,
        "</html>",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_what_the_page_is_told_stands_in_its_script() -> None:
    text = made(parano="0123456789abcdef", reload=True, debug=True, limit=2048)
    assert "window.HTAG_DEBUG = true;" in text
    assert "window.HTAG_LIMIT = 2048;" in text
    assert 'window.PARANO = "0123456789abcdef";' in text
    assert "window.HTAG_RELOAD = true;" in text


def test_a_page_has_the_language_of_its_app_s_body() -> None:
    app = Tag.App(_lang="fr")
    assert '<html lang="fr"><head>' in made(live_tree(app).render_page())
    app["lang"] = '"><script>evil()</script>'
    assert '<html lang="&quot;&gt;&lt;script&gt;evil()' in made(live_tree(app).render_page())
    app["lang"] = None
    assert "<html><head>" in made(live_tree(app).render_page())


@pytest.mark.parametrize("mode", ["", "http"])
def test_each_script_of_the_page_carries_its_nonce_and_the_body_is_as_it_was(mode: str) -> None:
    body = '<body><script id="own">b()</script><p title="&lt;script&gt;">&lt;script&gt;</p></body>'
    text = made(PAGE._replace(body=body), mode=mode)
    head, found = text.split("</head>")
    assert found == f"{body}</html>"
    starts = re.findall("<script[^>]*>", head)
    assert len(starts) == (3 if not mode else 5)
    assert all(f' nonce="{NONCE}"' in start for start in starts)


@pytest.mark.parametrize("own", [True, False])
def test_a_title_cannot_break_out(own: bool) -> None:
    evil = "</title><script>evil()</script>&"
    text = made(PAGE._replace(title=evil)) if own else made(title=evil)
    assert "<script>evil" not in text
    assert "<title>&lt;/title&gt;&lt;script&gt;evil()&lt;/script&gt;&amp;</title>" in text


def test_a_title_of_the_page_comes_before_the_name_of_the_app_even_if_it_is_empty() -> None:
    assert "<title>Mine</title>" in made(PAGE._replace(title="Mine"))
    assert "<title></title>" in made(PAGE._replace(title=""))


@pytest.mark.parametrize(
    ("mode", "pretends"),
    [
        ("", (False, False)),
        ("ws", (False, False)),
        ("sse", (True, False)),
        ("http", (True, True)),
        ("HTTP", (False, False)),
        ("../page.py", (False, False)),
        ("<script>", (False, False)),
    ],
)
def test_the_mode_makes_a_browser_pretend_that_it_can_do_no_better(mode: str, pretends: tuple[bool, bool]) -> None:
    text = made(mode=mode)
    before = text[: text.index("window.HTAG_RELOAD")]  # else the client would connect before it is told
    assert ("WebSocket" in before, "EventSource" in before) == pretends
    if mode.startswith("<"):
        assert mode + "<" not in text


def test_the_page_says_how_long_what_is_typed_waits() -> None:
    assert made(input_delay=250).startswith('<!DOCTYPE html><html data-htag-debounce="250"><head>')
    assert "debounce" not in made()


def test_the_name_of_the_script_changes_with_its_content() -> None:
    content = asset("htag.js") + asset("errors.js") + asset("later.js")
    assert script_name() == f"htag.js?v={hashlib.sha256(content).hexdigest()[:12]}"


def test_no_visitor_waits_until_the_scripts_are_made() -> None:
    for cached in (asset, script_name):
        cached.cache_clear()
    WebApp(Tag.App)
    made_at_the_start = asset.cache_info().misses
    script_name()
    assert asset.cache_info().misses == made_at_the_start == len(SCRIPTS)


def test_a_notice_says_what_it_is_told_and_tries_again_only_when_asked() -> None:
    page = parse(notice("Busy & full", "<b>Later</b>", retry=7))
    assert page.one("h1").text == "Busy & full"
    assert page.one("p").text == "<b>Later</b>"
    assert 'http-equiv="refresh" content="7"' in notice("a", "b", retry=7)
    assert "refresh" not in notice("a", "b")
