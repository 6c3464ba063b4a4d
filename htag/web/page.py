"""The document of a first load."""

import hashlib
import re
from functools import cache
from importlib.resources import files

from htag.tree.live import Page
from htag.tree.markup import escape

# values of the cookie htag_mode, and the scripts that make a browser behave as if it could do no better
MODES = {"sse": ("no_websocket.js",), "http": ("no_websocket.js", "no_event_stream.js")}


# files of `htag/client` that make up the client script, in the order in which they are joined; the last one runs
CLIENT_PARTS = (
    "codec.js",
    "waiting.js",
    "overlay.js",
    "places.js",
    "patch.js",
    "calls.js",
    "events.js",
    "event_log.js",
    "inbox.js",
    "session.js",
    "post.js",
    "leftovers.js",
    "silence.js",
    "outbox.js",
    "transports.js",
    "reconnect.js",
    "names.js",
    "main.js",
)
COMMENT = re.compile(rb"^ *//.*\n| +// .*$", re.MULTILINE)  # no text in a part has a blank, two slashes and a blank


@cache
def asset(name: str) -> bytes:
    """What the page loads by `name`: the client script `htag.js`, or a file of `htag/client` as it is."""
    return client_script() if name == "htag.js" else (files("htag.client") / name).read_bytes()


def client_script() -> bytes:
    """Join CLIENT_PARTS to one script with a scope of its own, without the comments that begin with two slashes.

    Comments are a third of the gzipped parts: for those who read the parts, not for browsers.
    """
    parts = b"\n".join((files("htag.client") / name).read_bytes() for name in CLIENT_PARTS)
    return b"(() => {\n'use strict';\n\n" + COMMENT.sub(b"", parts) + b"})();\n"


@cache
def script_name() -> str:
    """Where the client script is, relative to the page: the name changes with the content, so it is cached for ever."""
    return f"htag.js?v={hashlib.sha256(asset('htag.js')).hexdigest()[:12]}"


def document(
    page: Page,
    *,
    title: str,
    csrf: str,
    revision: int,
    session: str = "",
    parano: str | None = None,
    reload: bool = False,
    mode: str = "",
) -> str:
    """The document that shows `page`. `csrf` goes back with each POST; `revision` is what the page shows, and `session`
    the name by which its tab says whose page it is."""
    key = "null" if parano is None else f'"{parano}"'  # hex digits, like `csrf`: nothing to escape
    script = (
        f"window.HTAG_RELOAD = {'true' if reload else 'false'}; window.PARANO = {key}; "
        f'window.HTAG_CSRF = "{csrf}"; window.HTAG_REVISION = {revision}; window.HTAG_SESSION = "{session}";'
    )
    # a screen reader looks here for how to pronounce the page, and only then at its body
    language = f' lang="{escape(page.language)}"' if page.language else ""
    pretence = "".join(f"<script>{asset(name).decode()}</script>" for name in MODES.get(mode, ()))
    return (
        f'<!DOCTYPE html><html{language}><head><meta charset="utf-8">'
        f"<title>{escape(title if page.title is None else page.title)}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="logo.png">'
        f'{pretence}<script>{script}</script><script src="{script_name()}"></script>'
        f"{''.join(page.statics)}</head>{page.body}</html>"
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
        f"<style>{asset('notice.css').decode()}</style></head>"
        f"<body><main><h1>{escape(heading)}</h1><p>{escape(text)}</p></main></body></html>"
    )
