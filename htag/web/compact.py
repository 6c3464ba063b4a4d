"""JavaScript without what only its readers need: comments, and the blanks and line breaks that separate nothing."""

import re
from collections.abc import Iterator
from typing import NamedTuple

TOKEN = re.compile(
    r"""(?P<gap> (?: \s | //[^\n]* | /\*.*?\*/ )+ )
      | (?P<word> [\w$\\]+ | \.\d\w* )  # a name, or a piece of a number
      | (?P<text> '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*" )
      | (?P<template> ` )
      | (?P<slash> / )
      | (?P<sign> \+\+ | -- | . )""",
    re.VERBOSE | re.DOTALL,
)
TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*(?:`|\$\{)", re.DOTALL)  # its text, up to its end or to `${`
EXPRESSION = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/\w*")
BEFORE_VALUES = ("return", "typeof", "case", "in", "of")  # words after which a `/` begins a regular expression
ENDS = (")", "]", "++", "--")  # signs after which it does not, since a value ends there
# Where a line break can end no statement: the sign before asks for more, or the one after goes on with it. Not listed
# are those that are seldom at such a place, or that have another meaning at the beginning of a line.
GOES_ON_AFTER = frozenset("{([,;:?=>&|!<+-*%")
GOES_ON_BEFORE = frozenset(")],;:?=&|.}")
# Pairs that are something else, if nothing is between them: `a - --b`, `a / /b/`, `a < !--b`
APART = {("+", "+"), ("-", "-"), ("/", "/"), ("<", "!")}


class Token(NamedTuple):
    """A piece of a script: `kind` is word, text (also a template's), expression, sign or gap."""

    kind: str
    text: str


def compact(script: str) -> str:
    """Return `script` without comments, and without the blanks and line breaks between its words and signs that have no
    meaning. Texts are as they were, a template's over as many lines as it has. AssertionError: a template has no end.
    """
    out: list[str] = []
    before, gap = Token("sign", ";"), ""
    for token in _tokens(script):
        if token.kind == "gap":
            gap = token.text
            continue
        out += [_separator(before, gap, token) if out and gap else "", token.text]
        before, gap = token, ""
    return "".join(out) + "\n"


def _separator(before: Token, gap: str, after: Token) -> str:
    """Return what must stay of the `gap` between two tokens."""
    if "\n" in gap and not _goes_on(before, after):
        return "\n"
    if before.kind in ("word", "expression") and after.kind == "word":
        return " "
    is_fraction = before.text[0].isdigit() and after.text == "."  # `1 .toFixed()` is none
    return " " if is_fraction or (before.text[-1], after.text[0]) in APART else ""


def _goes_on(before: Token, after: Token) -> bool:
    """Whether a line break between the two tokens cannot end a statement."""
    if before.kind == "sign" and before.text in GOES_ON_AFTER:
        return True
    return after.kind == "sign" and after.text in GOES_ON_BEFORE


def _tokens(script: str) -> Iterator[Token]:
    braces: list[str] = []  # that are open: of code, or a template's `${`
    before, at = Token("sign", ";"), 0
    while match := TOKEN.match(script, at):
        token = Token(str(match.lastgroup), match[0])
        if token.kind == "slash":
            token = _slash(script, at, before)
        elif token.text == "{":
            braces.append(token.text)
        elif token.kind == "template" or (token.text == "}" and braces.pop() == "${"):
            token = _template(script, at)
            if token.text.endswith("${"):
                braces.append("${")
        yield token
        at += len(token.text)
        before = before if token.kind == "gap" else token


def _template(script: str, at: int) -> Token:
    """Return the text of a template that begins, or goes on after a value, at this place."""
    text = TEMPLATE.match(script, at + 1)
    assert text, "a template without an end"
    return Token("text", script[at] + text[0])


def _slash(script: str, at: int, before: Token) -> Token:
    """Return the regular expression, or the sign of division, at this place."""
    is_value = before.kind == "sign" and before.text not in ENDS
    is_due = is_value or before.text in BEFORE_VALUES
    found = EXPRESSION.match(script, at) if is_due else None
    return Token("expression", found[0]) if found else Token("sign", "/")
