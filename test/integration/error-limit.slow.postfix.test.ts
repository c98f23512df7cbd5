import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SmtpBackendOptions } from '../../src/backends/smtp.ts';
import { getConnection } from '../../src/index.ts';
import { makeCertificates } from '../servers/certificates.ts';
import { type Entrance, Postfix } from '../servers/postfix.ts';

// After 10 errors without a mail between them Postfix waits a second before each reply (smtpd_soft_error_limit), after 20
// it answers 421 and closes (smtpd_hard_error_limit). Nothing shortens that here, so the trials wait side by side.

let postfix: Postfix;
beforeAll(async () => {
  postfix = await Postfix.start(makeCertificates());
});
afterAll(() => postfix?.stop());

interface Trial {
  readonly entrance: Entrance;
  readonly options?: SmtpBackendOptions;
  /** The local parts of every mail's recipients. */
  readonly mails: readonly (readonly string[])[];
}

/** Sends the mails to a domain of the trial's own, and expects that every good recipient gets one mail. */
async function expectGoodOnesToArrive(domain: string, { entrance, options = {}, mails }: Trial): Promise<void> {
  const port = postfix.ports[entrance];
  await using connection = getConnection('smtp', { host: '127.0.0.1', port, ...options });
  const messages = mails.map((names) => ({
    subject: 'News',
    body: 'A line.',
    fromEmail: 'shop@example.com',
    to: names.map((name) => `${name}@${domain}`),
  }));
  const { results } = await connection.sendMessages(messages, { failSilently: true });
  const outcomes = results
    .flatMap(({ recipients }) => [...recipients.values()])
    .map(({ address, status, code }) => `${address.split('@')[0]}: ${status} ${code}`);
  const delivered = (await postfix.settled())
    .read()
    .map(({ deliveredTo }) => deliveredTo.split('@'))
    .flatMap(([name, at]) => (at === domain ? [name] : []));
  expect(endedForErrors(domain)).toBe(true);
  expect(outcomes).toEqual(mails.flat().map((name) => `${name}: ${whatPostfixSays(name)}`));
  expect(delivered.sort()).toEqual(mails.flat().filter(isGood).sort());
}

/** Whether a process that had refused recipients of the domain ended a connection. */
function endedForErrors(domain: string): boolean {
  const pids = postfix.log().matchAll(new RegExp(`smtpd\\[(\\d+)\\]: \\w+: reject: .*@${domain}>`, 'g'));
  return [...pids].some(([, pid]) => postfix.log().includes(`smtpd[${pid}]: too many errors after`));
}

const isGood = (name: string): boolean => name.startsWith('good');
const whatPostfixSays = (name: string): string =>
  name.startsWith('unknown') ? 'invalid 550' : name.startsWith('blocked') ? 'rejected 554' : 'sent 250';
const range = <T>(from: number, to: number, make: (index: number) => T): T[] =>
  Array.from({ length: to - from }, (_, index) => make(from + index));

describe.concurrent('a Postfix that ends a connection after 20 errors', () => {
  test.each([
    { entrance: 'plain', options: {}, bad: 40 },
    { entrance: 'noChunking', options: { maxConnections: 1 }, bad: 12 },
    { entrance: 'lockstep', options: { maxConnections: 1 }, bad: 12 },
  ] as const)(
    'takes the good mails of a list with $bad bad ones in it, through $entrance with $options',
    {
      timeout: 300_000,
    },
    async ({ entrance, options, bad }) => {
      const mails = [
        ...range(0, 10, (index) => [`good${index}`]),
        ...range(0, bad, (index) => [`unknown${index}`, `blocked${index}`]),
        ...range(10, 20, (index) => [`good${index}`]),
      ];
      await expectGoodOnesToArrive(`${entrance}.list.example`, { entrance, options, mails });
    },
  );

  test.each(['plain', 'noChunking', 'lockstep'] as const)(
    'takes one mail for the good half of its 44 recipients, through %s',
    { timeout: 300_000 },
    async (entrance) => {
      const names = range(0, 22, (index) => [`good${index}`, `${index % 2 ? 'unknown' : 'blocked'}${index}`]).flat();
      await expectGoodOnesToArrive(`${entrance}.mail.example`, { entrance, mails: [names] });
    },
  );
});
