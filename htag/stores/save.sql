UPDATE session SET data = :data, expires = :expires WHERE id = :id AND generation = :generation;
