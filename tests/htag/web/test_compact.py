"""The client script as it is served: shorter, and to the letter the same program."""

import re
from importlib.resources import files

import pytest

from htag.web.compact import compact
from htag.web.page import CLIENT_PARTS, LATER_PARTS, SCRIPTS, asset

ALONE = ("errors.js", "retry.js", "pyscript.js", "no_websocket.js", "no_event_stream.js")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("{\n    a();\n\n\n  b();\n}\n", "{a();b();}\n"),
        ("a(); // why\n// more\n  // and more\nb();", "a();b();\n"),
        ("/* what\n   this is */\n  a(); /* more */ b()", "a();b()\n"),
        ("let a = 1\n  ++b", "let a=1\n++b\n"),  # the line break ends a statement
        ("a++\nb", "a++\nb\n"),
        ("a = () => {}\n  b()", "a=()=>{}\nb()\n"),
        ("return\n  a", "return\na\n"),
        ("return // why\n  a", "return\na\n"),
        ("a /* \n */ b", "a\nb\n"),
        ("a\n[b]\n(c)\n`d`", "a\n[b]\n(c)\n`d`\n"),
        ("class A {\n  b\n  *c() {}\n  d = 1\n  static e\n}", "class A{b\n*c(){}\nd=1\nstatic e}\n"),
        ("a\n  .b()\n  ?.c(d,\n    e)\n  ? f\n  : g", "a.b()?.c(d,e)?f:g\n"),
        ("a &&\n  b ||\n  c", "a&&b||c\n"),
        ("a\n  && b\n  || c\n  ?? d", "a&&b||c??d\n"),
        ("a = {\n  ...b,\n  c,\n}", "a={...b,c,}\n"),
        ("a + +b - -c - --d + e++ + f", "a+ +b- -c- --d+e++ +f\n"),
        ("a +\n  +b", "a+ +b\n"),
        ("a < !--b && c-- > 0", "a< !--b&&c-->0\n"),
        ("1 .toFixed() + 1.5 + .5 + 1.", "1 .toFixed()+1.5+.5+1.\n"),
        ("a\n.5.toFixed()", "a\n.5.toFixed()\n"),
        ("a ? .5 : b", "a?.5:b\n"),
        ("for (const a of b) if (a in c) typeof a", "for(const a of b)if(a in c)typeof a\n"),
        ("case 'a': return 'b' in c", "case'a':return'b'in c\n"),
        ("a /* in */ b", "a b\n"),
        ("a('  // no comment');", "a('  // no comment');\n"),
        ('a("\\"  // still none");', 'a("\\"  // still none");\n'),
        ("a('it\\'s'); // `\n  b();", "a('it\\'s');b();\n"),
        ("a = `x\n    y\n\n  z`;\n    b();", "a=`x\n    y\n\n  z`;b();\n"),
        (
            "a = `x // no comment\n  ${ b({\n    c: 1, // one\n  }) }\n  y`;",
            "a=`x // no comment\n  ${b({c:1,})}\n  y`;\n",
        ),
        ("a = `${b ? `in\n  ner` : '}'}\n  out`;\n  c();", "a=`${b?`in\n  ner`:'}'}\n  out`;c();\n"),
        ("a = `\\`\n  \\${ $ {\n  `;\n  b();", "a=`\\`\n  \\${ $ {\n  `;b();\n"),
        ("a = `\n    ${b} `,\n    c = `\n    d`;", "a=`\n    ${b} `,c=`\n    d`;\n"),
        ("a = `${b} / ${c}` / d / `e`", "a=`${b} / ${c}`/d/`e`\n"),
        ("return /[`'\"/]/.test(a)\n  b()", "return/[`'\"/]/.test(a)\nb()\n"),
        ("a.split(/\\/ `/)\n  b()", "a.split(/\\/ `/)\nb()\n"),
        ("/a  b/g in c / /d/ in e", "/a  b/g in c/ /d/ in e\n"),
        ("a = b / c / '`'\n  d", "a=b/c/'`'\nd\n"),
        ("a = (b) / c\n  d = `\n  /`", "a=(b)/c\nd=`\n  /`\n"),
        ("a++ / b / c[0] / 'd  e'", "a++/b/c[0]/'d  e'\n"),
        ("fetch('https://host/x') // gone", "fetch('https://host/x')\n"),
        ("größe  =  ' ä  '", "größe=' ä  '\n"),
    ],
)
def test_only_what_is_for_readers_goes(script: str, expected: str) -> None:
    assert compact(script) == expected
    assert compact(expected) == expected


def test_a_template_without_an_end_is_no_script() -> None:
    with pytest.raises(AssertionError, match="template"):
        compact("a = `b")


@pytest.mark.parametrize("name", [*CLIENT_PARTS, *LATER_PARTS, *ALONE])
def test_no_sign_of_the_program_is_lost(name: str) -> None:
    text = (files("htag.client") / name).read_text("utf-8")
    code = re.sub(r"^\s*//.*\n?| // .*$|/\*[^/]*\*/", "", text, flags=re.MULTILINE)
    assert "".join(compact(text).split()) == "".join(code.split())


def test_texts_over_several_lines_stay_as_they_are() -> None:
    text = (files("htag.client") / "errors.js").read_text("utf-8")
    (style,) = re.findall(r"`\n[^`$]*`", text)
    assert style in compact(text)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_word_is_joined_to_another_one(name: str) -> None:
    """Where there is a word in what is served, there is one in the parts as well."""
    parts = {"htag.js": CLIENT_PARTS, "later.js": LATER_PARTS}.get(name, (name,))
    written = re.findall(r"\w+", "".join((files("htag.client") / part).read_text("utf-8") for part in parts))
    assert set(re.findall(r"\w+", asset(name).decode())) <= {*written, "use", "strict"}
