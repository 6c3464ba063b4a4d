"""What the browser says of a form field, kept in the tree: the tree shows what the person sees.

Whatever a browser sends can be forged, so what its own page could not have sent is refused: events of what is disabled,
a choice that a `select` does not offer, another label of a button. A field that is hidden or read-only is no such case:
scripts fill those in, date pickers and editors do little else, and a script cannot be told from a forger. What may
not be changed by the visitor belongs into the app's own attributes, not into a field (docs/security.md).
"""

from collections.abc import Iterator
from typing import Any

from htag.tree.access import attribute, has_markup, set_attribute
from htag.tree.choice import evaluated, is_shown, note_reported, value_of
from htag.tree.live import LiveTree
from htag.tree.node import child_tags
from htag.tree.pairs import MISSING
from htag.tree.tag import GTag

FIELDS = frozenset(("input", "textarea", "select", "option"))
# HTML can disable these
DISABLED = frozenset(("button", "fieldset", "input", "optgroup", "option", "select", "textarea"))
LABELLED = ("button", "submit", "reset", "image")  # inputs whose value is their label, or nothing
CHOOSING = ("input", "change")  # events that tell what was chosen


def synchronise(target: GTag, event: Any, data: Any, live: LiveTree) -> bool:
    """Keep the value, or the check mark, that came with an event. Marks nothing as changed: the browser shows it.

    False: the page could not have sent this event.
    """
    name = target.tag
    if name is None or not (name in FIELDS or "-" in name) or not isinstance(data, dict):
        return True
    kind = attribute(target, "type") if name == "input" else None
    if kind in ("checkbox", "radio"):
        if "checked" in data:
            _check(target, bool(data["checked"]), live)
    elif "value" in data and isinstance(data["value"], SCALARS) and kind not in LABELLED:
        if name == "select":
            if not offers(target, data["value"], live):
                return event not in CHOOSING  # others may bring any value that the app's own script gives them
            _select(target, data["value"], live)
        _show(target, "value", data["value"], live)
    elif name == "select" and type(data.get("value")) is list and shows(target, "multiple"):
        return _select_several(target, data["value"], live) or event not in CHOOSING
    return True


SCALARS = (str, int, float, bool, type(None))


def _show(tag: GTag, name: str, value: Any, live: LiveTree) -> None:
    """`tag` shows `value` in the browser already."""
    live.note_reported(tag, name, value)
    set_attribute(tag, name, value)
    if name == "value":
        note_reported(tag, value)


def _check(target: GTag, checked: bool, live: LiveTree) -> None:
    """For a radio button that was replaced meanwhile, the one that stands for it has unchecked the others."""
    if checked and attribute(target, "type") == "radio" and live.index.late is None:
        name = attribute(target, "name")
        for other in live.index.radios(str(name)):
            if other is not target and _owner(other) == _owner(target):
                _show(other, "checked", False, live)
    _show(target, "checked", checked, live)


def _select(target: GTag, value: Any, live: LiveTree) -> None:
    for option in options_of(target, live):
        matches = value_of(option) == str(value)
        if matches or attribute(option, "selected") is not MISSING:
            _show(option, "selected", matches, live)


def _select_several(select: GTag, values: list[Any], live: LiveTree) -> bool:
    """Keep that `values` are chosen, of a `select` that takes several. False: a person cannot have chosen these."""
    if not all(type(value) is str for value in values):
        return False
    known, chosen = [*options_of(select, live)], set(values)
    if _are_known(select, known, live):
        offered = {value_of(option) for option in known if not _is_out_of_reach(option)}
        if len(values) > len(known) or not (None in offered or chosen <= offered):
            return False
    for option in known:
        matches = value_of(option) in chosen
        if matches or attribute(option, "selected") is not MISSING:
            _show(option, "selected", matches, live)
    _show(select, "value", [*values], live)
    return True


def offers(select: GTag, value: Any, live: LiveTree) -> bool:
    """Whether a person can have chosen `value`: an option that is not disabled has it, or what `select` shows is not
    known here, such as markup."""
    if value is None or value == "":
        return True  # nothing is chosen
    options = [*options_of(select, live)]
    if not _are_known(select, options, live):
        return True
    return any(value_of(option) in (None, str(value)) for option in options if not _is_out_of_reach(option))


def _are_known(select: GTag, options: list[GTag], live: LiveTree) -> bool:
    """Whether `options` are all that `select` shows: no markup shows others."""
    return bool(options) and not any(has_markup(tag) for tag in live.generated.pre_order(select) if tag.tag != "option")


def _is_out_of_reach(option: GTag) -> bool:
    return is_disabled(option) and attribute(option, "selected") is MISSING


def options_of(select: GTag, live: LiveTree) -> Iterator[GTag]:
    """The options of `select`, those in groups and those that callables make included."""
    return (tag for tag in live.generated.pre_order(select) if tag.tag == "option")


def form_of(tag: GTag) -> GTag | None:
    """The form that `tag` is in."""
    node = tag.parent
    while node is not None and node.tag != "form":
        node = node.parent
    return node


def _owner(tag: GTag) -> str | None:
    """The `id` of the form that `tag` names, or else is in: radio buttons of one name exclude each other within it."""
    if is_shown(named := evaluated(attribute(tag, "form"))):
        return str(named)
    form = form_of(tag)
    if form is None:
        return None
    own = evaluated(attribute(form, "id"))
    return str(own) if is_shown(own) else form.id


# -- what is disabled --------------------------------------------------------------------------------------------------


def is_disabled(tag: GTag) -> bool:
    """Whether a browser would refuse to send events of `tag`: then a message that claims one is forged, or late.

    That is so where the tag itself is disabled, or a `fieldset` around it, except in that one's first legend, or for an
    option its group.
    """
    if tag.tag not in DISABLED:
        return False
    return says_disabled(tag) or _is_in_disabled(tag)


def says_disabled(tag: GTag) -> bool:
    """Whether the attribute `disabled` of `tag` is shown."""
    return shows(tag, "disabled")


def shows(tag: GTag, name: str) -> bool:
    """Whether the attribute `name` of `tag` is shown, whatever its value."""
    return is_shown(evaluated(attribute(tag, name)))


def _is_in_disabled(tag: GTag) -> bool:
    below, above = tag, tag.parent
    while above is not None:
        if above.tag == "fieldset":
            if below is not first_legend(above) and says_disabled(above):
                return True
        elif above.tag == "optgroup" and tag.tag == "option" and says_disabled(above):
            return True
        if above.tag is not None:  # a fragment has no element
            below = above
        above = above.parent
    return False


def first_legend(fieldset: GTag) -> GTag | None:
    """The legend that stays enabled: the first one that is a child of `fieldset`."""
    for child in child_tags(fieldset):
        found = first_legend(child) if child.tag is None else child
        if found is not None and found.tag == "legend":
            return found
    return None
