INSERT INTO record (id, generation, owner, expires, data) VALUES (:id, :generation, '', :expires, NULL)
ON CONFLICT (id) DO UPDATE SET generation = :generation, owner = '', expires = :expires, data = NULL
WHERE record.generation <= :generation OR record.expires < :now;
