UPDATE record SET expires = :expires WHERE id = :id AND data IS NOT NULL AND expires >= :now;
