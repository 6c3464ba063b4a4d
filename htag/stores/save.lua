-- KEYS: the worker's count of writes, then sessions. ARGV: milliseconds to live, then of each session: generation, record.
-- Returns the count, then for each session 1 if it was saved, 0 if it was refused: another worker with a greater generation has
-- it, or it was dropped. A record is 'generation owner\ndata', that of a dropped session 'generation-'.
local answers = {redis.call('INCR', KEYS[1])}
redis.call('EXPIRE', KEYS[1], 86400) -- a day without a pulse: the worker is gone
for place = 2, #KEYS do
    local generation = tonumber(ARGV[2 * place - 2])
    local stored, mark = string.match(redis.call('GETRANGE', KEYS[place], 0, 24), '^(%d+)([ -])')
    stored = tonumber(stored or -1)
    if stored < generation or (stored == generation and mark == ' ') then
        redis.call('SET', KEYS[place], ARGV[2 * place - 1], 'PX', ARGV[1])
        answers[place] = 1
    else
        answers[place] = 0
    end
end
return answers
