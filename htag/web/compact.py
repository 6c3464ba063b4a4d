"""JavaScript without what only its readers need: comments, indentation and blank lines."""

import re

# In code: what is passed over as it is, and what matters. A `/` begins a regular expression where a value is due.
CODE = re.compile(
    r"""(?P<whole> '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*" | /\*.*?\*/ )
      | (?P<comment> [ \t]*//[^\n]* )
      | (?P<lines> [ \t]*\n\s* )
      | (?P<slash> / )
      | (?P<mark> [`{}] )""",
    re.VERBOSE | re.DOTALL,
)
TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*(`|\$\{)", re.DOTALL)  # its text, up to its end or to `${`
EXPRESSION = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/")
VALUE_IS_DUE = re.compile(r"(?:^|[(,=:\[!&|?{};<>+*%~^-]|\b(?:return|typeof|case|in|of))\s*\Z")
LOOKED_BACK = 80  # characters, within which the last sign before a value stands


def compact(script: str) -> str:
    """Return `script` without comments that begin with two slashes, indentation and blank lines.

    Line breaks stay, since they may end a statement; texts are as they were, a template's over as many lines as it has.
    """
    out = ["\n"]
    braces: list[str] = []  # that are open: of code, or a template's `${`
    at = 0
    while match := CODE.search(script, at):
        code, kind, text, at = script[at : match.start()], match.lastgroup, match[0], match.end()
        if code:
            out.append(code)
        if kind == "comment":
            continue
        if kind == "lines":
            text = "" if out[-1].endswith("\n") else "\n"
        elif kind == "slash":
            text, at = _slash(script, match.start())
        elif text == "{":
            braces.append(text)
        elif text == "`" or (text == "}" and braces.pop() == "${"):
            template = TEMPLATE.match(script, at)
            assert template, "a template without an end"
            if template[1] == "${":
                braces.append("${")
            text, at = text + template[0], template.end()
        if text:
            out.append(text)
    return "".join([*out, script[at:]]).strip() + "\n"


def _slash(script: str, at: int) -> tuple[str, int]:
    """Return the regular expression, or the sign of division, at this place, and where it ends."""
    before = script[max(0, at - LOOKED_BACK) : at]
    found = EXPRESSION.match(script, at) if VALUE_IS_DUE.search(before) else None
    return (found[0], found.end()) if found else ("/", at + 1)
