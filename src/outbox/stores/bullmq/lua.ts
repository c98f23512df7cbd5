/**
 * What every script begins with. `KEYS[1]` is what the names of all keys of the outbox begin with, `bull:mail:outbox:`; those of
 * the BullMQ queue, in which mails are shown as jobs, begin with the same but for the last part.
 *
 * `m:ID` is a mail, packed (MessagePack), `f:ID` its facts, `c:ID` its content. `ready:LANE` has what can be claimed, by priority and number, `later` what
 * can be at a time, `leases` what workers have, until when, `in:STATE:LANE` all, by the time since when, `o:KEY` those of an order
 * that are not through, by number: only the first of them is in `ready` or `later`. `doubts` has what may have been sent, by Message-ID.
 *
 * `put` gathers what changes in sorted sets, `save` mails that change, `gone` keys to delete and `texts` keys to set; `flush` changes it
 * with few commands, as Redis writes each one that a script runs into its log. What something is gathered for may not be read; mails
 * may, by `read`, and `load` reads many in one command before they are.
 *
 * Scripts write nothing before they know that they can: Redis does not undo what a script has done that fails.
 */
const PRELUDE: string = `
local call, B = redis.call, KEYS[1]
local Q = string.sub(B, 1, -8)
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local OPEN = { queued = true, claimed = true, sending = true }
local woken = false
local mails, saved = {}, {}
local function load(ids)
  for i = 1, #ids, 2000 do
    local last = math.min(i + 1999, #ids)
    local names = {}
    for j = i, last do names[#names + 1] = B .. 'm:' .. ids[j] end
    for j, text in ipairs(call('MGET', unpack(names))) do
      local id = ids[i + j - 1]
      if mails[id] == nil then mails[id] = text and cmsgpack.unpack(text) end
    end
  end
end
local function read(id)
  if mails[id] == nil then load({ id }) end
  return mails[id] or nil
end
local function save(m) saved[m.id], mails[m.id] = m, m end
local changes = {}
local function put(key, id, score)
  local set = changes[key] or {}
  changes[key] = set
  set[id] = score or false
end
local gone, texts = {}, {}
local function flush()
  local function run(command, key, list)
    for i = 1, #list, 2000 do call(command, key, unpack(list, i, math.min(i + 1999, #list))) end
  end
  for id, m in pairs(saved) do texts[#texts + 1], texts[#texts + 2] = B .. 'm:' .. id, cmsgpack.pack(m) end
  for i = 1, #gone, 2000 do call('DEL', unpack(gone, i, math.min(i + 1999, #gone))) end
  for i = 1, #texts, 2000 do call('MSET', unpack(texts, i, math.min(i + 1999, #texts))) end
  for key, set in pairs(changes) do
    local added, removed = {}, {}
    for id, score in pairs(set) do
      if score then added[#added + 1], added[#added + 2] = score, id else removed[#removed + 1] = id end
    end
    run('ZREM', key, removed)
    run('ZADD', key, added)
  end
  changes, saved, gone, texts = {}, {}, {}, {}
end
local function member(m) return string.format('%016d', m.seq) .. m.id end
local function place(m)
  if m.order and call('ZRANGE', B .. 'o:' .. m.order, 0, 0)[1] ~= m.id then return end
  if m.due > now then
    put(B .. 'later', m.id, m.due)
  else
    put(B .. 'ready:' .. m.lane, member(m), -m.priority)
    woken = true
  end
end
local function doubt(m) return m.mid .. '\\0' .. m.id end
local function displace(m)
  put(B .. 'ready:' .. m.lane, member(m))
  put(B .. 'later', m.id)
end
`;

/** A mail as a job of BullMQ: what its dashboards read. Nothing of the outbox depends on it. */
export const JOB: string = `
local ENDS = { failed = 'failed: nothing more is tried, see the recipients',
  ['in-doubt'] = 'in doubt: nobody knows whether it was sent', cancelled = 'cancelled' }
local function hide(id, state)
  if state == 'queued' then
    put(Q .. 'prioritized', id)
    put(Q .. 'delayed', id)
  elseif state == 'claimed' or state == 'sending' then call('LREM', Q .. 'active', -1, id)
  else put(Q .. (state == 'sent' and 'completed' or 'failed'), id) end
end
local function showQueued(m)
  if m.due > now then put(Q .. 'delayed', m.id, m.due * 4096)
  else put(Q .. 'prioritized', m.id, m.seq - m.priority * 4294967296) end
end
local function show(m, to, facts)
  hide(m.id, m.state)
  local fields = { 'atm', m.tries }
  local function add(field, value)
    fields[#fields + 1], fields[#fields + 2] = field, value
  end
  if facts then add('data', facts) end
  if to == 'queued' then
    showQueued(m)
    call('HDEL', Q .. m.id, 'processedOn', 'finishedOn', 'failedReason', 'returnvalue')
    add('delay', math.max(0, m.due - now))
  else
    put(Q .. (to == 'sent' and 'completed' or 'failed'), m.id, now)
    add('finishedOn', now)
    add(to == 'sent' and 'returnvalue' or 'failedReason', ENDS[to] or '"sent"')
  end
  call('HSET', Q .. m.id, unpack(fields))
end
`;

/** Bringing a mail into a state: with its places, its order and its job. */
export const MOVE: string = `local function move(m, to, facts)
  local from = m.state
  if m.job then show(m, to, facts) end
  if from == 'queued' then displace(m) end
  m.state, m.changed = to, now
  save(m)
  put(B .. 'in:' .. from .. ':' .. m.lane, m.id)
  put(B .. 'in:' .. to .. ':' .. m.lane, m.id, to == 'queued' and m.due or now)
  put(B .. 'leases', m.id)
  if m.mid then put(B .. 'doubts', doubt(m), (m.request or to == 'in-doubt') and 0) end
  if m.order and OPEN[from] ~= OPEN[to] then
    local order = B .. 'o:' .. m.order
    if OPEN[to] then call('ZADD', order, m.seq, m.id) else call('ZREM', order, m.id) end
    local first = call('ZRANGE', order, 0, 1)
    local other = first[1] == m.id and first[2] or first[1]
    local next = other and other ~= m.id and read(other)
    if next and next.state == 'queued' then
      displace(next)
      place(next)
    end
  end
  if to == 'queued' then place(m) end
end
`;

/** Letting go of a mail's content, and of blobs that nobody needs any more. */
export const DROP: string = `
local function drop(m)
  gone[#gone + 1] = B .. 'c:' .. m.id
  for hash in string.gmatch(m.blobs or '', '%S+') do
    if call('HINCRBY', B .. 'refs', hash, -1) == 0 then
      call('ZADD', B .. 'idle', call('HGET', B .. 'used', hash) or now, hash)
    end
  end
  m.blobs = nil
end
`;

/** Telling those who wait, in this process and in others. */
export const WAKE: string = `
flush()
if woken then call('XADD', B .. 'wake', 'MAXLEN', 1, '*', 'at', now) end
`;

/** What is told of a mail, one text each; an empty one for null. */
export const ROW: string = `
local function row(out, m)
  for _, field in ipairs({ 'id', 'key', 'lane', 'priority', 'order', 'mid', 'doubt', 'state', 'due', 'tries', 'fence', 'request', 'created', 'changed' }) do
    out[#out + 1] = m[field] or ''
  end
  out[#out + 1] = call('GET', B .. 'f:' .. m.id) or '{}'
end
`;

/** A whole script, from its parts. */
export const script = (...parts: readonly string[]): string => [PRELUDE, ...parts].join('');
