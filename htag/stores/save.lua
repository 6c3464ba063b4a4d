-- KEYS[1]: the session. ARGV: the generation that may save, milliseconds to live, the data. Returns 1 if it was saved.
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
    return 0
end
redis.call('HSET', KEYS[1], 'data', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
