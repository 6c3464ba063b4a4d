-- KEYS[1]: the session. ARGV[1]: milliseconds to live. Returns the new generation, and what was last saved or nil.
-- A session that is new here begins at the clock (microseconds) and not at 1: so whoever claimed it before it was dropped or
-- had expired holds a lower generation for ever, and cannot overwrite what comes now.
local now = redis.call('TIME')
local first = string.format('%d%06d', now[1], now[2])
local generation
if redis.call('HSETNX', KEYS[1], 'generation', first) == 1 then
    generation = first
else
    redis.call('HINCRBY', KEYS[1], 'generation', 1)
    generation = redis.call('HGET', KEYS[1], 'generation')
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {generation, redis.call('HGET', KEYS[1], 'data')}
