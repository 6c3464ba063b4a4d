"""`dump`: an app as bytes, or the reason why it cannot be, with the attribute that leads to it."""

import io
from typing import Any, NamedTuple

from htag.app import App
from htag.log.redaction import in_full, in_short
from htag.snapshot.culprit import culprit_of
from htag.snapshot.errors import Pinned
from htag.snapshot.items import Place
from htag.snapshot.writer import Writer, write


class Dumped(NamedTuple):
    """An app as a payload for `load`."""

    payload: bytes
    shows_others: bool
    """Whether its page shows States that are no part of it, as one of a module: these may change where it comes to,
    and tell it only if it is in memory."""


def dump(app: App) -> bytes:
    """The payload of `dump_whole`."""
    return dump_whole(app).payload


def dump_whole(app: App) -> Dumped:
    """`app` as it is between two events. Nothing changes in it. Raises Pinned, for whatever reason."""
    wanted: list[tuple[Any, Place]] = []
    try:
        dumped, wanted = attempt(app)
        return write_to_file(app, wanted) if wanted else dumped
    except Exception as error:  # of any kind: authors' methods run, and their threads may change what is written
        path, held = culprit_of(app, wanted)
        raise Pinned(path or type(app).__qualname__, reason_of(error, held, quotes=app.debug)) from error


def attempt(app: App) -> tuple[Dumped, list[tuple[Any, Place]]]:
    """`app` as a payload, and the lists, dicts and sets out of a module's dicts that it turned out to hold: these go by
    their keys, but of such ones pickle does not ask. Where there are some, `app` is to be written once more."""
    file = io.BytesIO()
    writer = Writer(file, app)
    try:
        payload = write(writer, file)
    except Exception:
        if met := writer.items_met():  # it may be for one of these
            return Dumped(b"", shows_others=False), met
        raise
    return Dumped(payload, writer.shows_others), writer.items_met()


def write_to_file(app: App, wanted: list[tuple[Any, Place]]) -> Dumped:
    """`app` as a payload, in which those `wanted` go by their keys."""
    file = io.BytesIO()
    writer = Writer(file, app, wanted)
    return Dumped(write(writer, file), writer.shows_others)


def reason_of(error: Exception, held: object, *, quotes: bool) -> str:
    """What `error` says about `held`, for the log. `quotes`: with its message, which may be what a person has typed."""
    if isinstance(error, Pinned):
        return error.reason
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    what = "" if held is None else f" ({type(held).__module__}.{type(held).__qualname__})"
    return (in_full(error) if quotes else in_short(error)) + what
