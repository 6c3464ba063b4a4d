"""Scoped styles: CSS that touches one component only. Pure strings.

tinycss2 finds the tokens; all text of the result is cut from the original by their positions, so it stays as written.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from tinycss2 import parse_component_value_list, serialize  # type: ignore[import-untyped]  # it has no types

# at-rules whose block holds rules for elements; the blocks of the others (@keyframes, @font-face, @page …) do not
_GROUPS = {"media", "supports", "container", "layer", "starting-style"}
# pseudo-elements that may be written with one colon, from the time before there were two
_OLD_PSEUDO_ELEMENTS = {"before", "after", "first-line", "first-letter"}
_SPACE = {"whitespace", "comment"}


def scope(css: str, class_name: str) -> str:
    """`css`, made to apply only to elements of class `class_name` (for example `htag-Card`) and to what is inside.

    Each selector `S` becomes two: `.classS` or `S.class` for the element itself, `.class S` for what is inside; one
    that begins with a combinator (`> p`) has only the latter. Groups (@media …) are entered, other at-rules are kept.
    Nothing raises. What is no rule is left out, and so is a rule that browsers drop for an empty selector or an
    unmatched bracket; what is still open at the end is closed there; a sheet nested hundreds of levels deep is none.
    """
    try:
        return _Sheet(_closed(_normal(css)), "." + class_name).scoped()
    except RecursionError:
        return ""


def _normal(css: str) -> str:
    """`css` with the replacements that CSS prescribes before tokens are made, so that positions are right."""
    return css.replace("\0", "\ufffd").replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")


def _is_closed(css: str) -> bool:
    """Whether a bracket after `css` would match nothing: no string, comment, function or block is open."""
    last = parse_component_value_list(css + "}")[-1]
    return bool(last.type == "error" and last.kind == "}")


def _closed(css: str) -> str:
    """`css` with everything closed that its end leaves open, as browsers do."""
    if _is_closed(css):
        return css
    # tinycss2 writes the missing brackets, but neither the quote of an open string nor the parenthesis of an open url
    endings = (serialize(parse_component_value_list(css.rstrip("\\") + end)) for end in ("", ")", '"', "'"))
    return next(filter(_is_closed, endings), "")


class _Piece(NamedTuple):
    token: Any
    start: int
    stop: int


class _Sheet:
    def __init__(self, text: str, scope_class: str) -> None:
        self._text = text
        self._scope_class = scope_class
        self._lines = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]

    def scoped(self) -> str:
        pieces = self._pieces(parse_component_value_list(self._text), len(self._text))
        # a style sheet may stand in HTML comment marks
        return self._joined(_rules(piece for piece in pieces if piece.token not in ("<!--", "-->")))

    def _joined(self, rules: Iterable[list[_Piece]]) -> str:
        return " ".join(filter(None, map(self._rule, rules)))

    def _pieces(self, tokens: list[Any], end: int) -> list[_Piece]:
        bounds = [self._lines[token.source_line - 1] + token.source_column - 1 for token in tokens]
        return [_Piece(token, *span) for token, span in zip(tokens, pairwise([*bounds, end]), strict=True)]

    def _rule(self, rule: list[_Piece]) -> str:
        *prelude, last = rule
        if not _is_at_rule(rule):
            selectors = self._selectors(prelude)
            return f"{', '.join(selectors)} {self._cut([last])}" if selectors else ""
        if last.token.type == "{} block" and rule[0].token.lower_value in _GROUPS:
            inner = self._joined(_rules(self._pieces(last.token.content, last.stop - 1), nested=True))
            return f"{self._cut(prelude).rstrip()} {{{inner}}}"
        return self._cut(rule)

    def _selectors(self, prelude: list[_Piece]) -> list[str]:
        """The scoped forms of a list of selectors; none if browsers would refuse the list."""
        if any(piece.token.type == "error" or piece.token == ";" for piece in prelude):
            return []
        selectors = [_stripped(selector) for selector in _split(prelude)]
        return [form for selector in selectors for form in self._forms(selector)] if all(selectors) else []

    def _forms(self, selector: list[_Piece]) -> list[str]:
        text = self._cut(selector)
        inside = f"{self._scope_class} {text}"
        if text[0] in ">+~":
            return [inside]
        if text[0] in ".#:[":
            return [self._scope_class + text, inside]
        place = _pseudo_element(selector)  # a class may not follow a pseudo-element
        return [self._cut(selector[:place]) + self._scope_class + self._cut(selector[place:]), inside]

    def _cut(self, pieces: Sequence[_Piece]) -> str:
        return self._text[pieces[0].start : pieces[-1].stop] if pieces else ""


def _rules(pieces: Iterable[_Piece], nested: bool = False) -> Iterator[list[_Piece]]:
    """The pieces of each rule: it ends with a block, an at-rule also with a semicolon.

    Inside a group, what ends with a semicolon was meant as a declaration, which may not stand there.
    """
    rule: list[_Piece] = []
    for piece in pieces:
        if rule or piece.token.type not in _SPACE:
            rule.append(piece)
        if piece.token.type == "{} block" or (piece.token == ";" and _is_at_rule(rule)):
            yield rule
            rule = []
        elif piece.token == ";" and nested:
            rule = []
    if rule and _is_at_rule(rule):
        yield rule


def _is_at_rule(rule: list[_Piece]) -> bool:
    return bool(rule[0].token.type == "at-keyword")


def _split(pieces: list[_Piece]) -> Iterator[list[_Piece]]:
    """Cut at the commas; those in brackets, strings and comments are no tokens at this level."""
    part: list[_Piece] = []
    for piece in pieces:
        if piece.token == ",":
            yield part
            part = []
        else:
            part.append(piece)
    yield part


def _stripped(pieces: list[_Piece]) -> list[_Piece]:
    """Without white space and comments around it."""
    solid = [index for index, piece in enumerate(pieces) if piece.token.type not in _SPACE]
    return pieces[solid[0] : solid[-1] + 1] if solid else []


def _pseudo_element(selector: list[_Piece]) -> int:
    """Where the pseudo-element begins, if there is one; else the end."""
    for index, (colon, name) in enumerate(pairwise(selector)):
        old = name.token.type == "ident" and name.token.lower_value in _OLD_PSEUDO_ELEMENTS
        if colon.token == ":" and (name.token == ":" or old):
            return index
    return len(selector)
