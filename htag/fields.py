"""What the browser says of a form field, kept in the tree: the tree shows what the person sees."""

from typing import Any

from htag import pairs
from htag.registry import Registry
from htag.tag import GTag

FIELDS = frozenset(("input", "textarea", "select", "option"))
# HTML can disable these
DISABLED = frozenset(("button", "fieldset", "input", "option", "select", "textarea"))


def synchronise(target: GTag, data: Any, registry: Registry) -> None:
    """Keep the value, or the check mark, that came with an event. Marks nothing as changed: the browser shows it."""
    name = target.tag
    if name is None or not (name in FIELDS or "-" in name) or not isinstance(data, dict):
        return
    if name == "input" and pairs.get(target._attributes, "type") in ("checkbox", "radio"):
        if "checked" in data:
            _check(target, bool(data["checked"]), registry)
    elif "value" in data and isinstance(data["value"], SCALARS):
        target._set_attribute("value", data["value"])
        if name == "select":
            _select(target, data["value"])


SCALARS = (str, int, float, bool, type(None))


def _check(target: GTag, checked: bool, registry: Registry) -> None:
    if checked and pairs.get(target._attributes, "type") == "radio":
        name = pairs.get(target._attributes, "name")
        for other in registry.radios(str(name)):
            if other is not target and form_of(other) is form_of(target):
                other._set_attribute("checked", False)
    target._set_attribute("checked", checked)


def _select(target: GTag, value: Any) -> None:
    for option in options_of(target):
        shown = pairs.get(option._attributes, "value")
        matches = (option.text if shown is pairs.MISSING else str(shown)) == str(value)
        if matches or pairs.get(option._attributes, "selected") is not pairs.MISSING:
            option._set_attribute("selected", matches)


def options_of(select: GTag) -> list[GTag]:
    """The options of `select`, those in groups included."""
    found: list[GTag] = []
    for child in select._tags():
        found += [child] if child.tag == "option" else child._tags()
    return found


def form_of(tag: GTag) -> GTag | None:
    """The form that `tag` is in: radio buttons of one name exclude each other within it."""
    node = tag.parent
    while node is not None and node.tag != "form":
        node = node.parent
    return node


def is_disabled(tag: GTag) -> bool:
    """Whether a browser would refuse to send events of `tag`: then a message that claims one is forged, or late."""
    if tag.tag not in DISABLED:
        return False
    value = pairs.get(tag._attributes, "disabled")
    while callable(value):
        value = value()
    return value is not pairs.MISSING and value is not None and value is not False
