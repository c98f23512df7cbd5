import { describe, expect, test } from 'vitest';
import type { Attachment } from '../../src/model/attachment.ts';
import { MessageError } from '../../src/model/errors.ts';
import { EmailMessage } from '../../src/model/message.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { fc } from '../properties.ts';

const PLAIN: EmailMessageInit = { subject: 'Hello', body: 'Text', fromEmail: 'a@x.org', to: 'b@x.org' };

describe('toJSON and fromJSON', () => {
  test('a small message is small', () => {
    expect(new EmailMessage(PLAIN).toJSON()).toEqual({
      subject: 'Hello',
      body: 'Text',
      fromEmail: 'a@x.org',
      to: ['b@x.org'],
    });
  });

  test('a Blob has no JSON form: the error names it and the way out', () => {
    const message = new EmailMessage({ ...PLAIN, attachments: [{ content: 'x' }, { content: new Blob([]) }] });
    expect(() => message.toJSON()).toThrow(/attachments\[1\]\.content.*materialize/);
  });

  const cases: [string, unknown, string][] = [
    ['nothing', null, 'message type'],
    ['a text', 'x', 'message type'],
    ['a date that is none', { date: 'yesterday' }, 'date range'],
    ['a date as a number', { date: 5 }, 'date type'],
    ['attachments that are no list', { attachments: 'x' }, 'attachments type'],
    ['an attachment that is none', { attachments: [null] }, 'attachments[0] type'],
    ['an attachment without content', { attachments: [{ filename: 'a' }] }, 'attachments[0].content type'],
    ['base64 that is none', { attachments: [{ base64: 'a!b=' }] }, 'attachments[0].base64 range'],
    ['base64 cut short', { attachments: [{ base64: 'YWJ' }] }, 'attachments[0].base64 range'],
    ['an unknown field', { colour: 'red' }, 'colour unknown-field'],
  ];
  test.each(cases)('refuses %s', (_, json, fault) => {
    const found = (() => {
      try {
        const whole = typeof json === 'object' && json !== null ? { ...PLAIN, ...json } : json;
        return EmailMessage.fromJSON(whole as Parameters<typeof EmailMessage.fromJSON>[0]);
      } catch (error) {
        return error;
      }
    })();
    expect(found).toBeInstanceOf(MessageError);
    expect((found as MessageError).issues.map(({ path, code }) => `${path} ${code}`)).toEqual([fault]);
  });

  const address = fc
    .tuple(
      fc.stringMatching(/^[a-z]([a-z0-9.]{0,8}[a-z0-9])?$/),
      fc.constantFrom('x.org', 'bücher.example', '[192.0.2.1]'),
    )
    .filter(([local]) => !local.includes('..'))
    .map(([local, domain]) => `${local}@${domain}`);
  const name = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !/\p{Cc}/u.test(text));
  const mailbox = fc.oneof(address, fc.record({ name, address }));
  const line = fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cc}/u.test(text));
  // Minus zero is the one number that JSON does not keep.
  const json = fc.jsonValue({ noUnicodeString: false }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  const messageId = address.map((text) => text.replace('bücher', 'buecher'));
  const optional = fc.record(
    {
      cc: fc.array(mailbox, { maxLength: 3 }),
      bcc: fc.array(mailbox, { maxLength: 3 }),
      replyTo: fc.array(mailbox, { maxLength: 2 }),
      htmlBody: fc.option(fc.string()),
      attachments: fc.array(
        fc.record(
          {
            filename: fc.option(line.map((text) => text.replaceAll(/[/\\]/g, '_'))),
            content: fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array()),
            mimetype: fc.constantFrom('image/png', 'text/plain; charset=utf-8'),
          },
          { requiredKeys: ['content'] },
        ),
        { maxLength: 3 },
      ),
      alternatives: fc.array(fc.record({ content: fc.string(), mimetype: fc.constant('text/calendar') }), {
        maxLength: 2,
      }),
      headers: fc.dictionary(fc.stringMatching(/^X-[a-z]{1,8}$/), line),
      tags: fc.array(line.filter((text) => text !== '')),
      metadata: fc.dictionary(line, line),
      templateId: fc.option(line),
      mergeData: fc.option(fc.dictionary(address, fc.dictionary(fc.string(), json), { maxKeys: 3 })),
      mergeGlobalData: fc.option(fc.dictionary(fc.string(), json)),
      trackOpens: fc.boolean(),
      trackClicks: fc.boolean(),
      envelopeSender: fc.option(fc.oneof(address, fc.constant(''))),
      date: fc.option(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })),
      messageId: fc.option(messageId),
      inReplyTo: fc.option(messageId),
      references: fc.array(messageId, { maxLength: 3 }),
      priority: fc.option(fc.constantFrom('high', 'normal', 'low')),
      autoText: fc.boolean(),
      inlineImages: fc.boolean(),
      listUnsubscribe: fc.option(fc.constant({ url: 'https://x.org/u', oneClick: true })),
      dsn: fc.option(fc.constantFrom({}, { notify: 'never' }, { notify: ['success'], ret: 'full' })),
      requireTls: fc.boolean(),
      sendAt: fc.option(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })),
      idempotencyKey: fc.option(fc.stringMatching(/^[!-~]{1,256}$/)),
      espExtra: fc.option(fc.dictionary(fc.string(), fc.dictionary(fc.string(), json), { maxKeys: 3 })),
    },
    { requiredKeys: [] },
  );
  const init = fc
    .record({
      subject: line,
      body: fc.string({ unit: 'binary' }),
      fromEmail: mailbox,
      to: fc.array(mailbox, { minLength: 1, maxLength: 3 }),
    })
    .chain((base) => optional.map((more) => ({ ...base, ...more }) as EmailMessageInit));

  test('lose nothing, also as text; and a message made from a message is the same', () => {
    fc.assert(
      fc.property(init, (fields) => {
        const message = new EmailMessage(fields);
        const bytes = (attachment: Attachment) => ({
          ...attachment,
          content: Buffer.from(attachment.content as string),
        });
        const comparable = (one: EmailMessage) => ({
          ...one,
          parsed: one.parsed,
          attachments: one.attachments.map(bytes),
        });
        const read = EmailMessage.fromJSON(JSON.parse(JSON.stringify(message)));
        expect(comparable(read)).toEqual(comparable(message));
        expect(read.attachments.map(({ content }) => typeof content)).toEqual(
          message.attachments.map(({ content }) => typeof content),
        );
        expect(comparable(message.with({}))).toEqual(comparable(message));
      }),
      { numRuns: 500 },
    );
  });

  test('the name __proto__ is a name like any other', () => {
    const message = new EmailMessage({ ...PLAIN, metadata: JSON.parse('{"__proto__": "x"}') });
    expect(JSON.stringify(EmailMessage.fromJSON(JSON.parse(JSON.stringify(message))).metadata)).toBe(
      '{"__proto__":"x"}',
    );
    const merge = new EmailMessage({ ...PLAIN, mergeGlobalData: JSON.parse('{"__proto__": {"a": 1}}') });
    expect(JSON.stringify(merge.mergeGlobalData)).toBe('{"__proto__":{"a":1}}');
  });
});
