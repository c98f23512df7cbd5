import { describe, expect, it, vi } from 'vitest';
import type { Overview } from '../../src/outbox/dashboard/answers.ts';
import type { DashboardOptions } from '../../src/outbox/dashboard-options.ts';
import { mail, setUp } from './outbox-set-up.ts';

const PAGE = 'http://localhost:3000/admin/outbox';
const CHANGE = { 'content-type': 'application/json', 'x-amsdal-mail': 'outbox' };

/** A dashboard, asked as servers ask it. */
function open(options: DashboardOptions = {}) {
  const set = setUp();
  const handler = set.outbox.dashboard(options);
  const get = (query = '', headers: Record<string, string> = {}, url = PAGE) =>
    handler(new Request(url + query, { headers: { host: new URL(url).host, ...headers } }));
  const post = (body: unknown, headers: Record<string, string> = CHANGE, query = '?do=decide') =>
    handler(
      new Request(PAGE + query, {
        method: 'POST',
        headers: { host: 'localhost:3000', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    );
  const overview = async (since = 0): Promise<Overview> => (await get(`?do=overview&since=${since}`)).json();
  return { ...set, handler, get, post, overview };
}

async function fault(answer: Response): Promise<readonly [number, string]> {
  return [answer.status, (await answer.json()).error.message];
}

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

describe('the dashboard', () => {
  it('is one page, whose files are all under its own path', async () => {
    const { get } = open();
    const page = await get();
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const html = await page.text();
    const names = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, name = '']) => name);
    expect(names).toContain('?file=outbox.js');
    const seen = new Set<string>();
    for (const name of names) {
      expect(name).toMatch(/^\?file=/);
      const file = await get(name);
      expect([name, file.status]).toEqual([name, 200]);
      const text = await file.text();
      expect(text).not.toMatch(/^import /m);
      for (const [, next = ''] of text.matchAll(/new URL\('(\?file=[^']+)'/g))
        if (!seen.has(next) && seen.add(next)) names.push(next);
    }
    expect(seen.size).toBeGreaterThan(3);
  });

  it('lets the page use nothing of elsewhere, and nobody else use the page', async () => {
    const { get } = open();
    for (const query of ['', '?file=outbox.js', '?do=overview', '?do=nothing', '?file=../../../package.json']) {
      const { headers } = await get(query);
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    }
    expect((await get()).headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });

  it.each([
    '?file=../package.json',
    '?file=/etc/passwd',
    '?file=outbox.ts',
    '?file=LICENSE',
    '?do=nothing',
    '?do=mail&id=x',
  ])('has no %s', async (query) => {
    const { get } = open();
    expect((await get(query)).status).toBe(404);
  });

  it('shows counts, paused lanes, speed, and what it remembers', async () => {
    const { outbox, store, overview, advance } = open();
    await outbox.enqueue([mail(), mail(), mail()]);
    await outbox.flush();
    await outbox.enqueue(mail(), { lane: 'bulk' });
    advance(5_000);
    await store.settle([], [{ lane: 'bulk', ms: 9_000, reason: '535 wrong password' }]);
    const seen = await overview();
    expect(seen).toMatchObject({
      ...{ store: 'memory', isReadOnly: false, lanes: ['transactional', 'bulk'] },
      counts: [
        { lane: 'transactional', state: 'sent', count: 3 },
        { lane: 'bulk', state: 'queued', count: 1, oldestMs: 5_000 },
      ],
      paused: [{ lane: 'bulk', ms: 9_000, reason: '535 wrong password' }],
      delays: { of: 3, median: 0 },
      worked: { sent: 3, tries: 3 },
    });
    expect(seen.samples.map(([, counts]) => counts)).toEqual([
      { transactional: [0, 0, 0, 0, 3, 0, 0], bulk: [1, 0, 0, 0, 0, 0, 0] },
    ]);
    expect((await overview(seen.samples[0]?.[0])).samples).toEqual([]);
  });

  it('remembers counts every ten seconds as long as somebody looks, and asks a slow store less often', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date', 'performance'] });
    try {
      const { outbox, store, overview } = open();
      const asked = vi.spyOn(store, 'query');
      await overview();
      await outbox.enqueue(mail());
      await vi.advanceTimersByTimeAsync(30_000);
      expect((await overview()).samples.map(([, { transactional }]) => transactional?.[0])).toEqual([
        undefined,
        1,
        1,
        1,
      ]);
      const before = asked.mock.calls.length;
      await Promise.all([overview(), overview(), overview()]);
      expect(asked.mock.calls.length).toBe(before); // what is fresh is told again
      await vi.advanceTimersByTimeAsync(2 * 3_600_000);
      const after = asked.mock.calls.length;
      await vi.advanceTimersByTimeAsync(3_600_000);
      expect(asked.mock.calls.length).toBe(after); // nobody looks
    } finally {
      vi.useRealTimers();
    }
  });

  it('lists by state, lane and text, in pages', async () => {
    const { outbox, get } = open();
    await outbox.enqueue(Array.from({ length: 120 }, (_, place) => mail({ subject: `Order ${place}` })));
    await outbox.enqueue(mail({ subject: 'Say "hello" \\ to all', to: ['a@example.org', 'b@example.org'] }), {
      lane: 'bulk',
    });
    const list = async (query: string) => (await (await get(`?do=list&${query}`)).json()).mails;
    const first = await list('');
    expect(first).toHaveLength(100);
    expect(first[0]).toMatchObject({ to: 'a@example.org', others: 1, lane: 'bulk', state: 'queued', last: '' });
    const second = await list(`before=${first.at(-1).id}`);
    expect(second.at(-1)).toMatchObject({ subject: 'Order 0' });
    expect(second).toHaveLength(21);
    expect(await list('state=sent')).toEqual([]);
    expect(await list('lane=bulk')).toHaveLength(1);
    expect(await list(`text=${encodeURIComponent('"HELLO" \\')}`)).toHaveLength(1);
    const [{ id }] = first;
    const { messageId } = await (await get(`?do=mail&id=${id}`)).json();
    expect(await list(`text=${encodeURIComponent(messageId)}`)).toMatchObject([{ id }]);
  });

  it('decides about mails, and says which were in a state for it', async () => {
    const { outbox, store, post, overview } = open();
    const ids = (await outbox.enqueue([mail(), mail(), mail()])).map(({ id }) => id);
    expect((await overview()).counts).toMatchObject([{ state: 'queued', count: 3 }]);
    const decide = async (action: string, given = ids) => (await (await post({ action, ids: given })).json()).changed;
    expect(await decide('cancel', ids.slice(0, 1))).toEqual(ids.slice(0, 1));
    expect(await decide('cancel', [ids[0] ?? '', 'none'])).toEqual([]);
    expect((await overview()).counts).toMatchObject([{ state: 'cancelled' }, { count: 2 }]); // at once
    const { mails } = await store.claim({ lanes: [{ lane: 'transactional', limit: 2 }], limit: 2, leaseMs: 1_000 });
    const doubt = { from: ['claimed'] as const, to: 'in-doubt', afterMs: 0, isTried: true, facts: null } as const;
    await store.settle(
      mails.map(({ id, fence }) => ({ id, fence, keepsRequest: false, dropsContent: false, ...doubt })),
    );
    expect(await decide('sent', ids.slice(1, 2))).toEqual(ids.slice(1, 2));
    expect(await decide('resend', ids)).toEqual(ids.slice(2));
    expect(await decide('retry', ids)).toEqual(ids.slice(2));
    expect((await outbox.stats()).lanes['transactional']).toEqual({ cancelled: 1, sent: 1, queued: 1 });
  });

  it.each([
    ['no such action', { action: 'delete', ids: [] }],
    ['what objects have', { action: 'constructor', ids: [] }],
    ['too many', { action: 'retry', ids: Array.from({ length: 101 }, () => 'x') }],
    ['no list', { action: 'retry', ids: 'x' }],
    ['no JSON', '{'],
  ])('refuses %s', async (_, body) => {
    expect((await open().post(body)).status).toBe(400);
  });

  it('refuses a body that is too large', async () => {
    expect((await open().post('x'.repeat(200_000))).status).toBe(413);
  });

  it('has the metrics, as outbox.metrics() gives them', async () => {
    const { get, outbox } = open();
    const answer = await get('?do=metrics');
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toBe(await outbox.metrics());
  });

  it('says that the store does not answer, and shows it again once it does', async () => {
    const { get, store } = open();
    const { query } = store;
    store.query = () => Promise.reject(new Error('the database is away'));
    expect(await fault(await get('?do=overview'))).toEqual([500, 'the database is away']);
    store.query = query;
    expect((await get('?do=overview')).status).toBe(200);
  });

  it('ends with the outbox', async () => {
    const { outbox, get, overview } = open();
    await overview();
    await outbox.close();
    expect(await fault(await get('?do=overview'))).toEqual([503, 'the outbox is closed']);
  });

  it.each([
    [{ auth: 'secret' }, /auth must be a function of the request/],
    [{ auth: { username: 'a', password: '' } }, /auth must be/],
    [{ auth: { username: 'a:b', password: 'c' } }, /no colon in the name/],
    [{ readonly: true }, /readOnly/],
  ])('refuses the options %j', (options, message) => {
    const { outbox } = setUp();
    expect(() => outbox.dashboard(options as DashboardOptions)).toThrow(message);
  });
});

describe('who may see the dashboard', () => {
  it('is this machine alone, without auth', async () => {
    const { get } = open();
    for (const url of ['http://127.0.0.1:8026/', 'http://localhost/', 'http://[::1]:1/']) {
      expect([url, (await get('', {}, url)).status]).toEqual([url, 200]);
    }
    for (const url of ['http://mail.example.com/', 'http://127.0.0.1.evil.example/', 'http://10.0.0.7:8026/'])
      expect(await fault(await get('?do=overview', {}, url))).toEqual([
        403,
        expect.stringContaining('outbox.dashboard({ auth })'),
      ]);
    // A name that was made to point here, and requests that a proxy passes on.
    expect((await get('', { host: 'rebound.example' })).status).toBe(403);
    expect((await get('', { host: 'localhost' }, 'http://mail.example.com/')).status).toBe(403);
    for (const name of ['x-forwarded-for', 'x-forwarded-proto', 'forwarded', 'via', 'x-real-ip', 'cf-connecting-ip'])
      expect((await get('', { [name]: '203.0.113.7' })).status).toBe(403);
  });

  it('is who knows name and password', async () => {
    const { get } = open({ auth: { username: 'ann', password: 'pass:wörd' } });
    const url = 'https://mail.example.com/outbox';
    const refused = await get('', {}, url);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Basic realm="outbox", charset="UTF-8"');
    for (const wrong of ['ann:pass', 'ann:', ':', 'bob:pass:wörd', 'ann:pass:wörd ', ''])
      expect([wrong, (await get('?do=overview', basic(wrong), url)).status]).toEqual([wrong, 401]);
    expect((await get('?do=overview', { authorization: 'Bearer x' }, url)).status).toBe(401);
    expect((await get('?do=overview', basic('ann:pass:wörd'), url)).status).toBe(200);
    expect((await get('?file=outbox.js', {}, url)).status).toBe(401);
  });

  it('is whom a function lets in; where it fails, nobody', async () => {
    const { get } = open({ auth: async ({ headers }) => headers.get('cookie') === 'admin=1' });
    expect((await get('', { cookie: 'admin=1' }, 'https://mail.example.com/')).status).toBe(200);
    expect((await get('', {}, 'https://mail.example.com/')).status).toBe(401);
    const failing = open({ auth: () => Promise.reject(new Error('the session store is away')) });
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    expect(await fault(await failing.get())).toEqual([500, 'auth has failed: the log of the server says why']);
    expect(warn.mock.calls).toEqual([
      ['auth of the dashboard has failed: the session store is away', { type: 'AmsdalMailWarning', code: 'failed' }],
    ]);
    warn.mockRestore();
  });
});

describe('changes', () => {
  it('come from the page itself, as JSON with its header', async () => {
    const { outbox, post } = open();
    const [{ id } = { id: '' }] = await outbox.enqueue(mail());
    const wish = { action: 'cancel', ids: [id] };
    for (const headers of [
      { 'content-type': 'application/json' },
      { 'content-type': 'text/plain', 'x-amsdal-mail': 'outbox' },
      { 'content-type': 'application/x-www-form-urlencoded' },
      { ...CHANGE, 'sec-fetch-site': 'cross-site' },
      { ...CHANGE, 'sec-fetch-site': 'same-site' },
      { ...CHANGE, 'sec-fetch-site': 'none' },
      { ...CHANGE, origin: 'https://evil.example' },
      { ...CHANGE, origin: 'null' },
    ])
      expect([headers, (await post(wish, headers)).status]).toEqual([headers, 403]);
    expect((await outbox.get(id))?.state).toBe('queued');
    expect(
      (await post(wish, { ...CHANGE, origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' })).status,
    ).toBe(200);
    expect((await outbox.get(id))?.state).toBe('cancelled');
  });

  it('are not made by GET, HEAD or other methods', async () => {
    const { outbox, handler, get } = open();
    const [{ id } = { id: '' }] = await outbox.enqueue(mail());
    expect((await get(`?do=decide&action=cancel&ids=${id}`)).status).toBe(404);
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      expect((await handler(new Request(`${PAGE}?do=decide`, { method, headers: CHANGE }))).status).toBe(405);
    const head = await handler(new Request(PAGE, { method: 'HEAD' }));
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await outbox.get(id))?.state).toBe('queued');
  });

  it('are all refused with readOnly', async () => {
    const { outbox, post, overview } = open({ readOnly: true });
    const [{ id } = { id: '' }] = await outbox.enqueue(mail());
    for (const action of ['retry', 'cancel', 'sent', 'resend'])
      expect(await fault(await post({ action, ids: [id] }))).toEqual([403, expect.stringContaining('readOnly')]);
    expect((await overview()).isReadOnly).toBe(true);
    expect((await outbox.get(id))?.events).toEqual([]);
  });
});

describe('another page in the same browser', () => {
  it('may link to the dashboard, and neither read nor frame it', async () => {
    const { get } = open();
    const foreign = { 'sec-fetch-site': 'cross-site' };
    const link = { ...foreign, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect((await get('', link)).status).toBe(200);
    expect((await get('', { ...link, 'sec-fetch-dest': 'iframe' })).status).toBe(403);
    for (const query of ['?do=overview', '?do=list', '?file=outbox.js']) {
      expect((await get(query, link)).status).toBe(403);
      expect((await get(query, { ...foreign, 'sec-fetch-mode': 'no-cors' })).status).toBe(403);
    }
  });
});
