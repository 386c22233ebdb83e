-- One step for a group of commits of one partition. KEYS[1]: the partition's hash.
-- ARGV: the installation's id, the most entries that the feed may hold, number of commits; for each: version field, expected
-- version (8 bytes, empty for a new record), new stamp (version and commit id), number of fences, (field, expected) each;
-- number of fields, (field, value) each; number of facts, payload each.
-- Replies one number per commit: the feed's head after it, -1 conflict, -2 fence raised, -3 applied by an earlier send, -4 the
-- feed is full, -5 the partition is not this installation's.
-- All writes are in ONE command: only a single command is atomic across a crash on every server.
local unpack = unpack or table.unpack
local key, count = KEYS[1], tonumber(ARGV[3])

-- One commit with one fact and without fences or a cold part: the same steps as below, without their tables.
if count == 1 and ARGV[7] == '0' and ARGV[8] == '1' and ARGV[11] == '1' then
  local now = redis.call('HMGET', key, 'h', 't', 'i', ARGV[4])
  local stored, head = now[4] or '', tonumber(now[1] or '0')
  if now[3] ~= ARGV[1] then
    return {-5}
  elseif string.sub(stored, 9) == string.sub(ARGV[6], 9) then
    return {-3}
  elseif string.sub(stored, 1, 8) ~= ARGV[5] then
    return {-1}
  elseif head >= tonumber(now[2] or '0') + tonumber(ARGV[2]) then
    return {-4}
  end
  head = head + 1
  local text = string.format('%.0f', head)
  redis.call('HSET', key, ARGV[4], ARGV[6], ARGV[9], ARGV[10], 'f' .. text, ARGV[12], 'h', text)
  return {head}
end

local names, starts, i = {'h', 't', 'i'}, {}, 4
for c = 1, count do
  starts[c] = i
  names[#names + 1] = ARGV[i]
  local fences = tonumber(ARGV[i + 3])
  i = i + 4
  for _ = 1, fences do
    names[#names + 1] = ARGV[i]
    i = i + 2
  end
  i = i + 1 + 2 * tonumber(ARGV[i])
  i = i + 1 + tonumber(ARGV[i])
end
local values, current = redis.call('HMGET', key, unpack(names)), {}
for n = 1, #names do
  current[names[n]] = values[n] or nil
end
local before, isMine = tonumber(current['h'] or '0'), current['i'] == ARGV[1]
local last = tonumber(current['t'] or '0') + tonumber(ARGV[2])
local head, writes, verdicts = before, {}, {}
for c = 1, count do
  i = starts[c]
  local field, expected, stamp, fences = ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3])
  local stored, verdict = current[field] or '', 0
  if not isMine then
    verdict = -5
  elseif string.sub(stored, 9) == string.sub(stamp, 9) then
    verdict = -3
  elseif string.sub(stored, 1, 8) ~= expected then
    verdict = -1
  end
  i = i + 4
  for _ = 1, fences do
    if verdict == 0 and (current[ARGV[i]] or '0') ~= ARGV[i + 1] then
      verdict = -2
    end
    i = i + 2
  end
  if verdict == 0 and head >= last then
    verdict = -4
  end
  if verdict == 0 then
    current[field] = stamp
    writes[#writes + 1] = field
    writes[#writes + 1] = stamp
    local fields = tonumber(ARGV[i])
    for n = i + 1, i + 2 * fields do
      writes[#writes + 1] = ARGV[n]
    end
    i = i + 1 + 2 * fields
    for n = i + 1, i + tonumber(ARGV[i]) do
      head = head + 1
      writes[#writes + 1] = string.format('f%.0f', head)
      writes[#writes + 1] = ARGV[n]
    end
    verdict = head
  end
  verdicts[c] = verdict
end
if head > before then
  writes[#writes + 1] = 'h'
  writes[#writes + 1] = string.format('%.0f', head)
end
if #writes > 0 then
  redis.call('HSET', key, unpack(writes))
end
return verdicts
