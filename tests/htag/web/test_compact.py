"""The client script as it is served: shorter, and to the letter the same program."""

import re
from importlib.resources import files

import pytest

from htag.web.compact import compact
from htag.web.page import CLIENT_PARTS, asset


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("{\n    a();\n\n\n  b();\n}\n", "{\na();\nb();\n}\n"),
        ("a(); // why\n// more\n  // and more\nb();", "a();\nb();\n"),
        ("/* kept\n   as it is */\n  a();", "/* kept\n   as it is */\na();\n"),
        ("let a = 1\n  ++b", "let a = 1\n++b\n"),  # the line break ends a statement
        ("a('  // no comment');", "a('  // no comment');\n"),
        ('a("\\"  // still none");', 'a("\\"  // still none");\n'),
        ("a('it\\'s'); // `\n  b();", "a('it\\'s');\nb();\n"),
        ("a = `x\n    y\n\n  z`;\n    b();", "a = `x\n    y\n\n  z`;\nb();\n"),
        (
            "a = `x // no comment\n  ${b({\n    c: 1, // one\n  })}\n  y`;",
            "a = `x // no comment\n  ${b({\nc: 1,\n})}\n  y`;\n",
        ),
        ("a = `${b ? `in\n  ner` : '}'}\n  out`;\n  c();", "a = `${b ? `in\n  ner` : '}'}\n  out`;\nc();\n"),
        ("a = `\\`\n  \\${ $ {\n  `;\n  b();", "a = `\\`\n  \\${ $ {\n  `;\nb();\n"),
        ("a = `\n    ${b} `,\n    c = `\n    d`;", "a = `\n    ${b} `,\nc = `\n    d`;\n"),
        ("return /[`'\"/]/.test(a)\n  b()", "return /[`'\"/]/.test(a)\nb()\n"),
        ("a.split(/\\/ `/)\n  b()", "a.split(/\\/ `/)\nb()\n"),
        ("a = b / c / '`'\n  d", "a = b / c / '`'\nd\n"),
        ("a = (b) / c\n  d = `\n  /`", "a = (b) / c\nd = `\n  /`\n"),
        ("fetch('https://host/x') // gone", "fetch('https://host/x')\n"),
    ],
)
def test_only_what_is_for_readers_goes(script: str, expected: str) -> None:
    assert compact(script) == expected
    assert compact(expected) == expected


def test_a_template_without_an_end_is_no_script() -> None:
    with pytest.raises(AssertionError, match="template"):
        compact("a = `b")


@pytest.mark.parametrize("name", [*CLIENT_PARTS, "errors.js", "pyscript.js", "no_websocket.js", "no_event_stream.js"])
def test_no_sign_of_the_program_is_lost(name: str) -> None:
    text = (files("htag.client") / name).read_text("utf-8")
    code = re.sub(r"^\s*//.*\n?| // .*$", "", text, flags=re.MULTILINE)
    assert "".join(compact(text).split()) == "".join(code.split())


def test_texts_over_several_lines_stay_as_they_are() -> None:
    text = (files("htag.client") / "errors.js").read_text("utf-8")
    (style,) = re.findall(r"= `\n[^`$]*`", text)
    assert style in compact(text)


def test_the_client_script_has_no_line_for_readers() -> None:
    lines = asset("htag.js").decode().splitlines()
    assert [line for line in lines if not line or line.startswith("//")] == []
