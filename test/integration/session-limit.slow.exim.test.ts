import { describe, expect, test } from 'vitest';
import { getConnection } from '../../src/index.ts';
import { Exim } from '../servers/exim.ts';
import { countBy } from './counts.ts';

/** What Exim takes over one connection before it answers 421 and closes (smtp_accept_max_per_connection). */
const MAILS_A_CONNECTION = 1000;

describe.concurrent('an Exim that ends a connection after a thousand mails', () => {
  test.each([
    { count: 2100, maxConnections: 1, connections: 3 },
    { count: 6000, maxConnections: 5, connections: 10 },
  ])(
    'takes each of $count once, $maxConnections connections at a time',
    {
      timeout: 300_000,
    },
    async ({ count, maxConnections, connections }) => {
      await using exim = await Exim.start();
      await using connection = getConnection('smtp', { host: '127.0.0.1', port: exim.port, maxConnections });
      const messages = Array.from({ length: count }, (_, i) => ({
        subject: `Mail ${i}`,
        body: 'A line.',
        fromEmail: 'shop@example.com',
        to: `user${i}@example.org`,
      }));
      const { results } = await connection.sendMessages(messages, { failSilently: true });
      const taken = exim.taken();

      // Exim did end connections, and so the trial is one.
      const mailsOf = countBy(taken, ({ pid }) => pid);
      expect(Math.max(...Object.values(mailsOf))).toBe(MAILS_A_CONNECTION);

      const recipients = results.flatMap((result) => [...result.recipients.values()]);
      const outcomes = countBy(recipients, ({ status, response }) =>
        status === 'sent' ? status : `${status}: ${response}`,
      );
      expect(outcomes).toEqual({ sent: count });
      const ids = recipients.map(({ messageId }) => messageId);
      expect(taken.map(({ messageId }) => messageId).sort()).toEqual(ids.sort());
      expect(Object.keys(mailsOf).length).toBeLessThanOrEqual(connections);
    },
  );
});
