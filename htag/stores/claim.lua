-- KEYS[1]: the session. ARGV: milliseconds to live, the new owner.
-- Returns the new generation, and the record as it was; or nothing, having written nothing, where there is no session.
-- At least the clock (microseconds), not just one more: if the server came back with older data, one more may be a generation
-- that another worker was given before.
local record = redis.call('GET', KEYS[1])
local generation = string.match(record or '', '^(%d+) ')
if not generation then
    return false
end
local now = redis.call('TIME')
local new = string.format('%.0f', math.max(tonumber(generation) + 1, now[1] * 1000000 + now[2]))
local data = string.sub(record, string.find(record, '\n', 1, true), -1)
redis.call('SET', KEYS[1], new .. ' ' .. ARGV[2] .. data, 'PX', ARGV[1])
return {new, record}
