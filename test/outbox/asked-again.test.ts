import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmailBackend } from '../../src/backend/backend.ts';
import { BrevoBackend } from '../../src/backends/brevo.ts';
import { ResendBackend } from '../../src/backends/resend.ts';
import { Outbox } from '../../src/connection/outbox.ts';
import type { EmailMessageDraft } from '../../src/model/message-init.ts';
import { memoryStore } from '../../src/outbox/memory-store.ts';
import type { OutboxOptions } from '../../src/outbox/outbox-options.ts';
import type { OutboxStore } from '../../src/outbox/store.ts';
import { FailoverBackend } from '../../src/wrappers/failover.ts';
import { StrictVendor } from '../servers/strict-vendor.ts';
import { brevo } from '../servers/vendors/brevo.ts';
import { resend } from '../servers/vendors/resend.ts';
import { mail } from './outbox-set-up.ts';

const MINUTE = 60_000;
const QUICK = { attempts: 1, baseMs: 1, maxMs: 1 };

const VENDORS = {
  resend: {
    vendor: resend,
    keyMs: 24 * 60 * MINUTE,
    connect: (baseUrl: string, apiKey = 're_123') => new ResendBackend({ apiKey, baseUrl, retry: QUICK }),
  },
  brevo: {
    vendor: brevo,
    keyMs: 15 * MINUTE,
    connect: (baseUrl: string, apiKey = 'xkeysib-123') => new BrevoBackend({ apiKey, baseUrl, retry: QUICK }),
  },
} as const;

let server: StrictVendor;
let now: number;
let store: OutboxStore;
const opened: Outbox[] = [];

async function start(name: keyof typeof VENDORS) {
  server = await StrictVendor.start(VENDORS[name].vendor);
  return VENDORS[name];
}

beforeEach(() => {
  now = Date.now();
  store = memoryStore({ now: () => now });
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((outbox) => outbox.close()));
  await server.close();
});

function open(connection: EmailBackend, options: Partial<OutboxOptions> = {}): Outbox {
  const outbox = new Outbox({ store, connection, ...options });
  opened.push(outbox);
  return outbox;
}

const advance = (ms: number) => {
  now += ms;
};

/** A worker dies when the vendor has taken the mails, and before it can write that down. */
async function die(connection: EmailBackend, mails: readonly EmailMessageDraft[]): Promise<readonly string[]> {
  const outbox = open(connection);
  const written = await outbox.enqueue(mails);
  const { settle } = store;
  store.settle = () => Promise.resolve([]);
  await outbox.flush();
  store.settle = settle;
  return written.map(({ id }) => id);
}

const subjects = () => server.accepted.map(({ source }) => /^Subject: (.*)\r$/m.exec(String(source()))?.[1]);

