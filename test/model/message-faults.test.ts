import { describe, expect, test } from 'vitest';
import { MessageError } from '../../src/model/errors.ts';
import { EmailMessage } from '../../src/model/message.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';

const PLAIN: EmailMessageInit = { subject: 'Hello', body: 'Text', fromEmail: 'a@x.org', to: 'b@x.org' };

/** The faults of a message, as `path code`; types are left aside, as they are for who writes JavaScript. */
function faults(fields: Readonly<Record<string, unknown>>): string[] {
  try {
    new EmailMessage({ ...PLAIN, ...fields });
  } catch (error) {
    if (error instanceof MessageError) return error.issues.map(({ path, code }) => `${path} ${code}`);
    throw error;
  }
  return [];
}

describe('faults', () => {
  const cases: [Readonly<Record<string, unknown>>, string[]][] = [
    [{ subject: undefined }, ['subject required']],
    [{ subject: 7 }, ['subject type']],
    [{ subject: 'a\r\nBcc: evil@x.org' }, ['subject control-character']],
    [{ subject: 'a\0' }, ['subject control-character']],
    [{ subject: 'a\u001b' }, ['subject control-character']],
    [{ subject: 'a\u007f' }, ['subject control-character']],
    [{ attachments: [{ content: '', filename: 'a\u0007.pdf' }] }, ['attachments[0].filename control-character']],
    [{ to: '"a\tb"@x.org' }, ['to address']],
    [{ to: '"a\u0085b"@x.org' }, ['to address']],
    [{ to: 'a@x\u0085.org' }, ['to address']],
    [{ to: { name: 'a\u000b', address: 'a@x.org' } }, ['to address']],
    [{ body: 7 }, ['body type']],
    [{ body: undefined }, ['body required']],
    [{ body: null }, ['body required']],
    [{ htmlBody: {} }, ['htmlBody type']],
    [{ fromEmail: undefined }, ['fromEmail required']],
    [{ fromEmail: null }, ['fromEmail required']],
    [{ fromEmail: 'nobody' }, ['fromEmail address']],
    [{ fromEmail: 'Team: a@x.org;' }, ['fromEmail address']],
    [{ to: undefined }, ['to required']],
    [{ to: [] }, ['to required']],
    [{ to: 'undisclosed-recipients:;' }, ['to required']],
    [{ to: 'a@x.org, b@x.org' }, ['to address']],
    [{ to: ['a@x.org', 'b'] }, ['to[1] address']],
    [{ to: [7, null, {}, undefined, 'b@x.org'] }, ['to[0] address', 'to[1] address', 'to[2] address', 'to[3] address']],
    [{ to: 7 }, ['to address']],
    [{ cc: ['x\r\n@x.org'] }, ['cc[0] address']],
    [{ bcc: 'x' }, ['bcc address']],
    [{ replyTo: ['x'] }, ['replyTo[0] address']],
    [{ envelopeSender: 'x' }, ['envelopeSender address']],
    [{ envelopeSender: 7 }, ['envelopeSender address']],
    [{ attachments: {} }, ['attachments type']],
    [{ attachments: [null, 'x'] }, ['attachments[0] type', 'attachments[1] type']],
    [{ attachments: [{ filename: 'a/b', content: 'x' }] }, ['attachments[0].filename filename']],
    [
      {
        attachments: [
          { content: 'x', contentId: 'a' },
          { content: 'x', contentId: 'a' },
        ],
      },
      ['attachments[1].contentId duplicate'],
    ],
    [{ alternatives: 'x' }, ['alternatives type']],
    [{ alternatives: [{}] }, ['alternatives[0].content required', 'alternatives[0].mimetype content-type']],
    [{ alternatives: [null] }, ['alternatives[0].content required', 'alternatives[0].mimetype content-type']],
    [
      { alternatives: [{ content: 'x', mimetype: `text/x; y=${'z'.repeat(900)}` }] },
      ['alternatives[0].mimetype content-type'],
    ],
    [{ alternatives: [{ content: 'x', mimetype: 'text/x\r\nA: b' }] }, ['alternatives[0].mimetype content-type']],
    [{ headers: [] }, ['headers type']],
    [{ headers: 'x' }, ['headers type']],
    [{ headers: { 'X-A': 7 } }, ['headers.X-A type']],
    [{ headers: { 'X-A': 'a\nb' } }, ['headers.X-A control-character']],
    [{ headers: { 'X A': 'b' } }, ['headers.X A header-name']],
    [{ headers: { 'X:': 'b' } }, ['headers.X: header-name']],
    [{ headers: { Größe: 'b' } }, ['headers.Größe header-name']],
    [{ headers: { '': 'b' } }, ['headers. header-name']],
    [{ headers: { 'X-A': 'b', 'x-a': 'c' } }, ['headers.x-a duplicate']],
    ...['From', 'Sender', 'TO', 'cc', 'Bcc', 'Reply-To', 'Subject', 'Date', 'Message-ID', 'In-Reply-To'].map(
      (name): [Record<string, unknown>, string[]] => [
        { headers: { [name]: 'b' } },
        [`headers.${name} reserved-header`],
      ],
    ),
    ...['References', 'Return-Path', 'MIME-Version', 'DKIM-Signature', 'Content-Type', 'Resent-From'].map(
      (name): [Record<string, unknown>, string[]] => [
        { headers: { [name]: 'b' } },
        [`headers.${name} reserved-header`],
      ],
    ),
    [{ tags: 'x' }, ['tags type']],
    [
      { tags: ['', 'a\nb', 7, null] },
      ['tags[0] required', 'tags[1] control-character', 'tags[2] type', 'tags[3] required'],
    ],
    [{ metadata: { a: 7, b: 'x\ny' } }, ['metadata.a type', 'metadata.b control-character']],
    [{ metadata: { 'a\nb': 'x' } }, ['metadata.a\nb control-character']],
    [{ templateId: 7 }, ['templateId type']],
    [{ mergeData: [] }, ['mergeData type']],
    [{ mergeData: { bob: {} } }, ['mergeData.bob address']],
    [{ mergeData: { 'b@x.org': 7 } }, ['mergeData.b@x.org type']],
    [{ mergeGlobalData: 'x' }, ['mergeGlobalData type']],
    [{ mergeGlobalData: { a: [1, () => {}] } }, ['mergeGlobalData.a[1] type']],
    [{ mergeGlobalData: { a: Number.NaN, b: 1n } }, ['mergeGlobalData.a type', 'mergeGlobalData.b type']],
    [{ trackOpens: 'yes', trackClicks: 1 }, ['trackOpens type', 'trackClicks type']],
    [{ date: '2026-01-01' }, ['date type']],
    [{ date: new Date(Number.NaN) }, ['date range']],
    [{ date: new Date(-1) }, ['date range']],
    [{ messageId: 'no-at' }, ['messageId range']],
    [{ messageId: '<a@x.org>\r\nX: y' }, ['messageId control-character']],
    [{ messageId: `${'a'.repeat(900)}@x.org` }, ['messageId range']],
    [{ messageId: '<a@x.org' }, ['messageId range']],
    [{ messageId: 'a@x.org>' }, ['messageId range']],
    [{ messageId: 'a@[x' }, ['messageId range']],
    [{ headers: new Map([['X-A', 'b']]) }, ['headers type']],
    [{ metadata: new Headers({ a: 'b' }) }, ['metadata type']],
    [{ inReplyTo: 7 }, ['inReplyTo type']],
    [{ references: ['a@x.org', 7] }, ['references[1] type']],
    [{ references: 7 }, ['references type']],
    [{ references: [null] }, ['references[0] required']],
    [{ priority: 'urgent' }, ['priority range']],
    [{ autoText: 'yes' }, ['autoText type']],
    [{ inlineImages: 'yes' }, ['inlineImages type']],
    [{ listUnsubscribe: {} }, ['listUnsubscribe required']],
    [{ listUnsubscribe: 'https://x.org' }, ['listUnsubscribe type']],
    [{ listUnsubscribe: { url: 'ftp://x.org' } }, ['listUnsubscribe.url range']],
    [{ listUnsubscribe: { url: 'https://x.org/>' } }, ['listUnsubscribe.url range']],
    [{ listUnsubscribe: { mailto: 'x' } }, ['listUnsubscribe.mailto range']],
    [{ listUnsubscribe: { url: 'http://x.org', oneClick: true } }, ['listUnsubscribe.oneClick range']],
    [{ listUnsubscribe: { mailto: 'a@x.org', oneClick: 1 } }, ['listUnsubscribe.oneClick type']],
    [{ listUnsubscribe: { mailto: 'a@x.org', link: 1 } }, ['listUnsubscribe.link unknown-field']],
    [{ dsn: 'never' }, ['dsn type']],
    [{ dsn: { notify: [] } }, ['dsn.notify range']],
    [{ dsn: { notify: 'success' } }, ['dsn.notify range']],
    [{ dsn: { notify: ['never'] } }, ['dsn.notify range']],
    [{ dsn: { ret: 'all' } }, ['dsn.ret range']],
    [{ dsn: { envid: '' } }, ['dsn.envid range']],
    [{ dsn: { envid: 7 } }, ['dsn.envid range']],
    [{ dsn: { orcpt: 'o@x.org' } }, ['dsn.orcpt range']],
    [{ dsn: { notfy: 'never' } }, ['dsn.notfy unknown-field']],
    [{ requireTls: 1 }, ['requireTls type']],
    [{ sendAt: '2026-12-01T00:00:00Z' }, ['sendAt type']],
    [{ sendAt: new Date(Number.NaN) }, ['sendAt range']],
    [{ idempotencyKey: '' }, ['idempotencyKey range']],
    [{ idempotencyKey: 'a b' }, ['idempotencyKey range']],
    [{ idempotencyKey: 'a\r\nX-Evil: 1' }, ['idempotencyKey range']],
    [{ idempotencyKey: 'k'.repeat(257) }, ['idempotencyKey range']],
    [{ idempotencyKey: 7 }, ['idempotencyKey type']],
    [{ espExtra: 'x' }, ['espExtra type']],
    [{ espExtra: { resend: 'x' } }, ['espExtra.resend type']],
    [{ espExtra: { resend: { a: () => {} } } }, ['espExtra.resend.a type']],
    [{ sujet: 'x' }, ['sujet unknown-field']],
    [{ kind: 'prepared' }, ['kind unknown-field']],
  ];
  test.each(cases)('%o: %j', (fields, expected) => {
    expect(faults(fields)).toEqual(expected);
  });

  test('are told all at once, none of the values shown that could be a body', () => {
    const found = faults({ subject: 1, body: 2, fromEmail: 'x', to: ['y'], tags: 3, nonsense: 4 });
    expect(found.toSorted()).toEqual([
      'body type',
      'fromEmail address',
      'nonsense unknown-field',
      'subject type',
      'tags type',
      'to[0] address',
    ]);
  });

  test.each([null, undefined, 'text', 7])('what is no object is refused: %j', (init) => {
    // @ts-expect-error: for who writes JavaScript
    expect(() => new EmailMessage(init)).toThrow(MessageError);
  });

  test('a structure that contains itself', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect(faults({ mergeGlobalData: loop })).toHaveLength(1);
  });
});
