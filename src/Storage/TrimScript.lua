-- Raises the mark of what is given up of one partition's feed to the lowest durable position. KEYS: the partition's hash, the hash of
-- the feed's readers. ARGV: the installation's id, the newest entries to keep.
-- Replies status (1, or -5: not this installation's), head, mark, what is taken away, the slowest reader (empty for none) and its
-- sequence, then name and stored bytes of each reader that is let go.
-- Readers and mark are in one step, so that no reader registers between them. One write.
local now = redis.call('HMGET', KEYS[1], 'i', 'h', 't', 'd')
if now[1] ~= ARGV[1] then
  return {-5}
end
local head, given, removed = tonumber(now[2] or '0'), tonumber(now[3] or '0'), tonumber(now[4] or '0')
local mark, slowest, lowest, gone = head - tonumber(ARGV[2]), '', 0, {}
local readers = redis.call('HGETALL', KEYS[2])
for n = 1, #readers, 2 do
  local sequence, most = string.match(readers[n + 1], '^(%d+) %x+ (%d+)$')
  local at, lagMax = tonumber(sequence), tonumber(most)
  if (at <= given and given > 0) or (lagMax > 0 and head - at > lagMax) then
    gone[#gone + 1] = readers[n]
    gone[#gone + 1] = readers[n + 1]
  else
    if slowest == '' or at < lowest then
      slowest, lowest = readers[n], at
    end
    -- The entry at the position stays: by it the reader's next question is compared.
    mark = math.min(mark, at - 1)
  end
end
if mark > given then
  redis.call('HSET', KEYS[1], 't', string.format('%.0f', mark))
else
  mark = given
end
local reply = {1, head, mark, removed, slowest, lowest}
for n = 1, #gone do
  reply[#reply + 1] = gone[n]
end
return reply
