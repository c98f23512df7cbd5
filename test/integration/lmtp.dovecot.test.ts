import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmailBackend, getConnection } from '../../src/index.ts';
import { makeCertificates } from '../servers/certificates.ts';
import { Dovecot, USER } from '../servers/dovecot.ts';
import { parseWithAll } from './parsers.ts';

let dovecot: Dovecot;

beforeAll(async () => {
  dovecot = await Dovecot.start(makeCertificates().good);
});
afterAll(() => dovecot?.stop(), 60_000);

function backend(): EmailBackend {
  return getConnection('smtp', { host: '127.0.0.1', port: dovecot.lmtpPort, lmtp: true });
}

describe("LMTP into Dovecot's mailboxes", () => {
  test('gives each recipient an answer of its own, before the content and after it', async () => {
    await using connection = backend();
    const status = await connection.sendMessages([
      {
        subject: 'Grüße',
        body: 'A line.\n.\n',
        fromEmail: 'sender@example.com',
        to: [USER, 'nobody@example.test', 'full@example.test'],
      },
    ]);
    const facts = [...status.recipients].map(([address, { status: state, code, enhancedCode }]) => [
      address,
      state,
      code,
      enhancedCode,
    ]);
    expect(facts).toEqual([
      [USER, 'sent', 250, '2.0.0'],
      ['nobody@example.test', 'invalid', 550, '5.1.1'],
      ['full@example.test', 'rejected', 552, '5.2.2'],
    ]);
    const mails = dovecot.maildir.read();
    expect(mails.map(({ returnPath }) => returnPath)).toEqual(['sender@example.com']);
    for (const { subject, text } of Object.values(await parseWithAll(mails[0]?.source ?? Buffer.alloc(0)))) {
      expect([subject, text]).toEqual(['Grüße', 'A line.\n.\n']);
    }
  });

  test('100 mails over one connection: each arrives once', async () => {
    dovecot.maildir.clear();
    await using connection = backend();
    const messages = Array.from({ length: 100 }, (_, i) => ({
      subject: `mail ${i}`,
      body: 'x',
      fromEmail: USER,
      to: USER,
    }));
    const status = await connection.sendMessages(messages);
    expect(status.results.every(({ error }) => error === null)).toBe(true);
    const subjects = dovecot.maildir.read().map(({ source }) => /^Subject: (.*)$/m.exec(source.toString())?.[1]);
    expect(subjects.sort()).toEqual(messages.map(({ subject }) => subject).sort());
  });
});