describe.each(['resend', 'brevo'] as const)('a mail that %s may have taken', (name) => {
  it.each([
    ['with a key of its own', { idempotencyKey: 'order-7' }],
    ['without a key', {}],
    ['with a file', { attachments: [{ filename: 'a.txt', content: 'x'.repeat(200_000), mimetype: 'text/plain' }] }],
  ])('when its worker died, %s, is asked for again, and was taken once', async (_, fields) => {
    const { connect } = await start(name);
    const [id = ''] = await die(connect(server.http.url), [mail(fields)]);
    expect(server.accepted).toHaveLength(1);
    const outbox = open(connect(server.http.url));
    advance(2 * MINUTE);
    expect(await outbox.flush()).toMatchObject({ sent: 1, inDoubt: 0 });
    expect(await outbox.get(id)).toMatchObject({ state: 'sent', tries: 2 });
    expect(await outbox.health()).toMatchObject({ status: 'ok' });
    expect(server.accepted).toHaveLength(1);
    const [first, second] = server.http.calls;
    expect(String(second?.body)).toBe(String(first?.body));
    expect(second?.headers).toEqual(first?.headers);
  });

  it('is sent when the vendor has not taken it', async () => {
    const { connect } = await start(name);
    const { script } = server.http;
    server.http.script = () => ({ cut: 'unanswered' });
    await die(connect(server.http.url), [mail()]);
    server.http.script = script;
    expect(server.accepted).toHaveLength(0);
    advance(2 * MINUTE);
    const outbox = open(connect(server.http.url));
    expect(await outbox.flush()).toMatchObject({ sent: 1, inDoubt: 0 });
    expect(server.accepted).toHaveLength(1);
  });

  it('is asked for again when its answer was lost, until there is one', async () => {
    const { connect } = await start(name);
    const outbox = open(connect(server.http.url));
    server.mood = 'lost';
    const [written] = await outbox.enqueue(mail());
    expect(await outbox.flush()).toMatchObject({ retried: 1, inDoubt: 0 });
    const id = written?.id ?? '';
    expect(await outbox.get(id)).toMatchObject({ state: 'queued', recipients: [{ status: 'unknown', isOpen: true }] });
    await server.http.close(); // not even a connection, which says nothing of the time before
    advance(2 * MINUTE);
    expect(await outbox.flush()).toMatchObject({ retried: 1 });
    expect(await outbox.get(id)).toMatchObject({ state: 'queued', recipients: [{ status: 'unknown', isOpen: true }] });
    expect(await outbox.cancel(id)).toBe(true);
    expect(await outbox.get(id)).toMatchObject({ state: 'in-doubt' });
  });

  it.each([
    ['when half of the time has passed that the key lives', 0.51],
    ['over another account', 0.1],
    ['over another address', 0.1],
    ['over a wrapper', 0.1],
    ['after a change of what is sent', 0.1],
  ])('stays in doubt %s', async (what, share) => {
    const { connect, keyMs } = await start(name);
    const [id = ''] = await die(connect(server.http.url), [mail()]);
    const same = connect(server.http.url);
    const connection = {
      'over another account': () => connect(server.http.url, name === 'resend' ? 're_other' : 'xkeysib-other'),
      'over another address': () => connect(server.http.url.replace('127.0.0.1', 'localhost')),
      'over a wrapper': () => new FailoverBackend({ connections: [same] }),
    }[what];
    if (what === 'after a change of what is sent') {
      const text = new TextDecoder().decode((await store.query('content', { id })) ?? undefined);
      const { claim } = store;
      store.claim = async (request) => {
        const claimed = await claim.call(store, request);
        const content = new TextEncoder().encode(text.replace('Welcome', 'Goodbye'));
        return { ...claimed, mails: claimed.mails.map((each) => ({ ...each, content })) };
      };
    }
    const calls = server.http.calls.length;
    advance(Math.max(2 * MINUTE, share * keyMs));
    const outbox = open(connection?.() ?? same);
    expect(await outbox.flush()).toMatchObject({ sent: 0, inDoubt: 1 });
    expect(await outbox.get(id)).toMatchObject({ state: 'in-doubt' });
    expect(server.http.calls).toHaveLength(calls);
    expect(await outbox.resolve(id, 'sent')).toBe(true);
  });
});

it('stays in doubt when the vendor says that the key was used for another mail', async () => {
  const { connect } = await start('resend');
  const [id = ''] = await die(connect(server.http.url), [mail()]);
  const body = { name: 'invalid_idempotent_request', message: 'used', statusCode: 409 };
  server.http.script = () => ({ status: 409, body });
  advance(2 * MINUTE);
  const outbox = open(connect(server.http.url));
  expect(await outbox.flush()).toMatchObject({ inDoubt: 1, retried: 0 });
  expect(await outbox.get(id)).toMatchObject({ state: 'in-doubt', recipients: [{ status: 'unknown' }] });
});

it('does not take a mail for sent whose key another one had before', async () => {
  const { connect } = await start('brevo');
  const connection = connect(server.http.url);
  await connection.sendMessages([{ ...mail(), subject: 'Another one', idempotencyKey: 'order-7' }]);
  const outbox = open(connection);
  const [written] = await outbox.enqueue(mail({ idempotencyKey: 'order-7' }));
  expect(await outbox.flush()).toMatchObject({ inDoubt: 1, retried: 0 });
  expect(await outbox.get(written?.id ?? '')).toMatchObject({ state: 'in-doubt' });
  expect(subjects()).toEqual(['Another one']);
});

