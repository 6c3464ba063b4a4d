"""How a start fails: with one sentence for the operator, and an exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

EXIT_CANNOT_START = 2  # the conventional "wrong usage": restarting without changing something will not help


class StartError(Exception):
    """The program cannot start; the message is one sentence that says why and what to change."""


@contextmanager
def exit_on_start_error() -> Iterator[None]:
    """Turn a `StartError` inside `with` into its sentence on stderr and exit code 2."""
    try:
        yield
    except StartError as error:
        print(f"htag: {error}", file=sys.stderr)
        sys.exit(EXIT_CANNOT_START)
