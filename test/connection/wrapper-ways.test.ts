import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import type { EmailBackend } from '../../src/backend/backend.ts';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { getConnection } from '../../src/connection/connection.ts';
import { defineConnections } from '../../src/connection/named.ts';
import { failover, mirror, rateLimit, retry, roundRobin, route, weighted } from '../../src/connection/wrappers.ts';
import { ConfigurationError, EmailConnectionError } from '../../src/model/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-'));
const routes = join(folder, 'routes.mjs');
writeFileSync(routes, "export const second = () => '@backup';\n");
afterAll(() => rmSync(folder, { recursive: true }));

const ADDRESS = 'ann@example.org';
const MAIL = { subject: 'Hi', body: 'Text', fromEmail: 'shop@example.com', to: ADDRESS };

/** A wrapper of `@primary` and `@backup`, of which the first refuses for now: in code, as text, and by the options of a name. */
interface Way {
  readonly inCode: () => EmailBackend;
  readonly text: string;
  readonly named: object;
  /** Who tries, in order. */
  readonly via: readonly string[];
  /** What its URL cannot have, and what is told of it. */
  readonly bad: string;
  readonly why: string;
  /** How many connections it is made of. */
  readonly parts: 1 | 2;
}

const BOTH = ['@primary', '@backup'] as const;
const WAYS: Readonly<Record<string, Way>> = {
  failover: {
    inCode: () => failover(BOTH),
    text: 'failover(@primary @backup)',
    named: { backend: 'failover', options: { connections: BOTH } },
    via: ['primary', 'backup'],
    bad: '?cooldownMs=-1',
    why: 'cooldownMs must be an integer from 0',
    parts: 2,
  },
  'failover with a breaker': {
    inCode: () => failover(BOTH, { cooldownMs: 5_000 }),
    text: 'failover(@primary @backup)?cooldownMs=5000',
    named: { backend: 'failover', options: { connections: BOTH, cooldownMs: 5_000 } },
    via: ['primary', 'backup'],
    bad: '?cooldownMs=soon',
    why: "cooldownMs must be an integer from 0 to 86400000, not 'soon'",
    parts: 2,
  },
  'round-robin': {
    inCode: () => roundRobin(BOTH),
    text: 'round-robin(@primary @backup)',
    named: { backend: 'round-robin', options: { connections: BOTH } },
    via: ['primary', 'backup'],
    bad: '?cooldownMs=1.5',
    why: 'cooldownMs must be an integer from 0',
    parts: 2,
  },
  weighted: {
    inCode: () => weighted(BOTH.map((connection, place) => ({ connection, weight: 2 - place }))),
    text: 'weighted(@primary @backup)?weights=2,1',
    named: { backend: 'weighted', options: { connections: BOTH, weights: [2, 1] } },
    via: ['primary', 'backup'],
    bad: '?weights=0,0',
    why: 'weights must be a weight for each connection',
    parts: 2,
  },
  route: {
    inCode: () => route(() => '@backup', BOTH),
    text: `route(@primary @backup)?choose=${encodeURIComponent(`${routes}#second`)}`,
    named: { backend: 'route', options: { connections: BOTH, choose: () => '@backup' } },
    via: ['backup'],
    bad: '?choose=second',
    why: "choose must be a function (message) => connection, or './file.js#name' of one",
    parts: 2,
  },
  mirror: {
    inCode: () => mirror(...BOTH),
    text: 'mirror(@primary @backup)',
    named: { backend: 'mirror', options: { connections: BOTH } },
    via: ['primary'],
    bad: '?deadlineMs=0',
    why: 'deadlineMs must be an integer from 1',
    parts: 2,
  },
  retry: {
    inCode: () => retry('@primary', { baseMs: 1 }),
    text: 'retry(@primary)?baseMs=1',
    named: { backend: 'retry', options: { connections: ['@primary'], baseMs: 1 } },
    via: ['primary', 'primary', 'primary'],
    bad: '?attempts=0',
    why: 'attempts must be an integer from 1',
    parts: 1,
  },
  'rate-limit': {
    inCode: () => rateLimit('@primary', '100/s'),
    text: 'rate-limit(@primary)?rate=100/s',
    named: { backend: 'rate-limit', options: { connections: ['@primary'], perSecond: 100 } },
    via: ['primary'],
    bad: '?perSecond=0',
    why: 'perSecond must be an integer from 1',
    parts: 1,
  },
};

const cleanUps: (() => void)[] = [];

afterEach(() => {
  vi.unstubAllEnvs();
  for (const clean of cleanUps.splice(0)) clean();
});

