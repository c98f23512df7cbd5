import { simpleParser } from 'mailparser';
import { beforeAll, expect, test, vi } from 'vitest';
import { ConsoleBackend } from '../../src/backends/console.ts';
import { composer } from '../../src/mime/composer.ts';
import type { EmailMessageDraft } from '../../src/model/message-init.ts';

// As in a bundle, a blocking call from the sources finds no file to load it from.
beforeAll(async () => void (await composer.load()));

const FULL: EmailMessageDraft = {
  subject: 'Größe',
  body: 'Hello Bob',
  fromEmail: 'Jane <j@x.org>',
  to: ['b@x.org', 'c@x.org'],
  cc: 'd@x.org',
  bcc: 'hidden@x.org',
  replyTo: 'r@x.org',
  htmlBody: '<p>Hello</p>',
  headers: { 'X-Shop': '7' },
  tags: ['welcome'],
  metadata: { order: '9' },
  date: new Date(0),
  messageId: 'id@x.org',
  envelopeSender: '',
  alternatives: [{ content: 'BEGIN:VCALENDAR', mimetype: 'text/calendar' }],
  attachments: [
    { filename: 'a.txt', content: 'Grüße' },
    { filename: 'logo.png', content: new Uint8Array(3), contentId: 'logo' },
    { content: new Blob(['1234']) },
    { filename: 'later.bin', content: async function* () {} },
  ],
};

function printing(options: { readonly raw?: boolean } = {}) {
  const printed: string[] = [];
  return { printed, backend: new ConsoleBackend({ ...options, stream: { write: (text) => printed.push(text) } }) };
}

test('shows when it would be sent, and what is for the provider', async () => {
  const { printed, backend } = printing();
  const sendAt = new Date('9999-12-24T18:00:00Z');
  const fields = { sendAt, idempotencyKey: 'order-17', espExtra: { resend: { topic_id: 't' } } };
  const status = await backend.sendMessages([{ ...FULL, ...fields }]);
  expect(status.isSuccess).toBe(true);
  expect(printed.join('')).toContain(
    'Send-At: Fri, 24 Dec 9999 18:00:00 GMT\nIdempotency-Key: order-17\nEsp-Extra: {"resend":{"topic_id":"t"}}\n',
  );
});

test('prints headers, text and the list of attachments, bcc included, for people to read', async () => {
  const { printed, backend } = printing();
  const status = await backend.sendMessages([FULL]);
  expect(status).toMatchObject({ isSuccess: true, messageId: 'id@x.org' });
  const rule = '-'.repeat(72);
  expect(printed.join('')).toBe(
    [
      rule,
      'Subject: Größe',
      'From: Jane <j@x.org>',
      'To: b@x.org, c@x.org',
      'Cc: d@x.org',
      'Bcc: hidden@x.org',
      'Reply-To: r@x.org',
      'Envelope-From: <>',
      'Message-ID: <id@x.org>',
      'Date: Thu, 01 Jan 1970 00:00:00 GMT',
      'X-Shop: 7',
      'Tags: welcome',
      'Metadata: {"order":"9"}',
      '',
      'Hello Bob',
      '',
      '[HTML]',
      '<p>Hello</p>',
      '',
      '[text/calendar]',
      'BEGIN:VCALENDAR',
      '',
      '[Attachments]',
      '- a.txt (text/plain, 7 bytes)',
      '- logo.png (image/png, 3 bytes, inline as cid:logo)',
      '- (no name) (application/octet-stream, 4 bytes)',
      '- later.bin (application/octet-stream, a stream)',
      rule,
      '',
    ].join('\n'),
  );
});

test('templates are shown with their data', async () => {
  const { printed, backend } = printing();
  const fields = { templateId: 't1', mergeData: { 'b@x.org': { name: 'Bob' } }, mergeGlobalData: { year: 1 } };
  await backend.sendMessages([{ subject: '', fromEmail: 'a@x.org', to: 'b@x.org', ...fields }]);
  expect(printed[0]).toContain('Subject: \n');
  expect(printed[0]).toContain('Template: t1\nMerge-Data: {"b@x.org":{"name":"Bob"}}\nMerge-Global-Data: {"year":1}');
});

test('raw prints the source, as it would go out', async () => {
  const { printed, backend } = printing({ raw: true });
  await backend.sendMessages([FULL]);
  const source = (printed[0] ?? '').split('\n').slice(1, -2).join('\n');
  const mail = await simpleParser(source);
  expect(mail.subject).toBe('Größe');
  expect(mail.attachments.map(({ filename }) => filename)).toContain('logo.png');
  expect(source).not.toContain('hidden@x.org');
});

test('prints to standard output, and while the thread waits, too', () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const status = new ConsoleBackend().sendMessagesSync([FULL]);
  const printed = write.mock.calls.map(([text]) => String(text)).join('');
  write.mockRestore();
  expect(status.isSuccess).toBe(true);
  expect(printed).toContain('Subject: Größe');
});

test('raw cannot show a stream while the thread waits: that message fails, the others are shown', () => {
  const { printed, backend } = printing({ raw: true });
  const status = backend.sendMessagesSync([FULL, { ...FULL, attachments: [] }]);
  expect(status.results.map(({ error }) => error?.name ?? null)).toEqual(['MessageError', null]);
  expect(printed).toHaveLength(1);
});
