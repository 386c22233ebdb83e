-- Registers a durable reader of one partition's feed, or moves it forward. KEYS: the partition's hash, the hash of its readers.
-- ARGV: the installation's id, the reader's name, its sequence, the field of that entry, the entry's bytes (empty for sequence 0),
-- what is stored of it, the most readers, '1' to register or '0' to move.
-- Replies a status and what is stored: 1 held, 2 trimmed, 3 rewound, 4 not registered, 5 too many, -5 not this installation's.
-- Registering compares with the trim mark in the step that writes: a trim before it is seen here, one after it sees the reader.
local now = redis.call('HMGET', KEYS[1], 'i', 'h', 't', ARGV[4])
if now[1] ~= ARGV[1] then
  return {-5, ''}
end
local head, given, at = tonumber(now[2] or '0'), tonumber(now[3] or '0'), tonumber(ARGV[3])
local stored = redis.call('HGET', KEYS[2], ARGV[2]) or ''
local from = tonumber(string.match(stored, '^%d+') or '-1')

-- One that the mark has passed is registered no more, whether its field is taken away already or not.
if from <= given and given > 0 then
  from = -1
end
if from < 0 and ARGV[8] == '0' then
  return {4, ''}
elseif from >= 0 and (ARGV[8] == '1' or from >= at) then
  return {1, stored}
elseif at > head then
  return {3, ''}
elseif at <= given and given > 0 then
  return {2, ''}
elseif (now[4] or '') ~= ARGV[5] then
  return {3, ''}
elseif stored == '' and redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[7]) then
  return {5, ''}
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[6])
return {1, ARGV[6]}
