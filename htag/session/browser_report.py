"""Reports of errors by browsers, without their texts, which may be what a visitor typed."""

import re
from typing import Any

TITLES = (  # of the client script's reports
    "Client JavaScript Error",
    "Unhandled Promise Rejection",
    "JS Eval Error",
    "HTTP Error",
    "Network Error",
)
# The names that browsers give to errors themselves; an app's own class is an Error to those who read the log.
KINDS = re.compile(
    r"\b(TypeError|ReferenceError|RangeError|SyntaxError|URIError|EvalError|AggregateError|InternalError|SecurityError"
    r"|NotFoundError|InvalidStateError|NotAllowedError|NotSupportedError|AbortError|QuotaExceededError|DOMException"
    r"|Error)\b"
)
# `name.js?hash:line:column` and `<anonymous>:line:column`. No path and no host: an address can hold a search.
PLACE = re.compile(r"(?:(?<=/)([\w.-]{1,40}\.m?js)(?:\?[0-9a-f]{0,64})?|(<anonymous>)):(\d{1,7}):(\d{1,7})(?!\d)")
PLACES = 5  # the innermost ones: what failed, and who called it
CONSIDERED = 4000  # characters: the stack stands at the beginning


def summary(text: Any) -> str:
    """Summarise a report: the kind of the error and where it happened, as far as `text` says so in the usual form."""
    if not isinstance(text, str):
        return "an error"
    text = text[:CONSIDERED]
    title = next((title for title in TITLES if text.startswith(title)), "an error")
    kind = KINDS.search(text, len(title) if title in TITLES else 0)
    places = [f"{file or anonymous}:{line}:{column}" for file, anonymous, line, column in PLACE.findall(text)][:PLACES]
    return title + (f", {kind[1]}" if kind else "") + (f" at {', '.join(places)}" if places else "")
