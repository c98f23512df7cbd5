import { DROP, JOB, MOVE, ROW, script, WAKE } from './lua.ts';
import { QUERIES, type QueryName } from './queries.ts';

/** How many mails one call takes back or deletes, so that none holds Redis for long. */
const BATCH = 1_000;

export type ScriptName =
  | QueryName
  | 'open'
  | 'convert'
  | 'use'
  | 'keep'
  | 'enqueue'
  | 'claim'
  | 'renew'
  | 'mark'
  | 'settle'
  | 'recover'
  | 'buckets'
  | 'swap';

/** What the store asks of Redis: each is one step, which nothing else comes between. */
export const SCRIPTS: Readonly<Record<ScriptName, string>> = {
  /** The version of the layout. */
  open: `redis.call('SETNX', KEYS[1] .. 'version', ARGV[1]) return redis.call('GET', KEYS[1] .. 'version')`,

  /**
   * Mails of the first version were hashes. ARGV: an id that all are behind, and the version that is reached after the last one; answers
   * with the id to go on behind, or nothing.
   */
  convert: script(`
local ids = call('ZRANGEBYLEX', B .. 'ids', ARGV[1] == '' and '-' or '(' .. ARGV[1], '+', 'LIMIT', 0, ${BATCH})
for _, id in ipairs(ids) do
  local name = B .. 'm:' .. id
  if call('TYPE', name).ok == 'hash' then
    local flat, m = call('HGETALL', name), { id = id }
    for i = 1, #flat, 2 do m[flat[i]] = flat[i + 1] end
    for _, field in ipairs({ 'fence', 'tries', 'due', 'created', 'changed', 'priority', 'seq', 'till' }) do m[field] = tonumber(m[field]) end
    m.job, m.lease = m.job == '1', tonumber(call('ZSCORE', B .. 'leases', id) or nil)
    gone[#gone + 1] = name
    save(m)
  end
end
flush()
if #ids == 0 then call('SET', B .. 'version', ARGV[2]) end
return ids[#ids] or ''`),

  /** Blobs that are there are used again; answers with the hashes of those that are not. */
  use: script(`
local missing = {}
for _, hash in ipairs(ARGV) do
  if call('HEXISTS', B .. 'refs', hash) == 0 then missing[#missing + 1] = hash
  else
    call('HSET', B .. 'used', hash, now)
    if call('ZSCORE', B .. 'idle', hash) then call('ZADD', B .. 'idle', now, hash) end
  end
end
return missing`),

  /** ARGV: a hash and its bytes. */
  keep: script(`
if call('HSETNX', B .. 'refs', ARGV[1], 0) == 1 then
  call('SET', B .. 'b:' .. ARGV[1], ARGV[2])
  call('ZADD', B .. 'idle', now, ARGV[1])
end
call('HSET', B .. 'used', ARGV[1], now)
return 1`),

  /** ARGV: whether they are shown as jobs, then eleven texts a mail; answers with an id for each. */
  enqueue: script(
    JOB,
    `
local known, lanes, out = {}, {}, {}
local seq = call('INCRBY', B .. 'seq', (#ARGV - 1) / 11) - (#ARGV - 1) / 11
local ids = {}
for i = 12, #ARGV, 11 do
  ids[#ids + 1] = ARGV[i - 10]
  for hash in string.gmatch(ARGV[i], '%S+') do
    if not known[hash] and call('HEXISTS', B .. 'refs', hash) == 0 then return redis.error_reply('GONE a blob is not there') end
    known[hash] = true
  end
end
load(ids)
local function given(text) return text ~= '' and text or nil end
for i = 2, #ARGV, 11 do
  local id, key, lane, priority, order, mid, due, onDoubt, facts, content, blobs = unpack(ARGV, i, i + 10)
  local other = read(id) and id or key ~= '' and call('HGET', B .. 'keys', key)
  if not other then
    seq = seq + 1
    local m = { id = id, state = 'queued', fence = 0, lane = lane, tries = 0, job = ARGV[1] == '1', doubt = onDoubt,
      due = tonumber(due) or now, created = now, changed = now, priority = tonumber(priority), seq = seq, key = given(key),
      order = given(order), mid = given(mid), blobs = given(blobs) }
    save(m)
    if key ~= '' then call('HSET', B .. 'keys', key, id) end
    for hash in string.gmatch(blobs, '%S+') do
      if call('HINCRBY', B .. 'refs', hash, 1) == 1 then call('ZREM', B .. 'idle', hash) end
    end
    for _, text in ipairs({ B .. 'f:' .. id, facts, B .. 'c:' .. id, content }) do texts[#texts + 1] = text end
    put(B .. 'ids', id, 0)
    put(B .. 'in:queued:' .. lane, id, m.due)
    if not lanes[lane] then call('SADD', B .. 'lanes', lane) end
    lanes[lane] = true
    if m.order then call('ZADD', B .. 'o:' .. order, seq, id) end
    place(m)
    if m.job then
      call('HSET', Q .. id, 'name', lane, 'data', facts, 'opts', '{}', 'timestamp', now, 'delay', math.max(0, m.due - now), 'priority', 0)
      showQueued(m)
    end
  end
  out[#out + 1] = other or id
end`,
    WAKE,
    'return out',
  ),

  /**
   * ARGV: the time of the lease, the limit, then a lane and its limit each; answers with the time to the next, then eleven texts a mail.
   *
   * Fences go with the time: what a Redis hands out that has forgotten a claim is none that somebody still has.
   */
  claim: script(
    JOB,
    `
local lease, limit, out, given = now + ARGV[1], tonumber(ARGV[2]), { '' }, 0
local due = call('ZRANGEBYSCORE', B .. 'later', '-inf', now, 'LIMIT', 0, ${BATCH})
load(due)
for _, id in ipairs(due) do
  local m = read(id)
  put(B .. 'later', id)
  place(m)
  if m.job then
    put(Q .. 'delayed', id)
    showQueued(m)
  end
end
flush()
local function take(lane, most)
  local pause = call('HGET', B .. 'pauses', lane)
  if pause then
    if tonumber(string.match(pause, '%S+')) > now then return end
    most = math.min(1, most)
  end
  if most < 1 then return end
  most = math.min(most, 1000)
  local members = call('ZRANGE', B .. 'ready:' .. lane, 0, most - 1)
  if #members == 0 then return end
  local ids, leases, since, names, shown = {}, {}, {}, {}, {}
  for i, each in ipairs(members) do
    local id = string.sub(each, 17)
    ids[i], leases[2 * i - 1], leases[2 * i], since[2 * i - 1], since[2 * i] = id, lease, id, now, id
    names[2 * i - 1], names[2 * i] = B .. 'f:' .. id, B .. 'c:' .. id
  end
  call('ZREM', B .. 'ready:' .. lane, unpack(members))
  call('ZREM', B .. 'in:queued:' .. lane, unpack(ids))
  call('ZADD', B .. 'in:claimed:' .. lane, unpack(since))
  call('ZADD', B .. 'leases', unpack(leases))
  local kept = call('MGET', unpack(names))
  load(ids)
  for i, id in ipairs(ids) do
    local m = read(id)
    m.state, m.changed, m.lease, m.fence = 'claimed', now, lease, math.max(m.fence + 1, time[1] * 1000000 + time[2])
    save(m)
    if m.job then
      shown[#shown + 1] = id
      hide(id, 'queued')
      call('HSET', Q .. id, 'processedOn', now)
    end
    for _, text in ipairs({ id, lane, m.fence, m.tries, m.doubt, m.created, m.request or '', (m.till or now) - now, kept[2 * i - 1] or '{}', kept[2 * i] or '', pause and '1' or '' }) do
      out[#out + 1] = text
    end
  end
  if #shown > 0 then call('LPUSH', Q .. 'active', unpack(shown)) end
  given = given + #ids
  if pause then call('HSET', B .. 'pauses', lane, string.format('%d', lease) .. string.match(pause, ' .*')) end
end
for i = 3, #ARGV, 2 do take(ARGV[i], math.min(ARGV[i + 1], limit - given)) end
for i = 3, #ARGV, 2 do take(ARGV[i], limit - given) end
flush()
local next = tonumber(call('ZRANGE', B .. 'later', 0, 0, 'WITHSCORES')[2])
for _, pause in ipairs(call('HVALS', B .. 'pauses')) do
  local till = tonumber(string.match(pause, '%S+'))
  if till > now then next = math.min(next or till, till) end
end
if next then out[1] = string.format('%d', math.max(0, next - now)) end
return out`,
  ),

  /** ARGV: the time of the lease, then an id and a fence each; answers with the places of those that are held. */
  renew: script(`
local out, ids = {}, {}
for i = 2, #ARGV, 2 do ids[#ids + 1] = ARGV[i] end
load(ids)
for i, id in ipairs(ids) do
  local m = read(id)
  if m and m.fence == tonumber(ARGV[2 * i + 1]) and (m.state == 'claimed' or m.state == 'sending') then
    m.lease = now + ARGV[1]
    save(m)
    put(B .. 'leases', id, m.lease)
    out[#out + 1] = i - 1
  end
end
flush()
return out`),

  /** ARGV: an id, a fence, a request and its time each; answers with the places of those that may leave. */
  mark: script(`
local out, ids = {}, {}
for i = 1, #ARGV, 4 do ids[#ids + 1] = ARGV[i] end
load(ids)
for i, id in ipairs(ids) do
  local m, fence, request, ms = read(id), unpack(ARGV, 4 * i - 2, 4 * i)
  if m and m.state == 'claimed' and m.fence == tonumber(fence) and m.lease > now then
    if request == '' then m.request = nil
    elseif request ~= m.request then m.request, m.till = request, now + ms end
    m.state, m.changed = 'sending', now
    save(m)
    put(B .. 'in:claimed:' .. m.lane, id)
    put(B .. 'in:sending:' .. m.lane, id, now)
    if m.mid then put(B .. 'doubts', doubt(m), 0) end
    out[#out + 1] = i - 1
  end
end
flush()
return out`),

  /** ARGV: how many pauses, three texts each, then nine a settlement; answers with whether there may be more to claim, and the ids. */
  settle: script(
    JOB,
    MOVE,
    DROP,
    `
local out, first = { '' }, 2 + ARGV[1] * 3
for i = 2, first - 1, 3 do
  if tonumber(ARGV[i + 1]) > 0 then
    call('HSET', B .. 'pauses', ARGV[i], string.format('%d ', now + ARGV[i + 1]) .. ARGV[i + 2])
  else woken = call('HDEL', B .. 'pauses', ARGV[i]) == 1 or woken end
end
local ids = {}
for i = first, #ARGV, 9 do ids[#ids + 1] = ARGV[i] end
load(ids)
for i = first, #ARGV, 9 do
  local id, fence, from, to, after, tried, facts, keeps, drops = unpack(ARGV, i, i + 8)
  local m = read(id)
  if m and (fence == '' or m.fence == tonumber(fence)) and string.find(from, ' ' .. m.state .. ' ', 1, true) then
    m.fence = m.fence + 1
    m.tries = m.tries + tried
    m.due = now + after
    if facts == '' then facts = nil else texts[#texts + 1], texts[#texts + 2] = B .. 'f:' .. id, facts end
    if keeps ~= '1' then m.request = nil end
    if drops == '1' then drop(m) end
    move(m, to, facts)
    out[#out + 1] = id
  end
end`,
    WAKE,
    `
if woken then out[1] = '1' end
return out`,
  ),

  /** ARGV: nothing, or after how long ended ones are deleted; answers with how many were, how many were claimed, and all as rows. */
  recover: script(
    JOB,
    MOVE,
    DROP,
    ROW,
    `
local unsent, doubtful, pruned = {}, {}, 0
-- First: a Redis that is full lets a script go on that begins by deleting.
if ARGV[1] then
  for _, lane in ipairs(call('SMEMBERS', B .. 'lanes')) do
    for _, state in ipairs({ 'sent', 'failed', 'cancelled' }) do
      local ended = B .. 'in:' .. state .. ':' .. lane
      local ids = call('ZRANGEBYSCORE', ended, '-inf', now - ARGV[1], 'LIMIT', 0, ${BATCH} - pruned)
      load(ids)
      for _, id in ipairs(ids) do
        local m = read(id)
        call('DEL', B .. 'm:' .. id, B .. 'f:' .. id)
        drop(m)
        if m.key then call('HDEL', B .. 'keys', m.key) end
        if m.mid then put(B .. 'doubts', doubt(m)) end
        if m.job then
          hide(id, state)
          call('DEL', Q .. id)
        end
        put(ended, id)
        put(B .. 'ids', id)
        pruned = pruned + 1
      end
    end
  end
  for _, hash in ipairs(call('ZRANGEBYSCORE', B .. 'idle', '-inf', now - 86400000, 'LIMIT', 0, ${BATCH})) do
    call('DEL', B .. 'b:' .. hash)
    call('HDEL', B .. 'refs', hash)
    call('HDEL', B .. 'used', hash)
    call('ZREM', B .. 'idle', hash)
  end
end
local over = call('ZRANGEBYSCORE', B .. 'leases', '-inf', now, 'LIMIT', 0, ${BATCH})
load(over)
for _, id in ipairs(over) do
  local m = read(id)
  if m.state == 'claimed' then
    move(m, 'queued')
    row(unsent, m)
  else
    m.tries = m.tries + 1
    local again = m.doubt == 'resend' or m.request and m.till > now
    if again then m.fence = m.fence + 1 end
    move(m, again and 'queued' or 'in-doubt')
    row(doubtful, m)
  end
end`,
    WAKE,
    `return { pruned, unsent, doubtful }`,
  ),

  ...QUERIES,

  /** ARGV: names of buckets, none for all; answers with the time, the names, and what is kept of each. */
  buckets: script(`
local names, kept = #ARGV == 0 and call('HKEYS', B .. 'buckets') or ARGV, {}
for i, name in ipairs(names) do kept[i] = call('HGET', B .. 'buckets', name) or '' end
return { now, names, kept }`),

  /** ARGV: the name of a bucket, what was kept of it, and what is to be, each; answers with 1 when nothing had changed. */
  swap: script(`
for i = 1, #ARGV, 3 do if (call('HGET', B .. 'buckets', ARGV[i]) or '') ~= ARGV[i + 1] then return 0 end end
for i = 1, #ARGV, 3 do call('HSET', B .. 'buckets', ARGV[i], ARGV[i + 2]) end
return 1`),
};
