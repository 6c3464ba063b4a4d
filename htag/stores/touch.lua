-- KEYS: sessions. ARGV[1]: milliseconds to live. What was dropped is left to be forgotten.
for _, key in ipairs(KEYS) do
    if string.match(redis.call('GETRANGE', key, 0, 24), '^%d+ ') then
        redis.call('PEXPIRE', key, ARGV[1])
    end
end
