import { afterEach, describe, expect, test, vi } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { defaultConnection, getConnection } from '../../src/connection/connection.ts';
import { defineConnections } from '../../src/connection/named.ts';
import { isWrapperText, readWrapperText } from '../../src/connection/wrapper-text.ts';
import { failover, mirror, rateLimit, route, weighted } from '../../src/connection/wrappers.ts';
import { ConfigurationError } from '../../src/model/errors.ts';

const MAIL = { subject: 'Hi', body: 'Text', fromEmail: 'shop@example.com', to: 'ann@example.org' };
const cleanUps: (() => void)[] = [];

afterEach(() => {
  vi.unstubAllEnvs();
  for (const clean of cleanUps.splice(0)) clean();
});

function define(named: Parameters<typeof defineConnections>[0]): void {
  cleanUps.push(defineConnections(named));
}

function errorOf(make: () => unknown): ConfigurationError {
  try {
    make();
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('wrappers as text', () => {
  test.each([
    ['failover(smtps://a @b)', 'failover', ['smtps://a', '@b'], []],
    ['round-robin( failover(a b)  c )?cooldownMs=5', 'round-robin', ['failover(a b)', 'c'], [['cooldownMs', '5']]],
    ['Failover(\n  a\n  ses://?region=eu-west-1\n)', 'failover', ['a', 'ses://?region=eu-west-1'], []],
    [
      'weighted(a b)?weights=9,1&cooldownMs=0',
      'weighted',
      ['a', 'b'],
      [
        ['weights', '9,1'],
        ['cooldownMs', '0'],
      ],
    ],
  ])('%j is read', (text, wrapper, connections, query) => {
    expect(isWrapperText(text)).toBe(true);
    expect(readWrapperText(text)).toEqual({ wrapper, connections, query });
  });

  test.each([
    ['failover(smtp://a', "the '(' of failover, at character 9, is not closed"],
    ['failover(a b) c', 'after failover(...) only ?option=value may follow, at character 14'],
    ['failover(a, b)', 'write blanks between connections, no comma, at character 11'],
    ['failover(a\u0000b)', 'it has'],
    ['failover()', 'give at least one connection'],
    ['failover(dummy)?cooldownMs=soon', "cooldownMs must be an integer from 0 to 86400000, not 'soon'"],
    ['failover(dummy)?cooldown=1', "unknown option 'cooldown'"],
    ['smtp(dummy)', "'smtp' is not made of connections"],
    ['outbox(dummy)', "'outbox' is not made of connections"],
    ['failovr(dummy)', "there is no backend 'failovr'; did you mean 'failover'?"],
    ['mirror(dummy)', 'mirror: give 2 connections, not 1'],
    ['rate-limit(dummy)', "give a rate, such as rate: '14/s, 50000/day'"],
    ['rate-limit(dummy)?perSecond=0', 'perSecond must be an integer from 1'],
    ['rate-limit(dummy)?rate=14/fortnight', 'rate must be rates such as'],
    ['weighted(dummy dummy)?weights=1', 'weights must be one number for each of the 2 connections'],
    ['weighted(dummy dummy)?weights=0,0', 'weights must be a weight for each connection'],
    [
      'failover(dummy round-robin(dummy nosuch))',
      "connection 2 of failover: connection 2 of round-robin: there is no backend 'nosuch'",
    ],
    ['failover(dummy @nosuch)', "connection 2 of failover: there is no connection '@nosuch'"],
    [
      'failover(dummy smtp://ann:secret@host:port)',
      'connection 2 of failover: the URL: the port behind the last colon',
    ],
  ])('%j is refused, and says where and why', (text, why) => {
    const { message } = errorOf(() => getConnection(text));
    expect(message).toContain(why);
    expect(message).not.toContain('secret');
  });

  test('a variable that holds one is named in errors', () => {
    vi.stubEnv('AMSDAL_EMAIL_URL', 'failover(dummy nosuch)');
    const error = errorOf(() => defaultConnection());
    expect(error).toMatchObject({ variable: 'AMSDAL_EMAIL_URL', code: 'unknown-backend' });
    expect(error.message).toContain('connection 2 of failover');
  });

  test('sends over what it is made of', async () => {
    vi.stubEnv('AMSDAL_EMAIL_URL', 'round-robin(failover(dummy dummy) dummy)');
    const connection = defaultConnection();
    expect(defaultConnection()).toBe(connection);
    const vias: (string | undefined)[] = [];
    for (let i = 0; i < 2; i++) {
      const status = await connection.sendMessages([MAIL]);
      vias.push(status.recipients.get('ann@example.org')?.via);
    }
    expect(vias).toEqual(['failover/dummy', 'dummy']);
  });

  test('is made anew when a variable of a connection in it changes', () => {
    vi.stubEnv('AMSDAL_EMAIL_URL', 'failover(@one dummy)');
    vi.stubEnv('AMSDAL_EMAIL_ONE_URL', 'dummy://');
    const before = defaultConnection();
    return Promise.resolve().then(() => {
      vi.stubEnv('AMSDAL_EMAIL_ONE_URL', 'console://');
      expect(defaultConnection()).not.toBe(before);
    });
  });
});

describe('named connections in wrappers', () => {
  test('are those of the process, and statuses have their names', async () => {
    const primary = new DummyBackend({ store: true });
    define({ primary, backup: 'dummy' });
    primary.refuse('ann@example.org', 451, null, 'later');
    const status = await failover(['@primary', '@backup']).sendMessages([MAIL]);
    expect(status.recipients.get('ann@example.org')?.tries?.map(({ via }) => via)).toEqual(['primary', 'backup']);
  });

  test('one that is made of itself is refused', () => {
    define({ a: 'failover(dummy @b)', b: 'retry(@a)' });
    expect(errorOf(() => getConnection('@a')).message).toContain('a connection cannot be made of itself: @a > @b > @a');
  });
});

describe('wrappers in code', () => {
  test.each([
    ['an empty list', () => failover([]), 'failover: give at least one connection'],
    [
      'what is no connection',
      () => failover(['dummy', {} as DummyBackend]),
      'connection 2 of failover: a wrapper is made of connections',
    ],
    ['nothing', () => mirror('dummy', undefined as never), 'connection 2 of mirror: a wrapper is made of connections'],
    ['connections without weights', () => weighted(['dummy'] as never), 'weighted: give a list such as'],
    ['no list of weights', () => weighted(null as never), 'weighted: give a list such as'],
    ['a rate of 0', () => rateLimit('dummy', { perSecond: 0 }), 'perSecond must be an integer from 1'],
    ['no rate', () => rateLimit('dummy', {}), 'give a rate'],
    [
      'a rate that is said twice',
      () => rateLimit('dummy', { rate: '5/s', perSecond: 5 }),
      'rate and perSecond say the same',
    ],
    ['weights of 0', () => weighted([{ connection: 'dummy', weight: 0 }]), 'not all 0'],
    ['an unknown option', () => failover(['dummy'], { cooldown: 1 } as object), "unknown option 'cooldown'"],
    ['an unknown name', () => failover(['dummy', 'nosuch']), "connection 2 of failover: there is no backend 'nosuch'"],
    ['no function to route by', () => route('no' as never, ['dummy']), 'choose'],
  ])('%s is refused', (_, make, why) => {
    expect(errorOf(make).message).toContain(why);
  });
});
