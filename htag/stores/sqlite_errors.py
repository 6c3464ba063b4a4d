"""What SQLite's and the disk's errors mean for an operator."""

import errno
import sqlite3

_LOCKED = "another process has locked the file, and does not let go"
_FULL = "the disk is full"
_SHUT = "the file or its folder cannot be written to by this user"
_FAILING = "the disk reports an error"
_SENTENCES = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _SHUT,
    sqlite3.SQLITE_PERM: _SHUT,
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: its folder must exist, and be writable for this user",
    sqlite3.SQLITE_NOTADB: "the file is no SQLite database; move it away, and a new one is made",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; move it away, and a new one is made",
    sqlite3.SQLITE_IOERR: _FAILING,
}
_OF_THE_DISK = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _SHUT,
    errno.EPERM: _SHUT,
    errno.EROFS: _SHUT,
    errno.EIO: _FAILING,
}


def sentence(error: sqlite3.Error | OSError) -> str:
    """Say in plain words what is wrong, then in SQLite's or the system's."""
    meaning = _meaning(error)
    return f"{meaning} ({error})" if meaning else str(error)


def _meaning(error: sqlite3.Error | OSError) -> str | None:
    if isinstance(error, OSError):
        return _OF_THE_DISK.get(error.errno or 0)
    return _SENTENCES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)  # the low byte; above it are details
