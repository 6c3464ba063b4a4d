-- WAL: workers read while one writes. NORMAL: a power cut may lose the last moments, it never breaks the file.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;

-- What earlier versions made and never filled.
DROP TABLE IF EXISTS session;

CREATE TABLE IF NOT EXISTS record (
    id TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    owner TEXT NOT NULL,
    expires REAL NOT NULL, -- seconds since 1970
    data BLOB -- NULL: dropped; the generation stays for a while, so that a late writer is refused
);

CREATE INDEX IF NOT EXISTS record_expires ON record (expires);

-- How many writes of each worker the file has: a number that goes back says that the file has.
CREATE TABLE IF NOT EXISTS pulse (
    worker TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    expires REAL NOT NULL
);
