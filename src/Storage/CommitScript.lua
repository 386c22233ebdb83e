-- One step for the commits of one or more partitions. KEYS: the partitions' hashes; more than one only where a server holds them all.
-- ARGV: the installation's id, the most entries that a feed may hold; then for each key the number of its commits and their kind; the
-- expected version of each (8 bytes, empty for a new record); of each version field, new stamp (version and commit id), record field and
-- record; and of each
--   kind 's': its one fact
--   kind 'c': number of fences, (field, expected) each, number of more fields, (field, value) each, number of facts, payload each
-- Replies one digit per commit: 0 applied, 1 conflict, 2 fence raised, 3 applied by an earlier send, 4 the feed is full, 5 the partition
-- is not this installation's.
-- All writes into a partition are in ONE command: only a single command is atomic across a crash on every server.
local unpack = unpack or table.unpack
local sub, format = string.sub, string.format
local mine, beyond, verdicts, i = ARGV[1], tonumber(ARGV[2]), {}, 3
for k = 1, #KEYS do
  local key, count, complete = KEYS[k], tonumber(ARGV[i]), ARGV[i + 1] == 'c'
  local expected, fields = i + 1, i + 2 + count - 4
  local rest = fields + 4 * count + 4
  i = rest

  local names, n = {'h', 't', 'i'}, 3
  for c = 1, count do
    n = n + 1
    names[n] = ARGV[fields + 4 * c]
    if complete then
      local fences = tonumber(ARGV[i])
      i = i + 1
      for _ = 1, fences do
        n = n + 1
        names[n] = ARGV[i]
        i = i + 2
      end
      i = i + 1 + 2 * tonumber(ARGV[i])
      i = i + 1 + tonumber(ARGV[i])
    else
      i = i + 1
    end
  end

  local values, current = redis.call('HMGET', key, unpack(names)), {}
  for v = 4, n do
    current[names[v]] = values[v] or nil
  end
  local before, last, is_mine = tonumber(values[1] or 0), tonumber(values[2] or 0) + beyond, values[3] == mine
  local head, at, writes, w = before, rest, {}, 0
  for c = 1, count do
    local f = fields + 4 * c
    local field, stamp = ARGV[f], ARGV[f + 1]
    local stored, verdict = current[field] or '', '0'
    if not is_mine then
      verdict = '5'
    elseif sub(stored, 1, 8) ~= ARGV[expected + c] then
      verdict = sub(stored, 9) == sub(stamp, 9) and '3' or '1'
    end
    local more, facts = 0, 1
    if complete then
      local fences = tonumber(ARGV[at])
      at = at + 1
      for _ = 1, fences do
        if verdict == '0' and (current[ARGV[at]] or '0') ~= ARGV[at + 1] then
          verdict = '2'
        end
        at = at + 2
      end
      more = 2 * tonumber(ARGV[at])
      facts = tonumber(ARGV[at + more + 1])
      at = at + 1
    end
    if verdict == '0' and head >= last then
      verdict = '4'
    end
    if verdict == '0' then
      current[field] = stamp
      writes[w + 1], writes[w + 2], writes[w + 3], writes[w + 4] = field, stamp, ARGV[f + 2], ARGV[f + 3]
      w = w + 4
      for m = 1, more do
        writes[w + m] = ARGV[at + m - 1]
      end
      w = w + more
    end
    if complete then
      at = at + more + 1
    end
    if verdict == '0' then
      for m = at, at + facts - 1 do
        head = head + 1
        writes[w + 1], writes[w + 2] = 'f' .. format('%d', head), ARGV[m]
        w = w + 2
      end
    end
    at = at + facts
    verdicts[#verdicts + 1] = verdict
  end
  if w > 0 then
    if head > before then
      writes[w + 1], writes[w + 2] = 'h', format('%d', head)
    end
    redis.call('HSET', key, unpack(writes))
  end
end
return table.concat(verdicts)
