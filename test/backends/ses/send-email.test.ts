import { generateKeyPairSync } from 'node:crypto';
import { authenticate } from 'mailauth';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { composeMessage } from '../../../src/mime/compose/compose.ts';
import { EmailMessage } from '../../../src/model/message.ts';
import { redirect } from '../../../src/wrappers/redirect.ts';
import { StrictSes } from '../../servers/strict-ses.ts';
import { record } from '../../servers/strict-ses-rules.ts';
import { addresses, closeAll, connectTo, errorOf, FROM, issuesOf, mail } from './connect.ts';

let ses: StrictSes;
beforeAll(async () => {
  ses = await StrictSes.start();
});
afterAll(() => ses.close());
afterEach(async () => {
  await closeAll();
  ses.reset();
});

describe('a mail without a template', () => {
  const rich = mail({
    subject: 'Grüße aus München',
    body: 'Schöne Grüße',
    htmlBody: '<p>Schöne Grüße</p><img src="cid:logo">',
    to: ['Jané Dœ <jane@münchen.example>', 'bob@example.org'],
    cc: '"Doe, Carl" <carl@example.org>',
    bcc: ['Dora <dora@example.org>'],
    replyTo: 'Help <help@example.com>',
    attachments: [{ filename: 'naïve.png', content: new Uint8Array([1, 2, 3]), contentId: 'logo' }],
    alternatives: [
      { content: 'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n', mimetype: 'text/calendar; method=REQUEST' },
    ],
    date: new Date('2026-11-22T10:00:00Z'),
    messageId: 'fixed@example.com',
    headers: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`X-Header-${index}`, 'Ünï'.repeat(50)])),
  });

  test('is byte for byte what the composer makes, 7-bit', async () => {
    await connectTo(ses).sendMessages([rich]);
    const raw = ses.accepted[0]?.raw ?? Buffer.alloc(0);
    const boundary = /=_1_([0-9a-f]{32})/.exec(raw.toString())?.[1] ?? '';
    expect(raw.equals(composeMessage(new EmailMessage(rich), { boundary }))).toBe(true);
  });

  test('its envelope is bare addresses in A-labels, and Bcc is in the envelope alone', async () => {
    await connectTo(ses).sendMessages([rich]);
    expect(ses.accepted[0]?.request).toMatchObject({
      FromEmailAddress: FROM,
      Destination: {
        ToAddresses: ['jane@xn--mnchen-3ya.example', 'bob@example.org'],
        CcAddresses: ['carl@example.org'],
        BccAddresses: ['dora@example.org'],
      },
    });
    expect(ses.accepted[0]?.raw?.toString()).not.toMatch(/dora|^bcc/im);
  });

  test('dkim signs it, but for Message-ID and Date, which SES writes anew', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await connectTo(ses, { dkim: { domain: 'example.com', selector: 's1', privateKey: pem } }).sendMessages([rich]);
    const raw = ses.accepted[0]?.raw?.toString() ?? '';
    const rewritten = raw
      .replace(/^Message-ID:.*$/m, 'Message-ID: <new@email.amazonses.com>')
      .replace(/^Date:.*$/m, `Date: ${new Date().toUTCString()}`);
    expect(rewritten).not.toBe(raw);
    const record = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;
    const { dkim } = await authenticate(Buffer.from(rewritten), {
      trustReceived: false,
      resolver: async () => [[record]],
    });
    expect(dkim.results).toMatchObject([{ signingDomain: 'example.com', status: { result: 'pass' } }]);
  });

  test('over 50 recipients take several requests, of one mail and one status', async () => {
    const to = addresses(101);
    const status = await connectTo(ses).sendMessages([
      mail({ to, cc: 'user3@example.org', bcc: ['last@example.org'] }),
    ]);
    expect(ses.accepted.map(({ recipients }) => recipients.length).sort()).toEqual([2, 50, 50]);
    expect([...ses.deliveries.keys()].sort()).toEqual([...to, 'last@example.org'].sort());
    expect([...ses.deliveries.values()].every((count) => count === 1)).toBe(true);
    expect(new Set(ses.accepted.map(({ raw }) => raw?.toString())).size).toBe(1);
    expect(status.isSuccess).toBe(true);
    expect(status.messageId).toEqual(new Set(ses.accepted.map(({ messageId }) => messageId)));
    expect(status.recipients.size).toBe(102);
    expect(status.espResponse).toHaveLength(3);
    for (const { messageId, recipients } of ses.accepted) {
      for (const recipient of recipients) expect(status.recipients.get(recipient)?.messageId).toBe(messageId);
    }
  });

  test('with Bcc alone it is sent, to undisclosed recipients', async () => {
    await connectTo(ses).sendMessages([mail({ to: [], bcc: ['a@example.org', 'b@example.org'] })]);
    expect(ses.accepted[0]?.request['Destination']).toEqual({ BccAddresses: ['a@example.org', 'b@example.org'] });
  });

  test('bounces go to envelopeSender; the null sender is refused, as SES has none', async () => {
    await connectTo(ses).sendMessages([mail({ envelopeSender: 'bounces@bücher.example' })]);
    expect(ses.accepted[0]?.request['FeedbackForwardingEmailAddress']).toBe('bounces@xn--bcher-kva.example');
    ses.reset();
    expect(await issuesOf(ses, { envelopeSender: '' })).toEqual([
      expect.stringContaining('envelopeSender unsupported'),
    ]);
  });

  test('a null sender that the staging guard put there says so, as the mail had an address', async () => {
    const guarded = redirect(connectTo(ses), { allow: ['example.org'] });
    const error = await errorOf(guarded.sendMessages([mail({ envelopeSender: 'bounces@example.com' })]));
    expect(error).toMatchObject({ name: 'UnsupportedFeatureError', features: ['envelopeSender'] });
    expect(error.message).toMatch(/SES has no null sender.*where the staging guard took away an address/);
    expect(ses.requests).toEqual([]);
    ses.reset();
    const redirected = redirect(connectTo(ses), { allow: ['example.org'], to: 'staging@example.org' });
    await redirected.sendMessages([mail({ envelopeSender: 'bounces@example.com' })]);
    expect(ses.accepted[0]?.request['FeedbackForwardingEmailAddress']).toBe('staging@example.org');
  });

  test('a stream is read, and what is over 40 MB in base64 is refused', async () => {
    async function* stream(megabytes: number) {
      for (let index = 0; index < megabytes; index++) yield new Uint8Array(1024 * 1024);
    }
    await connectTo(ses).sendMessages([mail({ attachments: [{ filename: 'a.bin', content: stream(1) }] })]);
    expect(ses.accepted[0]?.raw?.length).toBeGreaterThan(1024 * 1024);
    ses.reset();
    expect(await issuesOf(ses, { attachments: [{ filename: 'a.bin', content: stream(23) }] })).toEqual([
      expect.stringContaining('attachments too-long'),
    ]);
    expect(
      await issuesOf(ses, { attachments: [{ filename: 'a.bin', content: new Uint8Array(23 * 1024 * 1024) }] }),
    ).toEqual([expect.stringContaining('attachments too-long')]);
  });

  test('what SMTPUTF8, DSN or REQUIRETLS would carry is refused before the wire', async () => {
    expect(await issuesOf(ses, { to: 'jörg@example.org' })).toEqual([expect.stringContaining('nonAsciiLocalPart')]);
    expect(await issuesOf(ses, { dsn: { notify: ['failure'] } })).toEqual([expect.stringContaining('dsn')]);
    expect(await issuesOf(ses, { requireTls: true })).toEqual([expect.stringContaining('requireTls')]);
  });
});

