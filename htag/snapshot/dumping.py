"""`dump`: an app as bytes, or the reason why it cannot be, with the attribute that leads to it."""

import io
from typing import Any

from htag.app import App
from htag.log.redaction import in_full, in_short
from htag.snapshot.culprit import culprit_of
from htag.snapshot.errors import Pinned
from htag.snapshot.items import Place
from htag.snapshot.writer import Writer, write


def dump(app: App) -> bytes:
    """`app` as a payload for `load`, between two events. Nothing changes in it. Raises Pinned, for whatever reason."""
    wanted: list[tuple[Any, Place]] = []
    try:
        payload, wanted = attempt(app)
        return write_to_file(app, wanted) if wanted else payload
    except Exception as error:  # of any kind: authors' methods run, and their threads may change what is written
        path, held = culprit_of(app, wanted)
        raise Pinned(path or type(app).__qualname__, reason_of(error, held, quotes=app.debug)) from error


def attempt(app: App) -> tuple[bytes, list[tuple[Any, Place]]]:
    """`app` as a payload, and the lists, dicts and sets out of a module's dicts that it turned out to hold: these go by
    their keys, but of such ones pickle does not ask. Where there are some, `app` is to be written once more."""
    file = io.BytesIO()
    writer = Writer(file, app)
    try:
        payload = write(writer, file)
    except Exception:
        if met := writer.items_met():  # it may be for one of these
            return b"", met
        raise
    return payload, writer.items_met()


def write_to_file(app: App, wanted: list[tuple[Any, Place]]) -> bytes:
    """`app` as a payload, in which those `wanted` go by their keys."""
    file = io.BytesIO()
    return write(Writer(file, app, wanted), file)


def reason_of(error: Exception, held: object, *, quotes: bool) -> str:
    """What `error` says about `held`, for the log. `quotes`: with its message, which may be what a person has typed."""
    if isinstance(error, Pinned):
        return error.reason
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    what = "" if held is None else f" ({type(held).__module__}.{type(held).__qualname__})"
    return (in_full(error) if quotes else in_short(error)) + what
