"""Handlers as attributes: the JavaScript that reports an event, and its quoting."""

from functools import lru_cache
from typing import Any

from htag.tree.markup import escape


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
