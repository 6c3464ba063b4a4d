"""The secret that signs session ids, made once and kept in a file that all workers and containers share."""

import os
import secrets
from pathlib import Path

from htag_stack.errors import StartError

SECRET_LENGTH = 32  # characters; fewer than 128 bits of even a hexadecimal secret could be searched
_MADE_BYTES = 48


def read_or_make(path: Path) -> str:
    """Read the secret in the file `path`, which is made if it is not there. Raises `StartError`."""
    try:
        if not path.exists():
            _make(path)
        secret = path.read_text().strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise StartError(
            f"The secret file {path} cannot be read or made: {reason}; set HTAG_SECRET or HTAG_SECRET_FILE."
        ) from error
    if len(secret) < SECRET_LENGTH:
        raise StartError(f"The secret in {path} is too short: a secret has at least {SECRET_LENGTH} characters.")
    return secret


def _make(path: Path) -> None:
    """Write a new secret to `path`, unless another process was faster.

    The complete file is linked there in one step, so that no process reads half a secret.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(_MADE_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # another container's secret is there; it is the one to use
    finally:
        draft.unlink(missing_ok=True)
