import { describe, expect, test } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { composeMessage } from '../../src/mime/compose/compose.ts';
import { Attachment } from '../../src/model/attachment.ts';
import { EmailMessage } from '../../src/model/message.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';

const PLAIN: EmailMessageInit = { subject: 'Hello', body: 'Text', fromEmail: 'a@x.org', to: 'b@x.org' };
const EVIL = 'x\r\nBcc: evil@e.example';

/** An object that tells the truth once about each of its properties, and `lie` ever after. */
function liar<T extends object>(honest: T, lie: unknown = EVIL): T {
  const told = new Set<PropertyKey>();
  return new Proxy(honest, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof name === 'symbol' || typeof value === 'function') return value;
      if (told.has(name)) return lie;
      told.add(name);
      return value;
    },
  });
}

class LateDate extends Date {
  #asked = 0;
  override valueOf(): number {
    return this.#asked++ === 0 ? 0 : Number.NaN;
  }
  override getTime(): number {
    return this.valueOf();
  }
  override toUTCString(): string {
    return EVIL;
  }
}

/** Wraps what it is given: in a liar, or in nothing for comparison. */
type Wrap = <T extends object>(value: T) => T;

const FIELDS: readonly (readonly [string, (wrap: Wrap) => Readonly<Record<string, unknown>>])[] = [
  ['fromEmail', (w) => ({ fromEmail: w({ name: 'A', address: 'a@x.org' }) })],
  ['to, one', (w) => ({ to: w({ name: 'B', address: 'b@x.org' }) })],
  ['to, a list', (w) => ({ to: w([w({ address: 'b@x.org' }), 'c@x.org']) })],
  ['cc', (w) => ({ cc: [w({ name: 'C', address: 'c@x.org' })] })],
  ['bcc', (w) => ({ bcc: w(['c@x.org']) })],
  ['replyTo', (w) => ({ replyTo: [w({ address: 'c@x.org' })] })],
  ['envelopeSender', (w) => ({ envelopeSender: w({ address: 'c@x.org' }) })],
  [
    'attachments',
    (w) => ({ attachments: w([w({ filename: 'a.txt', content: 'x', mimetype: 'text/x', contentId: 'i' })]) }),
  ],
  [
    'an object that passes for an Attachment',
    (w) => ({ attachments: [w(Object.assign(Object.create(Attachment.prototype), { filename: 'a', content: 'x' }))] }),
  ],
  ['alternatives', (w) => ({ alternatives: w([w({ content: 'x', mimetype: 'text/x-amp-html' })]) })],
  ['headers', (w) => ({ headers: w({ 'X-A': 'b', 'List-Id': '<l.x.org>' }) })],
  ['tags', (w) => ({ tags: w(['a', 'b']) })],
  ['metadata', (w) => ({ metadata: w({ a: 'b' }) })],
  ['mergeData', (w) => ({ mergeData: w({ 'b@x.org': w({ a: w(['b']), toJSON: 1 }) }) })],
  ['mergeGlobalData', (w) => ({ mergeGlobalData: w({ a: w({ toJSON: () => 'b' }) }) })],
  ['sendAt', (w) => ({ sendAt: w === liar ? new LateDate(0) : new Date(0) })],
  ['espExtra', (w) => ({ espExtra: w({ resend: w({ a: w(['b']) }) }) })],
  ['date', (w) => ({ date: w === liar ? new LateDate(0) : new Date(0) })],
  ['references', (w) => ({ references: w(['a@x.org', 'b@x.org']) })],
  ['listUnsubscribe', (w) => ({ listUnsubscribe: w({ url: 'https://x.org/u', mailto: 'u@x.org', oneClick: true }) })],
  ['dsn', (w) => ({ dsn: w({ notify: w(['success']), ret: 'full', envid: 'e', orcpt: 'rfc822;o@x.org' }) })],
];

describe('what the caller says is read once', () => {
  test.each(FIELDS)('%s: a second answer is never asked for', (_, fields) => {
    const message = new EmailMessage({ ...PLAIN, ...fields(liar) });
    expect(message.toJSON()).toEqual(new EmailMessage({ ...PLAIN, ...fields((value) => value) }).toJSON());
    expect(Buffer.from(composeMessage(message, { tagHeaders: true })).toString()).not.toContain('evil');
  });

  test('a field of the message itself', () => {
    const honest = {
      ...PLAIN,
      htmlBody: '<p>',
      envelopeSender: '',
      templateId: 't',
      messageId: 'i@x.org',
      inReplyTo: 'r@x.org',
      references: 'r@x.org',
      priority: 'high',
    } as const;
    expect(new EmailMessage(liar(honest)).toJSON()).toEqual(new EmailMessage(honest).toJSON());
  });

  test('a list that has methods of its own', () => {
    const lies = Object.fromEntries(['map', 'filter', 'entries', 'every', 'slice'].map((name) => [name, () => [EVIL]]));
    const init = { ...PLAIN, tags: ['a'], references: ['a@x.org'], mergeGlobalData: { a: ['b'] } };
    for (const list of [init.tags, init.references, init.mergeGlobalData.a]) Object.assign(list, lies);
    expect(JSON.stringify(new EmailMessage(init))).not.toContain('evil');
  });

  test.each([false, true])('recipients by the connection, failSilently %s', async (failSilently) => {
    const connection = new DummyBackend({ store: true });
    const to = [
      liar({ name: 'B', address: 'b@x.org' }, 'nobody'),
      liar({ address: 'not an address' }, 'evil@e.example'),
    ];
    const sent = await connection
      .sendMessages([liar({ ...PLAIN, to: liar(to, 'evil@e.example') }, 'evil@e.example')], { failSilently })
      .catch((error: { readonly status: null }) => error.status);
    expect([...(sent?.recipients.values() ?? [])].map(({ address, status }) => `${address} ${status}`)).toEqual([
      `b@x.org ${failSilently ? 'sent' : 'failed'}`,
      'not an address invalid',
    ]);
    expect(connection.messages.map((message) => message.to)).toEqual(failSilently ? [['B <b@x.org>']] : []);
  });
});
