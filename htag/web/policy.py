"""The Content-Security-Policy of the pages: which scripts run in them, and from where they load."""

import base64
import hashlib
import re
from functools import lru_cache
from os import urandom

from htag.session.url_safe import url_safe

# Scripts that carry the page's nonce run, and those that such scripts load; `onclick="…"`, `eval` and all else by which
# text may become a script do not. Styles, images, fonts, connections and frames stay free: apps load them anywhere.
SCRIPTS = "script-src 'nonce-{nonce}' 'strict-dynamic'; object-src 'none'; base-uri 'none'"

# Everything from the page's own origin. Inline styles stay: a tag's `style=` is one, and what CSS could send away by an
# address has nowhere to go.
STRICT = (
    f"default-src 'self'; {SCRIPTS}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; media-src 'self' data: blob:; worker-src 'self' blob:; form-action 'self'"
)

NAMED = {"": SCRIPTS, "default": SCRIPTS, "strict": STRICT, "off": ""}

# Of a page that stands in for the app: the one script that it may have, which asks for the page again. It has no nonce,
# so that such a page costs nothing.
NOTICE = (
    "default-src 'none'; script-src 'sha256-{hash}'; connect-src 'self'; style-src 'unsafe-inline'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)

NO_HEADER = re.compile(r"[^\x20-\x7e]")
SCRIPT_DIRECTIVES = ("script-src-elem", "script-src", "default-src")  # the first that is there counts


def new_nonce() -> str:
    """Return 128 random bits as 22 characters: of one page, which no other page and no visitor can know."""
    return url_safe(urandom(16)).rstrip("=")


def notice_policy(script: bytes) -> str:
    """Return the policy of a page that stands in for the app, whose script is `script`, and no other."""
    return NOTICE.replace("{hash}", base64.b64encode(hashlib.sha256(script).digest()).decode())


class ContentPolicy:
    """What the header says of each page, with a nonce of its own each time."""

    def __init__(self, choice: str = "") -> None:
        """`choice`: `default` or "", `strict`, `off`, or a policy in which `{nonce}` stands for the nonce. ValueError:
        it cannot be a header, or the page's own scripts would not run under it."""
        self.choice = choice
        self._text = named_or_own(choice)

    def text(self, nonce: str) -> str:
        """Return what the header says of the page whose scripts carry `nonce`; "" where there is to be none."""
        return self._text.replace("{nonce}", nonce)


def named_or_own(choice: str) -> str:
    """Return the policy of this name, or `choice` itself. ValueError: it is neither."""
    choice = " ".join(choice.split())
    text = NAMED.get(choice.lower(), choice)
    if NO_HEADER.search(text):
        raise ValueError("a policy is one line of ASCII characters")
    if choice.lower() not in NAMED and " " not in choice:
        raise ValueError(f"a policy is `default`, `strict`, `off` or one of your own, not {choice!r}")
    if not runs_ours(text):
        raise ValueError("a policy that rules scripts must name 'nonce-{nonce}', or the page's own do not run")
    return text


@lru_cache(maxsize=100)
def runs_ours(policy: str) -> bool:
    """Whether the scripts that the page itself carries run under `policy`."""
    parts = [part.split() for part in policy.split(";")]
    sources = {part[0].lower(): part[1:] for part in reversed(parts) if part}  # of two of a name, the first counts
    ruling = next((sources[name] for name in SCRIPT_DIRECTIVES if name in sources), None)
    return ruling is None or "'nonce-{nonce}'" in ruling or "'unsafe-inline'" in ruling
