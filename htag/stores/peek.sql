SELECT generation, owner, data FROM record WHERE id = :id AND data IS NOT NULL AND expires >= :now;