describe('a template', () => {
  const filled = {
    body: '',
    templateId: 'welcome',
    to: ['Jané <jane@münchen.example>', 'bob@example.org'],
    cc: 'carl@example.org',
    replyTo: ['Hülp <help@example.com>'],
    mergeGlobalData: { name: 'you', items: [{ price: 1.5 }] },
  };

  test('goes to the whole Destination, with names as RFC 2047 has them', async () => {
    await connectTo(ses).sendMessages([mail(filled)]);
    expect(ses.accepted[0]?.request).toEqual({
      FromEmailAddress: FROM,
      ReplyToAddresses: ['=?UTF-8?B?SMO8bHA=?= <help@example.com>'],
      Destination: {
        ToAddresses: ['=?UTF-8?B?SmFuw6k=?= <jane@xn--mnchen-3ya.example>', 'bob@example.org'],
        CcAddresses: ['carl@example.org'],
      },
      Content: { Template: { TemplateName: 'welcome', TemplateData: '{"name":"you","items":[{"price":1.5}]}' } },
    });
  });

  test('is named by ARN too, and needs no data', async () => {
    const templateId = 'arn:aws:ses:eu-west-1:123456789012:template/welcome';
    await connectTo(ses).sendMessages([mail({ body: '', templateId })]);
    expect(ses.accepted[0]?.request['Content']).toEqual({ Template: { TemplateArn: templateId, TemplateData: '{}' } });
  });

  test('over 50 recipients take several requests', async () => {
    const status = await connectTo(ses).sendMessages([mail({ ...filled, to: addresses(60), cc: [] })]);
    expect(ses.accepted.map(({ recipients }) => recipients.length)).toEqual([50, 10]);
    expect(status.isSuccess).toBe(true);
  });

  test('carries headers and files', async () => {
    await connectTo(ses, { tagHeaders: true }).sendMessages([
      mail({
        ...filled,
        headers: { 'X-Campaign': 'Früh'.repeat(30) },
        inReplyTo: 'a@example.com',
        references: ['a@example.com', 'b@example.com'],
        priority: 'high',
        listUnsubscribe: { url: 'https://example.com/u', oneClick: true },
        tags: ['news'],
        metadata: { order: '7' },
        attachments: [
          { filename: 'terms.pdf', content: 'Terms' },
          { filename: 'logo.png', content: new Uint8Array([1]), contentId: 'logo' },
          {
            filename: null,
            content: (async function* () {
              yield new Uint8Array([2]);
            })(),
          },
        ],
      }),
    ]);
    const template = record(record(ses.accepted[0]?.request['Content'])['Template']);
    expect(template['Headers']).toEqual([
      { Name: 'In-Reply-To', Value: '<a@example.com>' },
      { Name: 'References', Value: '<a@example.com> <b@example.com>' },
      { Name: 'X-Priority', Value: '1' },
      { Name: 'Importance', Value: 'high' },
      { Name: 'List-Unsubscribe', Value: '<https://example.com/u>' },
      { Name: 'List-Unsubscribe-Post', Value: 'List-Unsubscribe=One-Click' },
      { Name: 'X-Tag', Value: 'news' },
      { Name: 'X-Metadata', Value: expect.stringContaining('order') },
      { Name: 'X-Campaign', Value: expect.stringMatching(/^=\?UTF-8\?/) },
    ]);
    const common = { ContentTransferEncoding: 'BASE64' };
    expect(template['Attachments']).toEqual([
      {
        ...common,
        FileName: 'terms.pdf',
        ContentType: 'application/pdf',
        ContentDisposition: 'ATTACHMENT',
        RawContent: 'VGVybXM=',
      },
      {
        ...common,
        FileName: 'logo.png',
        ContentType: 'image/png',
        ContentDisposition: 'INLINE',
        ContentId: 'logo',
        RawContent: 'AQ==',
      },
      {
        ...common,
        FileName: 'attachment',
        ContentType: 'application/octet-stream',
        ContentDisposition: 'ATTACHMENT',
        RawContent: 'Ag==',
      },
    ]);
  });

  test('what it cannot carry is refused, field by field', async () => {
    expect(
      await issuesOf(ses, {
        templateId: 't',
        body: 'x',
        htmlBody: 'y',
        alternatives: [{ content: 'z', mimetype: 'text/x-amp-html' }],
      }),
    ).toEqual([
      expect.stringContaining('body unsupported'),
      expect.stringContaining('htmlBody unsupported'),
      expect.stringContaining('alternatives unsupported'),
    ]);
    const headers = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`X-${index}`, 'x']));
    expect(await issuesOf(ses, { ...filled, headers })).toEqual([expect.stringContaining('headers too-many')]);
    expect(await issuesOf(ses, { ...filled, headers: { 'X-Long': 'x '.repeat(600).trim(), 'X-None': '' } })).toEqual([
      expect.stringContaining('headers.X-Long too-long'),
      expect.stringContaining('headers.X-None range'),
    ]);
    expect(await issuesOf(ses, { ...filled, mergeGlobalData: { x: 'x'.repeat(262_144) } })).toEqual([
      expect.stringContaining('mergeGlobalData too-long'),
    ]);
    expect(
      await issuesOf(ses, {
        ...filled,
        attachments: [{ filename: `${'x'.repeat(255)}.txt`, content: '', contentId: 'c'.repeat(79) }],
      }),
    ).toEqual([
      expect.stringContaining('attachments[0].filename too-long'),
      expect.stringContaining('attachments[0].contentId too-long'),
    ]);
  });
});
