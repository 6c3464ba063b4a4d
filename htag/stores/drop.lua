-- KEYS[1]: the session. ARGV[1]: the generation that may drop it. Returns 1 if it was dropped.
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
    return 0
end
return redis.call('DEL', KEYS[1])
