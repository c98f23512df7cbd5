import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SmtpBackendOptions } from '../../src/backends/smtp.ts';
import { type EmailBackend, getConnection, type SendStatus } from '../../src/index.ts';
import { makeCertificates } from '../servers/certificates.ts';
import { Postfix } from '../servers/postfix.ts';
import { PASSWORD, Saslauthd, USER } from '../servers/saslauthd.ts';
import { countBy } from './counts.ts';

// The usual Postfix with Cyrus SASL: it offers SCRAM-SHA-256, CRAM-MD5, PLAIN and LOGIN, and only the last two can succeed.

const certificates = makeCertificates();
let saslauthd: Saslauthd;
let postfix: Postfix;
beforeAll(async () => {
  saslauthd = await Saslauthd.start();
  postfix = await Postfix.start(certificates, saslauthd);
});
afterAll(async () => {
  await postfix?.stop();
  await saslauthd?.stop();
});

function backend(options: SmtpBackendOptions, { ports }: Postfix = postfix): EmailBackend {
  return getConnection('smtp', {
    host: 'localhost',
    port: ports.submission,
    useTls: true,
    tls: { ca: certificates.ca },
    username: USER,
    ...options,
  });
}

const mails = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    subject: 'Hello',
    body: 'A line.',
    fromEmail: USER,
    to: `user${i}@example.com`,
  }));

const outcomesOf = ({ recipients }: SendStatus) =>
  countBy(recipients.values(), ({ status, error }) => `${status} ${error?.message ?? ''}`.trim());

/** What it cost at the server: exchanges that failed and mails that were taken, by mechanism, and passwords that were tried. */
async function costs<T>(work: () => Promise<T>) {
  const [log, tried] = [postfix.log().length, saslauthd.tried.length];
  const result = await work();
  await postfix.settled();
  const count = (pattern: RegExp) =>
    countBy(postfix.log().slice(log).matchAll(pattern), ([, mechanism = '']) => mechanism);
  return {
    result,
    /** As Postfix logs it, which a process of its own writes a moment later. */
    logged: () => ({
      failed: count(/: SASL (\S+) authentication failed/g),
      taken: count(/sasl_method=([^,\s]+), sasl_username=/g),
    }),
    tried: saslauthd.tried.slice(tried),
  };
}

test('the right password gets a pool of five in after one exchange that failed', async () => {
  await using connection = backend({ password: PASSWORD });
  const cost = await costs(() => connection.sendMessages(mails(100), { failSilently: true }));
  const { result, logged, tried } = cost;
  expect(outcomesOf(result)).toEqual({ sent: 100 });
  await expect.poll(logged).toEqual({ failed: { 'SCRAM-SHA-256': 1 }, taken: { PLAIN: 100 } });
  expect(new Set(tried)).toEqual(new Set([PASSWORD]));
  expect(tried.length).toBeLessThanOrEqual(5);
  expect(postfix.maildir.size).toBe(100);
  postfix.maildir.clear();
});

test('a mechanism that fails for the moment, as it cannot read its passwords, is passed over too', async () => {
  await using service = await Saslauthd.start('unreadable');
  await using server = await Postfix.start(certificates, service);
  await using connection = backend({ password: PASSWORD }, server);
  const status = await connection.sendMessages(mails(1), { failSilently: true });
  await expect.poll(() => server.log()).toMatch(/SASL SCRAM-SHA-256 authentication failed: generic failure/); // 454 4.7.0
  expect(outcomesOf(status)).toEqual({ sent: 1 });
  expect(service.tried).toEqual([PASSWORD]);
});

test('a wrong password is tried at most twice, by a pool of five and the calls after it, and the error names how', async () => {
  await using connection = backend({ password: 'wröng-secret' });
  const { result, logged, tried } = await costs(async () => [
    ...(await connection.sendMessages(mails(20), { failSilently: true })).results,
    ...(await connection.sendMessages(mails(1), { failSilently: true })).results,
  ]);
  expect(countBy(result, ({ error }) => `${error?.code} ${error?.outcome}`)).toEqual({ 'auth not-sent': 21 });
  await expect.poll(logged).toEqual({ failed: { 'SCRAM-SHA-256': 1, PLAIN: 1 }, taken: {} });
  expect(tried).toEqual(['wröng-secret']);
  const text = String(result[0]?.error);
  expect(text).toContain('SCRAM-SHA-256');
  expect(text).toContain('PLAIN');
  expect(text).not.toContain('wröng-secret');
  expect(postfix.maildir.size).toBe(0);
});

test.each([
  ['PLAIN', {}, 1],
  ['LOGIN', {}, 1],
  ['CRAM-MD5', { 'CRAM-MD5': 1 }, 0],
  ['SCRAM-SHA-256', { 'SCRAM-SHA-256': 1 }, 0],
] as const)('%s is the only one that is tried when it is named', async (authMethod, failed, sent) => {
  await using connection = backend({ password: PASSWORD, authMethod });
  const cost = await costs(() => connection.sendMessages(mails(1), { failSilently: true }));
  await expect.poll(cost.logged).toMatchObject({ failed });
  expect(cost.tried).toEqual(sent === 1 ? [PASSWORD] : []);
  expect(cost.result.isSuccess).toBe(sent === 1);
  expect(postfix.maildir.size).toBe(sent);
  postfix.maildir.clear();
});