it('is in doubt when it is cancelled before it was asked for again, and goes to whom it was for when somebody says so', async () => {
  const { connect } = await start('resend');
  const [id = ''] = await die(connect(server.http.url), [mail()]);
  advance(2 * MINUTE);
  await store.recover();
  const outbox = open(connect(server.http.url));
  expect(await outbox.get(id)).toMatchObject({ state: 'queued', recipients: [{ isOpen: true }] });
  expect(await outbox.cancel(id)).toBe(true);
  expect(await outbox.get(id)).toMatchObject({ state: 'in-doubt', recipients: [{ status: 'unknown', isOpen: false }] });
  expect(await outbox.resolve(id, 'resend')).toBe(true);
  expect(await outbox.flush()).toMatchObject({ sent: 1 });
});

it('fails what is refused when it is asked for again', async () => {
  const { connect } = await start('resend');
  const [id = ''] = await die(connect(server.http.url), [mail()]);
  server.http.script = () => ({ status: 422, body: { name: 'validation_error', message: 'no', statusCode: 422 } });
  advance(2 * MINUTE);
  const outbox = open(connect(server.http.url));
  expect(await outbox.flush()).toMatchObject({ failed: 1, inDoubt: 0 });
  expect(await outbox.get(id)).toMatchObject({ state: 'failed', recipients: [{ status: 'rejected' }] });
});

it.each([401, 429, 503])('learns nothing of the first from an answer %i to the second', async (status) => {
  const { connect } = await start('resend');
  const [id = ''] = await die(connect(server.http.url), [mail()]);
  const { script } = server.http;
  server.http.script = () => ({ status, body: { name: 'other', message: 'no' } });
  advance(2 * MINUTE);
  const outbox = open(connect(server.http.url));
  expect(await outbox.flush()).toMatchObject({ failed: 0, inDoubt: 0, sent: 0 });
  expect(await outbox.get(id)).toMatchObject({ state: 'queued' });
  server.http.script = script;
  advance(10 * MINUTE);
  expect(await outbox.flush()).toMatchObject({ sent: 1 });
  expect(server.accepted).toHaveLength(1);
});

it('holds the mails that went in one request with others, as that cannot be made again', async () => {
  const { connect } = await start('resend');
  const ids = await die(
    connect(server.http.url),
    ['a', 'b', 'c'].map((subject) => mail({ subject })),
  );
  expect(server.http.calls.map(({ path }) => path)).toEqual(['/emails/batch']);
  advance(2 * MINUTE);
  const outbox = open(connect(server.http.url));
  expect(await outbox.flush()).toMatchObject({ sent: 0, inDoubt: 3 });
  expect(await Promise.all(ids.map(async (id) => (await outbox.get(id))?.state))).toEqual(Array(3).fill('in-doubt'));
  expect(server.accepted).toHaveLength(3);
});

it('asks no second time for the recipients of a mail of which some have got it', async () => {
  const { connect } = await start('resend');
  const merge = { ...mail(), to: ['ann@example.org', 'bob@example.org'], mergeData: {}, body: '', templateId: 't' };
  const [id = ''] = await die(connect(server.http.url), [merge]);
  const taken = server.accepted.length;
  advance(2 * MINUTE);
  const outbox = open(connect(server.http.url));
  expect(await outbox.flush()).toMatchObject({ inDoubt: 1 });
  expect(await outbox.get(id)).toMatchObject({ state: 'in-doubt' });
  expect(server.accepted).toHaveLength(taken);
});

it('may not go on with what it has asked for once it was stopped for too long', async () => {
  const { connect } = await start('brevo');
  const connection = connect(server.http.url);
  const { mark } = store;
  const { now: real } = performance;
  store.mark = async (markings) => {
    const marked = await mark.call(store, markings);
    performance.now = () => real.call(performance) + 8 * MINUTE;
    return marked;
  };
  const outbox = open(connection);
  await outbox.enqueue(mail());
  try {
    const { settle } = store;
    store.settle = async (...given) => {
      store.mark = mark;
      performance.now = () => real.call(performance);
      return settle.apply(store, given);
    };
    expect(await outbox.flush()).toMatchObject({ sent: 1 });
    expect(server.http.calls).toHaveLength(1);
  } finally {
    performance.now = real;
  }
});
