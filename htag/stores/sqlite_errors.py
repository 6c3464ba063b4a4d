"""What SQLite's and the disk's errors mean for an operator."""

import sqlite3

_SENTENCES = {
    sqlite3.SQLITE_BUSY: "another process has locked the file, and does not let go",
    sqlite3.SQLITE_LOCKED: "another process has locked the file, and does not let go",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "the file or its folder cannot be written",
    sqlite3.SQLITE_PERM: "the file or its folder cannot be written",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: its folder must exist, and be writable for this user",
    sqlite3.SQLITE_NOTADB: "the file is no SQLite database; move it away, and a new one is made",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; move it away, and a new one is made",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
}


def sentence(error: sqlite3.Error | OSError) -> str:
    """Say in plain words what is wrong, then in SQLite's."""
    code = getattr(error, "sqlite_errorcode", None)
    meaning = None if code is None else _SENTENCES.get(code & 0xFF)  # the low byte; above it are details
    return f"{meaning} ({error})" if meaning else str(error)