function define(named: Parameters<typeof defineConnections>[0]): void {
  cleanUps.push(defineConnections(named));
}

/** `@primary`, which refuses for now, and `@backup`. */
function definePair(): void {
  const primary = new DummyBackend();
  primary.refuse(ADDRESS, 451, null, 'later');
  define({ primary, backup: 'dummy' });
}

async function viasOf(connection: EmailBackend): Promise<readonly string[]> {
  const status = await connection.sendMessages([MAIL], { failSilently: true });
  return status.recipients.get(ADDRESS)?.tries?.map(({ via }) => via) ?? [];
}

function messageOf(target: string): string {
  try {
    getConnection(target);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  return 'it was accepted';
}

describe.each(Object.entries(WAYS))('%s', (name, { inCode, text, named, via, bad, why, parts }) => {
  const wrapper = text.slice(0, text.indexOf('('));
  const query = text.slice(text.indexOf(')') + 1);
  /** The text of it, made of other connections. */
  const of = (...connections: readonly string[]) => `${wrapper}(${connections.slice(-parts).join(' ')})`;

  test('works in code, as text, from a variable, by a name, and in another wrapper', async () => {
    definePair();
    define({ named: named as { backend: string } });
    vi.stubEnv('AMSDAL_EMAIL_VARIABLE_URL', text);
    const ways: readonly (readonly [string, EmailBackend])[] = [
      ['in code', inCode()],
      ['as text', getConnection(text)],
      ['by a name', getConnection('@named')],
      ['from a variable', getConnection('@variable')],
    ];
    for (const [way, connection] of ways) expect([way, await viasOf(connection)]).toEqual([way, via]);
    const inner = via.map((each) => `${wrapper}/${each}`);
    expect(await viasOf(getConnection(`rate-limit(${text})?rate=100/s`))).toEqual(inner);
    expect(await viasOf(retry(text, { attempts: 1 }))).toEqual(wrapper === 'retry' ? inner.slice(0, 1) : inner);
    expect(await viasOf(failover(['@named']))).toEqual(via.map((each) => `named/${each}`));
  });

  test('says where in the text it is wrong', () => {
    const wrongs: readonly (readonly [string, string])[] = [
      [`${wrapper}()${query}`, `connection 2 of failover: ${wrapper}: give `],
      [of('dummy', 'dummy') + bad, `connection 2 of failover: the URL: ${why}`],
      [
        of('dummy', 'nosuch') + query,
        `connection 2 of failover: connection ${parts} of ${wrapper}: there is no backend`,
      ],
      [
        of('dummy', '@nosuch') + query,
        `connection 2 of failover: connection ${parts} of ${wrapper}: there is no connection`,
      ],
      [`${of('dummy', 'dummy')}?nosuch=1`, "connection 2 of failover: the URL: unknown option 'nosuch'"],
    ];
    for (const [wrong, told] of wrongs) expect(messageOf(`failover(dummy ${wrong})`)).toContain(told);
    expect(messageOf(`${wrapper}(dummy`)).toContain(
      `the '(' of ${wrapper}, at character ${wrapper.length + 1}, is not`,
    );
  });

  test('is not made of itself', () => {
    define({ ring: of('dummy', '@ring') + query });
    const told = `connection ${parts} of ${wrapper}: a connection cannot be made of itself: @ring > @ring`;
    expect(messageOf('@ring')).toBe(told);
    expect(messageOf('failover(dummy @ring)')).toBe(`connection 2 of failover: ${told}`);
    vi.stubEnv('AMSDAL_EMAIL_LOOP_URL', `failover(dummy ${of('dummy', '@loop')}${query})`);
    expect(messageOf('@loop'), name).toContain(
      `connection 2 of failover: connection ${parts} of ${wrapper}: a connection`,
    );
  });
});

test.each([0, 60_000])('a breaker rests for %i ms, however it is told so', async (cooldownMs) => {
  const primary = new DummyBackend();
  define({ primary, backup: 'dummy', named: { backend: 'failover', options: { connections: BOTH, cooldownMs } } });
  const ways = [
    failover(BOTH, { cooldownMs }),
    getConnection(`failover(@primary @backup)?cooldownMs=${cooldownMs}`),
    getConnection('@named'),
  ];
  for (const connection of ways) {
    primary.failNext(new EmailConnectionError('refused', 'nobody listens', { retryable: true }));
    expect(await viasOf(connection)).toEqual(['primary', 'backup']);
    expect(await viasOf(connection)).toEqual([cooldownMs > 0 ? 'backup' : 'primary']);
  }
});
