"""`dump`: an app as bytes, or the reason why it cannot be: the attribute that leads to what no snapshot can hold."""

import io

from htag.app import App
from htag.snapshot.errors import Pinned
from htag.snapshot.writer import Writer, write


def dump(app: App) -> bytes:
    """`app` as a payload for `load`. Nothing changes in it. Raises Pinned."""
    file = io.BytesIO()
    return write(Writer(file, app), file)
