"""The rules of HTML for elements, by name: which have no end tag, whose text is not escaped, which report a value."""

import re

from htag.tree.names import element_name

VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
RAW = frozenset(("style", "script"))  # their text is not escaped, by the rules of HTML
SKIPS_BREAK = frozenset(("listing", "pre", "textarea"))  # a line break right after their start tag is no text
FOREIGN = ("svg", "math")  # what is in them is no HTML …
HTML_AGAIN = ("foreignobject", "desc", "title")  # … but in these, within SVG
REPORTS_VALUE = frozenset(("input", "textarea", "select"))  # without being asked
OWN_VALUE = frozenset(("textarea", "select"))  # their value is not an attribute in HTML
# What ends a paragraph, wherever in it: a browser puts it, and what follows, beside the paragraph.
BLOCK = (
    "address|article|aside|blockquote|center|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|h1|h2"
    "|h3|h4|h5|h6|header|hgroup|hr|li|listing|main|menu|nav|ol|p|plaintext|pre|search|section|summary|table|ul|xmp"
)
BLOCKS = frozenset(BLOCK.split("|"))
HEADINGS = re.compile(r"<h[1-6]\b")
# Elements that end before others which their author has put into them: the start tags of those.
ENDED_BY = {
    "p": re.compile(rf"<(?:{BLOCK})\b"),
    **{name: re.compile(rf"<{name}\b") for name in ("a", "button", "form")},
    **{f"h{level}": HEADINGS for level in range(1, 7)},
}


class Element:
    """What all elements of one name share."""

    __slots__ = (
        "end",
        "end_tag",
        "hides_value",
        "id_prefix",
        "is_plain",
        "name",
        "open",
        "raw",
        "reports_value",
        "skips_break",
        "void",
    )

    def __init__(self, name: str) -> None:
        self.name = element_name(name)
        self.void = name in VOID
        self.raw = name in RAW
        self.reports_value = name in REPORTS_VALUE
        self.hides_value = name in OWN_VALUE
        self.skips_break = name in SKIPS_BREAK
        # there is no rule for it alone
        self.is_plain = not (self.void or self.raw or self.reports_value or self.skips_break)
        self.id_prefix = f"{name}-"
        self.open = f"<{name}"
        self.end = "/>" if self.void else ">"
        self.end_tag = "" if self.void else f"</{name}>"


class Elements(dict[str, Element]):
    """Elements by name, each made when it is first asked for. An app has a few dozen."""

    def __missing__(self, name: str) -> Element:
        element = self[name] = Element(name)
        return element


elements = Elements()
