import { describe, expect, test } from 'vitest';
import { Attachment } from '../src/attachment.ts';
import { MessageError } from '../src/errors.ts';
import { EmailMessage } from '../src/message.ts';
import type { EmailMessageInit } from '../src/message-init.ts';
import { fc } from './properties.ts';

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

describe('fields', () => {
  test('of a minimal message have their defaults', () => {
    expect({ ...new EmailMessage(PLAIN) }).toEqual({
      subject: 'Hello',
      body: 'Text',
      fromEmail: 'a@x.org',
      to: ['b@x.org'],
      cc: [],
      bcc: [],
      replyTo: [],
      htmlBody: null,
      attachments: [],
      alternatives: [],
      headers: {},
      tags: [],
      metadata: {},
      templateId: null,
      mergeData: null,
      mergeGlobalData: null,
      trackOpens: false,
      trackClicks: false,
      envelopeSender: null,
      date: null,
      messageId: null,
      inReplyTo: null,
      references: [],
      priority: null,
      autoText: false,
      inlineImages: false,
      listUnsubscribe: null,
      dsn: null,
      requireTls: false,
    });
  });

  const cases: [keyof EmailMessage, unknown, unknown][] = [
    ['subject', '', ''],
    ['subject', 'Größe 😀', 'Größe 😀'],
    ['subject', 'Order\t7\u0092s', 'Order 7\u0092s'],
    ['to', 'Jane\tDoe\u0092s <j@x.org>', ['"Jane Doe\u0092s" <j@x.org>']],
    ['to', '"Doe,\tJane"\t<j@x.org>', ['"Doe, Jane" <j@x.org>']],
    ['to', { name: 'Doe\tJane', address: 'j@x.org' }, ['Doe Jane <j@x.org>']],
    ['cc', 'My\tteam: a@x.org,\tb@x.org;', ['My team: a@x.org, b@x.org;']],
    ['headers', { 'X-A': 'a\tb' }, { 'X-A': 'a b' }],
    ['tags', ['a\tb'], ['a b']],
    ['inReplyTo', '<a$@b@c.example>', 'a$@b@c.example'],
    ['inReplyTo', ' <a@x.org>\r\n <b@x.org> ', 'a@x.org b@x.org'],
    ['inReplyTo', 'a@x.org\tb@x.org', 'a@x.org b@x.org'],
    ['inReplyTo', 'Your mail of Monday < a..b@[x >', 'a..b@[x'],
    ['inReplyTo', '<a b@x.org>', null],
    ['inReplyTo', '<größe@x.org>', null],
    ['inReplyTo', `<${'x'.repeat(901)}@x.org>`, null],
    ['inReplyTo', '', null],
    ['references', '<a@x.org>\r\n\t<no-at> <b@c@x.org><d@x.org>', ['a@x.org', 'no-at', 'b@c@x.org', 'd@x.org']],
    ['references', ['a@x.org b@x.org', '<c@x.org>', '<>', 'd>', 'e\0'], ['a@x.org', 'b@x.org', 'c@x.org']],
    ['body', '', ''],
    ['body', 'a\r\nb\0', 'a\r\nb\0'],
    ['fromEmail', { name: 'Doe, Jane', address: 'j@x.org' }, '"Doe, Jane" <j@x.org>'],
    ['fromEmail', 'Jane <j@x.org>', 'Jane <j@x.org>'],
    ['to', 'Doe <j@x.org>', ['Doe <j@x.org>']],
    ['to', ['a@x.org', { address: 'b@x.org' }], ['a@x.org', 'b@x.org']],
    ['cc', 'Team: a@x.org, b@x.org;', ['Team: a@x.org, b@x.org;']],
    ['bcc', { name: 'Z', address: 'z@x.org' }, ['Z <z@x.org>']],
    ['replyTo', ['r@x.org'], ['r@x.org']],
    ['htmlBody', '<p>', '<p>'],
    ['alternatives', [{ content: 'BEGIN:VCALENDAR', mimetype: 'text/calendar; method=REQUEST' }], 'same'],
    ['headers', { 'X-A': 'b', 'List-Id': '<l.x.org>' }, 'same'],
    ['tags', ['a', 'b', 'a'], ['a', 'b']],
    ['metadata', { order: '7', Größe: 'ü' }, 'same'],
    ['templateId', 't1', 't1'],
    ['mergeData', { 'b@x.org': { name: 'Bob', items: [1, { a: null }] } }, 'same'],
    ['mergeGlobalData', { when: new Date(0), skip: undefined }, { when: '1970-01-01T00:00:00.000Z' }],
    ['trackOpens', true, true],
    ['trackClicks', true, true],
    ['envelopeSender', 'Bounces <bounce@x.org>', 'bounce@x.org'],
    ['envelopeSender', '', ''],
    ['date', new Date(86_400_000), new Date(86_400_000)],
    ['messageId', '<id.1@x.org>', 'id.1@x.org'],
    ['messageId', 'id.1@[192.0.2.1]', 'id.1@[192.0.2.1]'],
    ['inReplyTo', '<q@x.org>', 'q@x.org'],
    ['references', '<a@x.org>', ['a@x.org']],
    ['references', ['<a@x.org>', 'b@x.org'], ['a@x.org', 'b@x.org']],
    ['priority', 'low', 'low'],
    ['autoText', true, true],
    ['inlineImages', true, true],
    ['listUnsubscribe', { url: 'https://x.org/u?a=b', mailto: 'u@x.org', oneClick: true }, 'same'],
    ['listUnsubscribe', { mailto: 'mailto:u@x.org?subject=stop' }, 'same'],
    ['dsn', { notify: ['success', 'delay'], ret: 'headers', envid: 'e 1', orcpt: 'rfc822;o@x.org' }, 'same'],
    ['dsn', { notify: 'never' }, 'same'],
    ['requireTls', true, true],
  ];
  test.each(cases)('%s: %j reads back as %j', (field, value, expected) => {
    expect(new EmailMessage({ ...PLAIN, [field]: value })[field]).toEqual(expected === 'same' ? value : expected);
  });

  const optional = Object.keys(new EmailMessage(PLAIN)).filter((field) => !(field in PLAIN));
  test.each(optional)('%s: null and undefined are as good as left out', (field) => {
    const left = new EmailMessage(PLAIN);
    for (const nothing of [null, undefined]) expect(new EmailMessage({ ...PLAIN, [field]: nothing })).toEqual(left);
  });
});

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

