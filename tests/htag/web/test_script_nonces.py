"""Where a nonce comes into a static: into the start tags of its scripts, and nowhere else."""

import pytest

from htag.web.script_nonces import with_nonce

N = ' nonce="abc"'


@pytest.mark.parametrize(
    ("static", "expected"),
    [
        ("<script>a()</script>", f"<script{N}>a()</script>"),
        ('<script src="/x.js"></script>', f'<script{N} src="/x.js"></script>'),
        ("<SCRIPT\n  defer\n>a()</SCRIPT>", f"<SCRIPT{N}\n  defer\n>a()</SCRIPT>"),
        ('<link rel="x">\n\n  <script>a()</script>', f'<link rel="x">\n\n  <script{N}>a()</script>'),
        ("<script>a</script><script>b</script>", f"<script{N}>a</script><script{N}>b</script>"),
        ('<script type="module">a()</script>', f'<script{N} type="module">a()</script>'),
        ("<script src=x.js/>", f"<script{N} src=x.js/>"),
    ],
)
def test_scripts_get_it(static: str, expected: str) -> None:
    assert with_nonce(static, "abc") == expected


@pytest.mark.parametrize(
    "static",
    [
        "<style>a { content: '<script>' }</style>",
        "<!-- <script>a()</script> -->",
        '<meta content="<script>a()</script>">',
        "<scripted>a</scripted>",
        '<script nonce="own">a()</script>',
        "&lt;script&gt;",
        "<style>p {}</style>",
        "",
        "<scr",
    ],
)
def test_what_is_no_script_is_left_as_it_is(static: str) -> None:
    assert with_nonce(static, "abc") == static


def test_a_script_in_the_text_of_a_script_is_none() -> None:
    assert with_nonce("<script>w('<script>')</script>", "abc") == f"<script{N}>w('<script>')</script>"
