-- WAL: workers read while one writes. NORMAL: a power cut may lose the last moments, it never breaks the file.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;

CREATE TABLE IF NOT EXISTS session (
    id TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    data BLOB,
    expires REAL NOT NULL -- seconds since 1970
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS session_expires ON session (expires);