describe('deeply readonly', () => {
  test('every object and list is frozen, and a copy of what was given', () => {
    const given = {
      to: ['b@x.org'],
      attachments: [{ filename: 'a.txt', content: 'x' }],
      alternatives: [{ content: 'x', mimetype: 'text/calendar' }],
      headers: { 'X-A': 'b' },
      tags: ['a'],
      metadata: { a: 'b' },
      mergeData: { 'b@x.org': { list: [{ deep: 1 }] } },
      mergeGlobalData: { list: [{ deep: 1 }] },
      references: ['a@x.org'],
      listUnsubscribe: { url: 'https://x.org' },
      dsn: { notify: ['success' as const] },
      date: new Date(1_000),
    };
    const message = new EmailMessage({ ...PLAIN, ...given });
    const before = JSON.stringify(message);
    given.to.push('evil@x.org');
    given.headers['X-A'] = 'evil';
    given.tags.push('evil');
    given.mergeData['b@x.org'].list.push({ deep: 2 });
    given.dsn.notify.pop();
    given.listUnsubscribe.url = 'https://evil.example';
    given.date.setTime(5);
    expect(JSON.stringify(message)).toBe(before);
    const { date: _, ...rest } = message;
    expect(Object.isFrozen(message)).toBe(true);
    expect(findThawed({ ...rest, parsed: message.parsed, recipients: message.recipients })).toEqual([]);
  });

  test('a date that is taken out and changed does not change the message', () => {
    const message = new EmailMessage({ ...PLAIN, date: new Date(1_000) });
    message.date?.setTime(5);
    expect(message.date).toEqual(new Date(1_000));
    expect(message.with({}).date).toEqual(new Date(1_000));
    expect(message.toJSON().date).toBe('1970-01-01T00:00:01.000Z');
  });

  test('bytes are taken by reference', () => {
    const content = new Uint8Array(3);
    const message = new EmailMessage({ ...PLAIN, attachments: [{ content }] });
    expect(message.attachments[0]?.content).toBe(content);
    expect(message.with({ subject: 'x' }).attachments[0]?.content).toBe(content);
  });
});

