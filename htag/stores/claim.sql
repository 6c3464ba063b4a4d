-- At least the clock (microseconds), not just one more: if the file is an older copy of itself, one more may be a
-- generation that another worker was given before.
UPDATE record SET generation = max(generation + 1, :clock), owner = :owner, expires = :expires WHERE id = :id
RETURNING generation;
