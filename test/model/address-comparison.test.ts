import { describe, expect, test } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { MailRelease } from '../../src/mailbox/release.ts';
import type { MailSummary } from '../../src/mailbox/store/caught-mail.ts';
import { matchAddress } from '../../src/mailbox/store/search.ts';
import { comparisonKey } from '../../src/model/address.ts';
import { EmailMessage } from '../../src/model/message.ts';
import { recipientStatus, SendStatus } from '../../src/model/status.ts';
import { createInbox } from '../../src/testing/inbox/inbox.ts';
import { redirect } from '../../src/wrappers/redirect.ts';

/** Two spellings, and whether they are one mailbox. */
const PAIRS: readonly (readonly [string, string, boolean])[] = [
  ['kim@x.org', 'KIM@X.ORG', true],
  ['kim@x.org', '\u212Aim@x.org', false], // the Kelvin sign, which is a k in lower case
  ['iris@x.org', '\u0130ris@x.org', false], // a Turkish capital I
  ['müller@x.org', 'MüLLER@x.org', true],
  ['müller@x.org', 'MÜLLER@x.org', false],
  ['jürgen@münchen.example', 'jürgen@XN--MNCHEN-3YA.example', true],
  ['a@münchen.example', 'a@MÜNCHEN.example', true],
  ['a@\u212A.example', 'a@k.example', true], // UTS 46 makes them one domain
];

describe('addresses are one where a server must take them for one', () => {
  test.each(PAIRS)('%s and %s: %s', (one, other, same) => {
    expect(comparisonKey(one) === comparisonKey(other)).toBe(same);
  });

  test.each([
    ['Jane <a@X.org>', 'a@x.org'],
    [{ name: 'Jane', address: 'A@x.org' }, 'a@x.org'],
    ['FOO', 'foo'],
    ['\u212A', '\u212A'],
    [{ address: 'FOO' }, 'foo'],
    [undefined, 'undefined'],
    ['Team: a@x.org;', 'team: a@x.org;'],
  ])('%j is compared as %s', (input, key) => {
    expect(comparisonKey(input)).toBe(key);
  });

  test.each(PAIRS)('recipients: %s and %s: %s', (one, other, same) => {
    const message = new EmailMessage({ subject: 's', body: 'b', fromEmail: 'a@x.org', to: [one, other] });
    expect(message.recipients.map(({ address }) => address)).toEqual(same ? [one] : [one, other]);
  });

  test.each(PAIRS)('statuses of several messages: %s and %s: %s', (one, other, same) => {
    const results = [one, other].map((address, index) => ({
      index,
      messageId: null,
      recipients: new Map([[address, recipientStatus(address, 'sent')]]),
      error: null,
      ignored: [],
      espResponse: null,
    }));
    expect([...new SendStatus(results).recipients.keys()]).toEqual(same ? [one] : [one, other]);
  });

  test.each(PAIRS)('the allow list of redirect: %s lets %s through: %s', async (one, other, same) => {
    const connection = redirect(new DummyBackend({ store: true }), { to: 'staging@example.net', allow: [one] });
    await connection.sendMessages([{ subject: 's', body: 'b', fromEmail: 'a@x.org', to: other }]);
    expect(connection.messages.map(({ to }) => to)).toEqual([[same ? other : 'staging@example.net']]);
  });

  test.each(PAIRS)('a refusal of %s is one of %s: %s', async (one, other, same) => {
    for (const connection of [new DummyBackend(), createInbox()]) {
      connection.refuse(one);
      const message = { subject: 's', body: 'b', fromEmail: 'a@x.org', to: other };
      const status = await connection.sendMessages([message], { failSilently: true });
      expect(status.isSuccess, connection.name).toBe(!same);
    }
  });

  test.each(PAIRS)('mails of the mailbox to %s are found by %s: %s', (one, other, same) => {
    const summary = { from: null, to: [], cc: [], envelope: { from: '', to: [one] } } as unknown as MailSummary;
    expect(matchAddress('to', other)(summary, '')).toBe(same);
  });

  test.each(PAIRS)('what may be sent on to %s may to %s: %s', async (one, other, same) => {
    const connection = new DummyBackend();
    const release = new MailRelease({ to: [one], connection });
    const mail = Buffer.from('From: a@x.org\r\nSubject: s\r\n\r\nb\r\n');
    const { isSent } = await release.send(mail, other, new AbortController().signal);
    expect(isSent).toBe(same);
  });
});
