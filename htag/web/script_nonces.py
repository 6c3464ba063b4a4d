"""The nonce in the scripts of statics: where an author has written markup as text."""

import re
from functools import lru_cache
from html.parser import HTMLParser

NAME = re.compile(r"<script", re.IGNORECASE)


class ScriptFinder(HTMLParser):
    """Notes where in a markup the start tags of scripts are, as a browser finds them: not in comments, in other
    elements' raw text or in attributes."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=False)
        self.places: list[int] = []  # where each one's attributes may begin
        self._lines = [0]
        for line in markup.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A script that says a nonce itself keeps it."""
        if tag == "script" and "nonce" not in dict(attrs):
            line, column = self.getpos()
            self.places.append(self._lines[line - 1] + column + len("<script"))


def with_nonce(markup: str, nonce: str) -> str:
    """Put `nonce` into the scripts of `markup`, which the app's author answers for: a static, and no text of a body."""
    places = script_places(markup)
    if not places:
        return markup
    pieces = [markup[start:end] for start, end in zip((0, *places), (*places, len(markup)), strict=True)]
    return f' nonce="{nonce}"'.join(pieces)


@lru_cache(maxsize=512)  # statics of classes, which are the same on each page
def script_places(markup: str) -> tuple[int, ...]:
    """Where a nonce belongs in `markup`."""
    return tuple(ScriptFinder(markup).places) if NAME.search(markup) else ()
