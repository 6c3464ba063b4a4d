"""Handlers as attributes, and their quoting: inline, as JavaScript that reports an event; or as the names of the events
that the client attaches its listener to, with the JavaScript of those that have some of their own."""

from functools import lru_cache
from typing import Any

from htag.tree.markup import escape
from htag.tree.pairs import Pairs

OWN = "\0"  # before the JavaScript of a handler that is nothing else; no HTML has this character


def handler_text(event: str, handler: Any, quoted_id: str) -> str:
    """A handler as an attribute: a call of the browser's `htag_event`, or the app's own JavaScript.

    `quoted_id`: the tag's id as it may stand between the single quotes of that call.
    """
    if isinstance(handler, str):
        return f' on{event}="{escape_script(handler)}"'
    return f"{call_head(event, js_prefix(handler))}{quoted_id}{call_tail(event)}"


def js_prefix(handler: Any) -> str:
    """The JavaScript that is noted on `handler`, to run before the call that reports its event."""
    prefix: str = getattr(handler, "_htag_js_prefix", "")
    return prefix


def set_js_prefix(handler: Any, prefix: str) -> None:
    """Note `prefix` on `handler`. AttributeError where it takes no attributes, as a bound method."""
    handler._htag_js_prefix = prefix


def call_head(event: str, prefix: str) -> str:
    """What stands before the id in the attribute whose call reports `event`."""
    return f" on{event}=\"{prefix}htag_event('"


def listeners_text(events: Pairs) -> str:
    """The attributes by which the client finds what to listen to: `events` are names, each with its handler."""
    return listened(events[::2], tuple(map(_source, events[1::2])))


@lru_cache(maxsize=256)
def listened(events: tuple[str, ...], sources: tuple[str, ...]) -> str:
    """The attributes for `events`. `sources`: of each the JavaScript of the app that runs when it happens, as it stands
    in an attribute; or a prefix of the call that reports it; "": it is reported."""
    text = f' data-htag-on="{escape(" ".join(events))}"'
    for event, source in zip(events, sources, strict=True):
        if source.startswith(OWN):
            text += f' data-htag-on-{event}="{source.removeprefix(OWN)}"'
        elif source:
            text += f" data-htag-on-{event}=\"{source}htag_event(htag_id(this), '{quoted(event)}', event)\""
    return text


def _source(handler: Any) -> str:
    return OWN + escape_script(handler) if isinstance(handler, str) else js_prefix(handler)


@lru_cache(maxsize=256)
def call_tail(event: str) -> str:
    """What follows the id in that call, to the end of the attribute."""
    return f"', '{quoted(event)}', event)\""


def quoted(text: str) -> str:
    """`text` as it may stand between the single quotes of a JavaScript string, in an attribute in double quotes."""
    if text.replace("-", "").isalnum():
        return text
    return escape_script("".join(map(_quoted_character, text)))


def _quoted_character(character: str) -> str:
    if character.isalnum() or character in " -_.:" or ord(character) > 0xFFFF:
        return character
    return f"\\u{ord(character):04x}"


def escape_script(script: str) -> str:
    """`script` for an attribute in double quotes; the single quotes that calls are full of may stay."""
    if '"' in script or "&" in script or "<" in script:
        return escape(script)
    return script