/** The paths of everything that could still be changed. */
function findThawed(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const inner = Object.entries(value).flatMap(([key, entry]) => findThawed(entry, `${path}.${key}`));
  return path === '' || Object.isFrozen(value) ? inner : [path, ...inner];
}

describe('recipients', () => {
  test('are to, cc and bcc in this order, members of groups included, each address once', () => {
    const message = new EmailMessage({
      ...PLAIN,
      to: ['Bob <b@x.org>', 'Team: c@x.org, B@X.ORG;'],
      cc: ['jane@bücher.example'],
      bcc: ['Jane@xn--bcher-kva.example', 'd@x.org', 'c@x.org'],
    });
    expect(message.recipients.map(({ address }) => address)).toEqual([
      'b@x.org',
      'c@x.org',
      'jane@bücher.example',
      'd@x.org',
    ]);
  });

  test('a group alone is enough', () => {
    const { recipients } = new EmailMessage({ ...PLAIN, to: 'Team: c@x.org;' });
    expect(recipients.map(({ address }) => address)).toEqual(['c@x.org']);
  });

  test('a group without members is kept beside a bcc', () => {
    const message = new EmailMessage({ ...PLAIN, to: 'undisclosed-recipients:;', bcc: 'c@x.org' });
    expect(message.to).toEqual(['undisclosed-recipients:;']);
    expect(message.recipients).toHaveLength(1);
  });
});

test('parsed has every address in parts', () => {
  const { parsed } = new EmailMessage({ ...PLAIN, fromEmail: 'Jane <j@x.org>', envelopeSender: 'bounce@x.org' });
  expect(parsed.from).toMatchObject({ name: 'Jane', address: 'j@x.org' });
  expect(parsed.envelopeSender?.address).toBe('bounce@x.org');
  expect(new EmailMessage({ ...PLAIN, envelopeSender: '' }).parsed.envelopeSender).toBeNull();
});

describe('with', () => {
  test('changes some fields and checks anew', () => {
    const message = new EmailMessage({ ...PLAIN, tags: ['a'] });
    const changed = message.with({ subject: 'Other', to: ['c@x.org'] });
    expect({ ...changed }).toEqual({ ...message, subject: 'Other', to: ['c@x.org'] });
    expect(message.subject).toBe('Hello');
    expect(() => message.with({ subject: 'a\nb' })).toThrow(MessageError);
  });
});

describe('materialize', () => {
  test('is the message itself when all content is in memory', async () => {
    const message = new EmailMessage({ ...PLAIN, attachments: [{ content: 'x' }, { content: new Uint8Array(2) }] });
    expect(await message.materialize()).toBe(message);
  });

  test('reads Blobs and streams into memory', async () => {
    const message = new EmailMessage({
      ...PLAIN,
      attachments: [{ filename: 'a.png', content: new Blob(['blob']), contentId: 'logo' }, { content: 'text' }],
    });
    const held = await message.materialize();
    expect(held.attachments[0]).toMatchObject({ filename: 'a.png', mimetype: 'image/png', contentId: 'logo' });
    expect(Buffer.from(held.attachments[0]?.content as Uint8Array).toString()).toBe('blob');
    expect(held.attachments[1]).toBe(message.attachments[1]);
    expect(EmailMessage.fromJSON(held.toJSON()).attachments).toHaveLength(2);
  });
});

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

test('instances of Attachment and plain objects are the same to a message', () => {
  const attachment = new Attachment({ filename: 'a.txt', content: 'x' });
  const message = new EmailMessage({ ...PLAIN, attachments: [attachment, { filename: 'a.txt', content: 'x' }] });
  expect(message.attachments[0]).toBe(attachment);
  expect({ ...message.attachments[1] }).toEqual({ ...attachment });
});
