INSERT INTO pulse (worker, count, expires) VALUES (:worker, 1, :expires)
ON CONFLICT (worker) DO UPDATE SET count = count + 1, expires = :expires
RETURNING count;
