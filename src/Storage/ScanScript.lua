-- One step of a scan. KEYS[1]: the partition's hash. ARGV: cursor, pattern, how many fields to look at, and what was taken away of the
-- feed at the step before (the field 'd').
-- Replies the id of the server's run, the installation's id, the next cursor, the field 'd', and field and value by turns: of one
-- moment, and so of one run. A cursor means nothing to another run.
local server = redis.call('INFO', 'server')
local now = redis.call('HMGET', KEYS[1], 'i', 't', 'd')
local cursor, fields, removed = ARGV[1], tonumber(ARGV[3]), now[3] or '0'

-- The embedded server's cursor counts fields, and each that is taken away before it would leave one out behind it: it steps back by as
-- many as may be gone, which stand between what was taken away then and what is given up now ('t').
if cursor ~= '0' and string.find(server, 'garnet_version', 1, true) then
  local gone = tonumber(now[2] or '0') - tonumber(ARGV[4])
  cursor = string.format('%.0f', math.max(tonumber(cursor) - gone, 0))
  fields = fields + gone
end

local step = redis.call('HSCAN', KEYS[1], cursor, 'MATCH', ARGV[2], 'COUNT', string.format('%.0f', fields))
return {string.match(server, 'run_id:(%x+)') or '', now[1] or '', step[1], removed, step[2]}
