"""`dump`: an app as bytes, or the reason why it cannot be, with the attribute that leads to it."""

import io

from htag.app import App
from htag.snapshot.culprit import culprit_of
from htag.snapshot.errors import Pinned
from htag.snapshot.writer import Writer, write


def dump(app: App) -> bytes:
    """`app` as a payload for `load`, between two events. Nothing changes in it. Raises Pinned, for whatever reason."""
    file = io.BytesIO()
    try:
        return write(Writer(file, app), file)
    except Exception as error:  # of any kind: authors' methods run, and their threads may change what is written
        path, held = culprit_of(app)
        raise Pinned(path or type(app).__qualname__, reason_of(error, held)) from error


def reason_of(error: Exception, held: object) -> str:
    """What `error` says about `held`, for the log."""
    if isinstance(error, Pinned):
        return error.reason
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    what = "" if held is None else f" ({type(held).__module__}.{type(held).__qualname__})"
    return f"{type(error).__name__}: {error}{what}"
