-- A session that is new here begins at the clock (:first, microseconds) and not at 1: so whoever claimed it before it was
-- dropped or had expired holds a lower generation for ever, and cannot overwrite what comes now.
INSERT INTO session (id, generation, data, expires) VALUES (:id, :first, NULL, :expires)
ON CONFLICT (id) DO UPDATE SET generation = generation + 1, expires = :expires
RETURNING generation, data;
