-- Takes a reader away that was let go, unless it registered anew meanwhile. KEYS[1]: the hash of the readers. ARGV: name, what was stored.
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], ARGV[1])
end
return 1
