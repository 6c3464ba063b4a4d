"""The document of a first load."""

import hashlib
from functools import cache
from importlib.resources import files

from htag.markup import escape
from htag.registry import Page

# values of the cookie htag_mode, and the scripts that make a browser behave as if it could do no better
MODES = {"sse": ("no_websocket.js",), "http": ("no_websocket.js", "no_event_stream.js")}


@cache
def asset(name: str) -> bytes:
    """A file of `htag/client`."""
    return (files("htag.client") / name).read_bytes()


@cache
def script_name() -> str:
    """Where the client script is, relative to the page: the name changes with the content, so it is cached for ever."""
    return f"htag.js?v={hashlib.sha256(asset('htag.js')).hexdigest()[:12]}"


def document(
    page: Page, *, title: str, csrf: str, revision: int, parano: str | None = None, reload: bool = False, mode: str = ""
) -> str:
    """The document that shows `page`. `csrf` goes back with each POST; `revision` is what the page shows."""
    key = "null" if parano is None else f'"{parano}"'  # hex digits, like `csrf`: nothing to escape
    script = (
        f"window.HTAG_RELOAD = {'true' if reload else 'false'}; window.PARANO = {key}; "
        f'window.HTAG_CSRF = "{csrf}"; window.HTAG_REVISION = {revision};'
    )
    pretence = "".join(f"<script>{asset(name).decode()}</script>" for name in MODES.get(mode, ()))
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8">'
        f"<title>{escape(title if page.title is None else page.title)}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="logo.png">'
        f'{pretence}<script>{script}</script><script src="{script_name()}"></script>'
        f"{''.join(page.statics)}</head>{page.body}</html>"
    )


def notice(heading: str, text: str, *, retry: int = 0) -> str:
    """A short page that stands in for the app; `retry`: seconds after which it tries again by itself."""
    refresh = f'<meta http-equiv="refresh" content="{retry}">' if retry else ""
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{escape(heading)}</title>{refresh}'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f'<body style="font-family: sans-serif; margin: 15vh auto; max-width: 32em; padding: 0 1em">'
        f"<h1>{escape(heading)}</h1><p>{escape(text)}</p></body></html>"
    )
