import { ROW, script } from './lua.ts';

/** How many mails one call looks at, so that none holds Redis for long. */
const BATCH = 1_000;
/** Of so many mails of a state at most all are sorted for a page. */
const SORTED = 5_000;

export type QueryName = 'mail' | 'doubts' | 'texts' | 'page' | 'counts' | 'pauses';

/** What the store asks of Redis that changes nothing. */
export const QUERIES: Readonly<Record<QueryName, string>> = {
  /** ARGV: an id; answers with nothing, or a row. */
  mail: script(
    ROW,
    `
local out, m = {}, read(ARGV[1])
if m then row(out, m) end
return out`,
  ),

  /** ARGV: a Message-ID; answers with rows. */
  doubts: script(
    ROW,
    `
local out = {}
for _, each in ipairs(call('ZRANGEBYLEX', B .. 'doubts', '[' .. ARGV[1] .. '\\0', '(' .. ARGV[1] .. '\\1')) do
  row(out, read(string.sub(each, #ARGV[1] + 2)))
end
return out`,
  ),

  /** ARGV: names of texts; answers with them, or nothing in their places. */
  texts: script(`
local out = {}
for _, name in ipairs(ARGV) do out[#out + 1] = call('GET', B .. name) end
return out`),

  /** ARGV: a state, a lane, an id that all are before, and how many; answers with the id to go on before, then rows. */
  page: script(
    ROW,
    `
local state, lane, before, most = unpack(ARGV)
local ids, out, last = {}, { '' }, ''
local sets, count = {}, 0
for _, name in ipairs(state == '' and {} or lane ~= '' and { lane } or call('SMEMBERS', B .. 'lanes')) do
  sets[#sets + 1] = B .. 'in:' .. state .. ':' .. name
  count = count + call('ZCARD', sets[#sets])
end
if state ~= '' and count <= ${SORTED} then
  for _, set in ipairs(sets) do
    for _, id in ipairs(call('ZRANGE', set, 0, -1)) do
      if before == '' or id < before then ids[#ids + 1] = id end
    end
  end
  table.sort(ids, function(a, b) return a > b end)
else
  ids = call('ZREVRANGEBYLEX', B .. 'ids', before == '' and '+' or '(' .. before, '-', 'LIMIT', 0, ${BATCH})
end
local found = 0
for i, id in ipairs(ids) do
  if found == tonumber(most) or i > ${BATCH} then
    out[1] = last
    break
  end
  local m = read(id)
  if m and (state == '' or m.state == state) and (lane == '' or m.lane == lane) then
    row(out, m)
    found = found + 1
  end
  last = id
end
if out[1] == '' and #ids == ${BATCH} then out[1] = last end
return out`,
  ),

  /** Answers with a lane, a state, how many there are, and for how long the oldest, each. */
  counts: script(`
local out = {}
for _, lane in ipairs(call('SMEMBERS', B .. 'lanes')) do
  for _, state in ipairs({ 'queued', 'claimed', 'sending', 'in-doubt', 'sent', 'failed', 'cancelled' }) do
    local set = B .. 'in:' .. state .. ':' .. lane
    local oldest = call('ZRANGE', set, 0, 0, 'WITHSCORES')[2]
    if oldest then
      for _, value in ipairs({ lane, state, call('ZCARD', set), string.format('%d', now - oldest) }) do out[#out + 1] = value end
    end
  end
end
return out`),

  /** Answers with a lane, the time left, and the reason, each. */
  pauses: script(`
local out, all = {}, call('HGETALL', B .. 'pauses')
for i = 1, #all, 2 do
  local till, reason = string.match(all[i + 1], '(%S+) (.*)')
  for _, value in ipairs({ all[i], string.format('%d', math.max(0, till - now)), reason }) do out[#out + 1] = value end
end
return out`),
};
