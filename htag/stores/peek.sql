-- Cast: SQLite keeps in a column what it is given, and another program may have given it a text.
SELECT CAST(generation AS INTEGER), CAST(owner AS TEXT), CAST(data AS BLOB) FROM record
WHERE id = :id AND data IS NOT NULL AND expires >= :now;
