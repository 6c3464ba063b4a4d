"""Tags as code outside the tree may read and set them: on the tag itself, public names are the app author's."""

from typing import Any

from htag.tree import pairs
from htag.tree.child_list import as_list
from htag.tree.elements import elements
from htag.tree.markup import HTML
from htag.tree.pairs import MISSING
from htag.tree.tag import GTag


def attribute(tag: GTag, name: str) -> Any:
    """The value of an attribute as it was set, which may be a callable; MISSING: there is none."""
    return pairs.get(tag._attributes, name)


def set_attribute(tag: GTag, name: str, value: Any) -> None:
    """Set an attribute to what the browser shows already: that is no change."""
    tag._set_attribute(name, value)


def may_be_disabled(tag: GTag) -> bool:
    """Whether it is worth a look whether a browser takes `tag` for disabled: most apps have no `fieldset` at all."""
    return "disabled" in tag._attributes or "fieldset" in elements


def handler(tag: GTag, event: object) -> Any:
    """What is registered for `event`: a callable, JavaScript, or None."""
    events = tag._events
    if events and events[0] == event:
        return events[1]
    found = pairs.get(events, event)
    return None if found is MISSING else found


def attributes_of(tag: GTag) -> list[tuple[str, Any]]:
    """The attributes as they were set, name and value: a list made for the caller."""
    return list(zip(tag._attributes[::2], tag._attributes[1::2], strict=True))


def handlers_of(tag: GTag) -> list[tuple[str, Any]]:
    """The handlers, event and callable or JavaScript: a list made for the caller."""
    return list(zip(tag._events[::2], tag._events[1::2], strict=True))


def set_handler(tag: GTag, event: str, value: Any) -> None:
    """Register `value` for `event`, which the browser reports already: that is no change."""
    tag._set_events(pairs.put(tag._events, event, value))


def has_markup(tag: GTag) -> bool:
    """Whether some child of `tag` is markup, of which nothing is known here."""
    return any(type(child) is HTML for child in as_list(tag))


def failed_component(error: BaseException, tag: GTag) -> str:
    """The name of the component in whose code `error` arose, as far as the render of `tag` noted it; else of `tag`."""
    return getattr(error, "_htag_host", type(tag).__qualname__)
