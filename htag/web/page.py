"""The document of a first load."""

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from htag.tree.markup import escape
from htag.tree.renders import Page
from htag.web.compact import compact
from htag.web.script_nonces import with_nonce

# values of the cookie htag_mode, and the scripts that make a browser behave as if it could do no better
MODES = {"sse": ("no_websocket.js",), "http": ("no_websocket.js", "no_event_stream.js")}


# files of `htag/client` that make up the client script, in the order in which they are joined; the last one runs
CLIENT_PARTS = (
    "codec.js",
    "waiting.js",
    "hooks.js",
    "reports.js",
    "foreign.js",
    "patch.js",
    "scripts.js",
    "listeners.js",
    "calls.js",
    "events.js",
    "event_log.js",
    "inbox.js",
    "session.js",
    "hello.js",
    "leftovers.js",
    "outbox.js",
    "transports.js",
    "connection.js",
    "names.js",
    "main.js",
)

# likewise of the script that the client script loads, for what a page needs later than its first click
LATER_PARTS = (
    "notice.js",
    "marks.js",
    "typed.js",
    "post.js",
    "silence.js",
    "posts.js",
    "polling.js",
    "holding.js",
    "afresh.js",
    "resend.js",
    "measures.js",
    "siblings.js",
    "fields.js",
    "moves.js",
    "morph.js",
    "press.js",
    "operations.js",
    "later.js",
)

SCRIPTS = ("htag.js", "errors.js", "later.js")  # the first loads the others, of the same version


@cache
def asset(name: str) -> bytes:
    """What the page loads by `name`: a script that is joined, or a file of `htag/client`. Scripts are compacted, but
    for the one of PyScript, which no network carries.
    """
    if name in ("htag.js", "later.js"):
        return joined(CLIENT_PARTS if name == "htag.js" else LATER_PARTS).encode()
    content = (files("htag.client") / name).read_bytes()
    return compact(content.decode()).encode() if name.endswith(".js") and name != "pyscript.js" else content


def joined(names: Sequence[str]) -> str:
    """Join parts to one script with a scope of its own.

    It is compacted: comments and blanks, two fifths of the gzipped parts, are for those who read the parts.
    """
    parts = "\n".join((files("htag.client") / name).read_text("utf-8") for name in names)
    return compact(f"(() => {{\n'use strict';\n\n{parts}}})();\n")


@cache
def script_name() -> str:
    """Where the client script is, relative to the page: the name changes with the content, so it is cached for ever.

    What it loads, the others of SCRIPTS, has the same version behind its own name.
    """
    content = b"".join(asset(name) for name in SCRIPTS)
    return f"htag.js?v={hashlib.sha256(content).hexdigest()[:12]}"


def document(
    page: Page,
    *,
    title: str,
    csrf: str,
    revision: int,
    nonce: str,
    session: str = "",
    parano: str | None = None,
    reload: bool = False,
    debug: bool = False,
    limit: int = 1 << 20,
    mode: str = "",
    input_delay: int = 0,
) -> str:
    """The document that shows `page`. `csrf` goes back with each POST; `revision` is what the page shows, and `session`
    the name by which its tab says whose page it is; `limit`: bytes that a message may have; `input_delay`:
    ms without a letter after which what is typed is sent. Each script that the page
    itself brings carries `nonce`, and so do those among the statics."""
    key = "null" if parano is None else f'"{parano}"'  # hex digits, like `csrf`: nothing to escape
    script = (
        f"window.HTAG_RELOAD = {'true' if reload else 'false'}; window.PARANO = {key}; "
        f'window.HTAG_CSRF = "{csrf}"; window.HTAG_REVISION = {revision}; window.HTAG_SESSION = "{session}"; '
        f"window.HTAG_DEBUG = {'true' if debug else 'false'}; window.HTAG_LIMIT = {limit};"
    )
    # a screen reader looks here for how to pronounce the page, and only then at its body
    language = f' lang="{escape(page.language)}"' if page.language else ""
    delay = f' data-htag-debounce="{input_delay}"' if input_delay else ""
    begin = f'<script nonce="{nonce}">'
    pretence = "".join([f"{begin}{asset(name).decode()}</script>" for name in MODES.get(mode, ())]) if mode else ""
    statics = "".join([with_nonce(static, nonce) for static in page.statics]) if page.statics else ""
    return (
        f'<!DOCTYPE html><html{language}{delay}><head><meta charset="utf-8">'
        f"<title>{escape(title if page.title is None else page.title)}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="logo.png">'
        f'{pretence}{begin}{script}</script><script src="{script_name()}" nonce="{nonce}"></script>'
        f"{statics}</head>{page.body}</html>"
    )


def notice(heading: str, text: str, *, retry: int = 0) -> str:
    """A short page that stands in for the app; `retry`: seconds after which it tries again by itself."""
    # a page that loads itself again and again is read out again and again; so only where there are no scripts
    refresh = (
        f'<noscript><meta http-equiv="refresh" content="{retry}"></noscript>'
        f"<script data-seconds={retry}>{asset('retry.js').decode()}</script>"
        if retry
        else ""
    )
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(heading)}</title>{refresh}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<style>{asset('stand_in.css').decode()}</style></head>"
        f"<body><main><h1>{escape(heading)}</h1><p>{escape(text)}</p></main></body></html>"
    )
