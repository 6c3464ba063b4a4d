-- So many at once, so that the others do not wait long.
DELETE FROM record WHERE id IN (SELECT id FROM record WHERE expires < :now LIMIT 500);
