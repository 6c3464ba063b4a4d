DELETE FROM session WHERE id = :id AND generation = :generation;
