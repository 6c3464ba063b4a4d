-- No row is changed where a worker with a greater generation has the session, or it was dropped. What has expired counts no more.
INSERT INTO record (id, generation, owner, expires, data) VALUES (:id, :generation, :owner, :expires, :data)
ON CONFLICT (id) DO UPDATE SET generation = :generation, owner = :owner, expires = :expires, data = :data
WHERE record.generation < :generation OR (record.generation = :generation AND record.data IS NOT NULL)
   OR record.expires < :now;
