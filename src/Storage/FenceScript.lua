-- Raises one fence of one partition, never lowers it. KEYS[1]: the partition's hash. ARGV: field, value.
if tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0') < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
return 1
