import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AwsCredentials, Credentials } from '../../src/aws/credentials.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

const HOUR = 3_600_000;
let fetched = 0;

/** Keys that are numbered, and last an hour. */
async function anHour(): Promise<AwsCredentials> {
  return { accessKeyId: `K${++fetched}`, secretAccessKey: 's', expiration: new Date(Date.now() + HOUR) };
}

test('they are fetched once for all who wait, and again five minutes before they end', async () => {
  fetched = 0;
  const credentials = new Credentials(anHour);
  const ids = async () => (await Promise.all([credentials.get(), credentials.get()])).map((keys) => keys.accessKeyId);
  expect(await ids()).toEqual(['K1', 'K1']);
  vi.setSystemTime(HOUR - 300_001);
  expect(await ids()).toEqual(['K1', 'K1']);
  vi.setSystemTime(HOUR - 300_000);
  expect(await ids()).toEqual(['K2', 'K2']);
});

test('when they cannot be renewed the old ones are used until they end', async () => {
  fetched = 0;
  let isDown = false;
  let asked = 0;
  const credentials = new Credentials(async () => {
    asked++;
    if (isDown) throw new Error('down');
    return anHour();
  });
  await credentials.get();
  isDown = true;
  vi.setSystemTime(HOUR - 200_000);
  expect(await credentials.get()).toMatchObject({ accessKeyId: 'K1' });
  expect(await credentials.get()).toMatchObject({ accessKeyId: 'K1' });
  expect(asked).toBe(2);
  vi.setSystemTime(HOUR);
  await expect(credentials.get()).rejects.toThrow('down');
  isDown = false;
  expect(await credentials.get()).toMatchObject({ accessKeyId: 'K2' });
});

test('a source that has no newer keys yet is not asked for each mail', async () => {
  let asked = 0;
  const end = HOUR;
  const credentials = new Credentials(async () => {
    asked++;
    return { accessKeyId: 'K', secretAccessKey: 's', expiration: new Date(end) };
  });
  const askedAt = async (time: number): Promise<number> => {
    vi.setSystemTime(time);
    await credentials.get();
    return asked;
  };
  expect(await askedAt(end - 200_000)).toBe(1);
  expect(await askedAt(end - 199_000)).toBe(1);
  expect(await askedAt(end - 140_000)).toBe(2);
  expect(await askedAt(end - 30_000)).toBe(3);
  expect(await askedAt(end - 1)).toBe(3);
  expect(await askedAt(end)).toBe(4);
});

test('keys that a service no longer takes are fetched anew; given ones stay', async () => {
  fetched = 0;
  const credentials = new Credentials(anHour);
  const first = await credentials.get();
  expect(credentials.drop(first)).toBe(true);
  expect(await credentials.get()).toMatchObject({ accessKeyId: 'K2' });
  expect(credentials.drop(first)).toBe(true);
  expect(await credentials.get()).toMatchObject({ accessKeyId: 'K2' });
  const given = new Credentials({ accessKeyId: 'A', secretAccessKey: 's' });
  expect(given.drop(await given.get())).toBe(false);
});
