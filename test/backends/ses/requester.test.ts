import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Fault, StrictSes } from '../../servers/strict-ses.ts';
import { addresses, closeAll, connectTo, errorOf, mail, statuses } from './connect.ts';

let ses: StrictSes;
beforeAll(async () => {
  ses = await StrictSes.start();
});
afterAll(() => ses.close());
afterEach(async () => {
  await closeAll();
  ses.reset();
});

/** Fails every request that sends. */
function failWith(fault: Fault): void {
  ses.script = ({ operation }) => (operation === 'GetAccount' ? undefined : fault);
}

const sends = () => ses.requests.filter(({ operation }) => operation !== 'GetAccount');

describe('throttling', () => {
  test('300 sends at once, throttled to 100 a second: nothing is lost, nothing sent twice', async () => {
    ses.limitTo(100);
    ses.account = null; // the rate must be learnt
    let arrived = 0;
    // However slowly this machine sends: some are throttled.
    ses.script = ({ operation }) =>
      operation === 'SendEmail' && ++arrived > 60 && arrived <= 100
        ? { name: 'TooManyRequestsException', message: 'Maximum sending rate exceeded.', status: 429 }
        : undefined;
    const to = addresses(300);
    const backend = connectTo(ses);
    const all = await Promise.all(to.map((address) => backend.sendMessages([mail({ to: address })])));
    expect(all.every(({ isSuccess }) => isSuccess)).toBe(true);
    expect([...ses.deliveries.values()]).toEqual(to.map(() => 1));
    expect(ses.deliveries.size).toBe(300);
    const refused = sends().length - 300;
    expect(refused).toBeGreaterThanOrEqual(40);
    expect(refused).toBeLessThan(300);
  });

  test('with the rate known, none is throttled', async () => {
    ses.limitTo(200);
    ses.account = { SendQuota: { MaxSendRate: 200, Max24HourSend: -1, SentLast24Hours: 0 } };
    const backend = connectTo(ses);
    const status = await backend.sendMessages(addresses(150).map((to) => mail({ to })));
    expect(status.isSuccess).toBe(true);
    expect(sends()).toHaveLength(150);
    expect(backend.stats().quota).toEqual({ maxSendRate: 200, max24HourSend: -1, sentLast24Hours: 0 });
    expect(backend.stats().left).toEqual({ now: expect.any(Number) });
  });

  test('it tells what is left of the day', async () => {
    ses.account = { SendQuota: { MaxSendRate: 200, Max24HourSend: 100, SentLast24Hours: 60 } };
    const backend = connectTo(ses);
    expect(backend.stats().left).toEqual({});
    await backend.verify();
    expect(backend.stats().left).toEqual({ now: 1, day: 40 });
    await backend.sendMessages(addresses(3).map((to) => mail({ to })));
    expect(backend.stats().left.day).toBe(37);
  });
});

describe('time and sockets', () => {
  test('a call that is aborted: what waits has failed, what is under way is unknown', async () => {
    failWith({ cut: 'hang', accepts: true });
    const controller = new AbortController();
    ses.script = ({ operation }) => {
      if (operation === 'GetAccount') return undefined;
      setImmediate(() => controller.abort());
      return { cut: 'hang', accepts: true };
    };
    const to = addresses(4);
    const sending = connectTo(ses, { maxConnections: 1 }).sendMessages(
      to.map((address) => mail({ to: address })),
      { signal: controller.signal },
    );
    const error = await errorOf(sending);
    expect(Object.values(statuses(error.status))).toEqual(['unknown', 'failed', 'failed', 'failed']);
    expect(error.status?.recipients.get('user1@example.org')).toMatchObject({ code: 'aborted' });
    expect(sends()).toHaveLength(1);
  });

  test('a bulk call that is aborted', async () => {
    const controller = new AbortController();
    ses.script = ({ operation }) => {
      if (operation === 'GetAccount') return undefined;
      setImmediate(() => controller.abort());
      return { cut: 'hang', accepts: true };
    };
    const to = addresses(120);
    const sending = connectTo(ses, { maxConnections: 1 }).sendMessages(
      [mail({ to, mergeData: {}, mergeGlobalData: {} })],
      { signal: controller.signal },
    );
    const error = await errorOf(sending);
    expect(Object.values(statuses(error.status))).toEqual([...Array(50).fill('unknown'), ...Array(70).fill('failed')]);
  });

  test('one socket serves mail after mail, and is closed by us when it has been idle', async () => {
    const backend = connectTo(ses, { idleMs: 1_000 });
    for (let index = 0; index < 5; index++) await backend.sendMessages([mail()]);
    expect(ses.connections).toBe(1);
    await ses.whenDisconnected();
  });

  test('it makes maxConnections sockets at most', async () => {
    const backend = connectTo(ses, { maxConnections: 3, ratePerSecond: 100_000 });
    await backend.sendMessages(addresses(40).map((to) => mail({ to })));
    expect(ses.connections).toBe(3);
  });
});
