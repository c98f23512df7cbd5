/**
 * What every script begins with. `KEYS[1]` is what the names of all keys of the outbox begin with, `bull:mail:outbox:`; those of
 * the BullMQ queue, in which mails are shown as jobs, begin with the same but for the last part.
 *
 * `m:ID` is a mail, `f:ID` its facts, `c:ID` its content. `ready:LANE` has what can be claimed, by priority and number, `later` what
 * can be at a time, `leases` what workers have, until when, `in:STATE:LANE` all, by the time since when, `o:KEY` those of an order
 * that are not through, by number: only the first of them is in `ready` or `later`. `doubts` has what may have been sent, by Message-ID.
 *
 * Where `batches` is set, `zadd` gathers what is added, for few commands: Redis writes each one that a script runs into its log.
 *
 * Scripts write nothing before they know that they can: Redis does not undo what a script has done that fails.
 */
export const PRELUDE: string = `
local call, B = redis.call, KEYS[1]
local Q = string.sub(B, 1, -8)
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local OPEN = { queued = true, claimed = true, sending = true }
local woken = false
local function read(id)
  local flat = call('HGETALL', B .. 'm:' .. id)
  if #flat == 0 then return nil end
  local m = { id = id }
  for i = 1, #flat, 2 do m[flat[i]] = flat[i + 1] end
  return m
end
local batches
local function zadd(key, score, id)
  if not batches then return call('ZADD', key, score, id) end
  local batch = batches[key] or {}
  batches[key] = batch
  batch[#batch + 1], batch[#batch + 2] = score, id
end
local function member(m) return string.format('%016d', m.seq) .. m.id end
local function place(m)
  if m.order and call('ZRANGE', B .. 'o:' .. m.order, 0, 0)[1] ~= m.id then return end
  if tonumber(m.due) > now then
    zadd(B .. 'later', m.due, m.id)
  else
    zadd(B .. 'ready:' .. m.lane, -m.priority, member(m))
    woken = true
  end
end
local function doubt(m) return m.mid .. '\\0' .. m.id end
local function displace(m)
  if call('ZREM', B .. 'ready:' .. m.lane, member(m)) == 0 then call('ZREM', B .. 'later', m.id) end
end
`;

/** A mail as a job of BullMQ: what its dashboards read. Nothing of the outbox depends on it. */
export const JOB: string = `
local ENDS = { failed = 'failed: nothing more is tried, see the recipients',
  ['in-doubt'] = 'in doubt: nobody knows whether it was sent', cancelled = 'cancelled' }
local function hide(id, state)
  if state == 'queued' then
    if call('ZREM', Q .. 'prioritized', id) == 0 then call('ZREM', Q .. 'delayed', id) end
  elseif state == 'claimed' or state == 'sending' then call('LREM', Q .. 'active', -1, id)
  else call('ZREM', Q .. (state == 'sent' and 'completed' or 'failed'), id) end
end
local function showQueued(m)
  if tonumber(m.due) > now then zadd(Q .. 'delayed', m.due * 4096, m.id)
  else zadd(Q .. 'prioritized', m.seq - m.priority * 4294967296, m.id) end
end
local function show(m, to)
  local job = Q .. m.id
  if to == 'sending' then return call('HSET', job, 'progress', '"sending"') end
  hide(m.id, m.state)
  if to == 'claimed' then
    call('LPUSH', Q .. 'active', m.id)
    call('HSET', job, 'processedOn', now, 'progress', '"claimed"')
  elseif to == 'queued' then
    showQueued(m)
    call('HDEL', job, 'processedOn', 'finishedOn', 'failedReason', 'returnvalue', 'progress')
    call('HSET', job, 'atm', m.tries, 'delay', math.max(0, m.due - now))
  else
    call('ZADD', Q .. (to == 'sent' and 'completed' or 'failed'), now, m.id)
    call('HSET', job, 'atm', m.tries, 'finishedOn', now, to == 'sent' and 'returnvalue' or 'failedReason', ENDS[to] or '"sent"')
  end
end
`;

/** Bringing a mail into a state: with its places, its order and its job. */
export const MOVE: string = `local function move(m, to)
  local from = m.state
  if m.job == '1' then show(m, to) end
  if from == 'queued' then displace(m) end
  m.state, m.changed = to, now
  call('HSET', B .. 'm:' .. m.id, 'state', to, 'due', m.due, 'changed', now, 'fence', m.fence, 'tries', m.tries)
  call('ZREM', B .. 'in:' .. from .. ':' .. m.lane, m.id)
  call('ZADD', B .. 'in:' .. to .. ':' .. m.lane, to == 'queued' and m.due or now, m.id)
  if to ~= 'claimed' and to ~= 'sending' then call('ZREM', B .. 'leases', m.id) end
  if m.mid then
    if m.request or to == 'in-doubt' then call('ZADD', B .. 'doubts', 0, doubt(m)) else call('ZREM', B .. 'doubts', doubt(m)) end
  end
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
  call('DEL', B .. 'c:' .. m.id)
  for hash in string.gmatch(m.blobs or '', '%S+') do
    if call('HINCRBY', B .. 'refs', hash, -1) == 0 then
      call('ZADD', B .. 'idle', call('HGET', B .. 'used', hash) or now, hash)
    end
  end
  call('HDEL', B .. 'm:' .. m.id, 'blobs')
end
`;

/** Telling those who wait, in this process and in others. */
export const WAKE: string = `
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
