-- KEYS[1]: the worker's count of writes.
local count = redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], 86400) -- a day without a pulse: the worker is gone
return count
