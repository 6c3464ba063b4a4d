-- KEYS[1]: the session. ARGV: the generation that may drop it, for how many milliseconds a late writer is to be refused.
-- Returns 1 if it was dropped, or was not there; 0 if another worker with a greater generation has it.
local stored = tonumber(string.match(redis.call('GETRANGE', KEYS[1], 0, 24), '^%d+'))
if stored and stored > tonumber(ARGV[1]) then
    return 0
end
redis.call('SET', KEYS[1], ARGV[1] .. '-', 'PX', ARGV[2])
return 1
