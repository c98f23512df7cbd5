import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FileBackend } from '../../src/backends/file.ts';
import { composer } from '../../src/mime/composer.ts';
import { Attachment } from '../../src/model/attachment.ts';
import { type EmailError, SendError } from '../../src/model/errors.ts';
import type { SendStatus } from '../../src/model/status.ts';

// As in a bundle, a blocking call from the sources finds no file to load it from.
beforeAll(async () => void (await composer.load()));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-file-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const MAIL = { subject: 'Größe', body: 'Hello', fromEmail: 'a@x.org', to: 'b@x.org', bcc: 'hidden@x.org' };

type Send = (backend: FileBackend, ...mails: object[]) => Promise<SendStatus>;
const ways: [string, Send][] = [
  ['sendMessages', (backend, ...mails) => backend.sendMessages(mails.map((mail) => ({ ...MAIL, ...mail })))],
  [
    'sendMessagesSync',
    async (backend, ...mails) => backend.sendMessagesSync(mails.map((mail) => ({ ...MAIL, ...mail }))),
  ],
];

describe.each(ways)('%s', (_, send) => {
  test('writes the source, and tells where', async () => {
    const path = join(folder, 'new/folders');
    const status = await send(new FileBackend({ path }), { attachments: [{ filename: 'a.txt', content: 'x' }] });
    const [name = ''] = readdirSync(path);
    expect(readdirSync(path)).toHaveLength(1);
    expect(name).toMatch(/^\d{4}-\d\d-\d\dT[\d-]+Z-[0-9a-f]{32}@x\.org-[0-9a-f]{8}\.eml$/);
    const source = readFileSync(join(path, name));
    const mail = await simpleParser(source);
    expect(mail.subject).toBe('Größe');
    expect(mail.attachments[0]?.filename).toBe('a.txt');
    expect(source.toString()).not.toContain('hidden@x.org');
    expect(status.getSuccessfulRecipients()).toEqual(['b@x.org', 'hidden@x.org']);
    expect(mail.messageId).toBe(`<${String(status.messageId)}>`);
    expect(status.recipients.get('b@x.org')?.response).toBe(join(path, name));
    expect(status.espResponse).toBe(join(path, name));
  });

  test.each([
    ['bounces+7@x.org', /^Return-Path: <bounces\+7@x\.org>\r\nFrom: a@x\.org\r\n/],
    ['', /^Return-Path: <>\r\nFrom: a@x\.org\r\n/],
    [null, /^From: a@x\.org\r\n/],
  ])('the envelope sender %j is where mailboxes have it', async (envelopeSender, start) => {
    await send(new FileBackend({ path: folder }), { envelopeSender });
    const [name = ''] = readdirSync(folder);
    expect(readFileSync(join(folder, name), 'latin1')).toMatch(start);
  });

  test.skipIf(process.platform === 'win32')('only the owner may read the mails', async () => {
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
    const path = join(folder, 'new/folders');
    await send(new FileBackend({ path }), {});
    const [name = ''] = readdirSync(path);
    expect([modeOf(join(folder, 'new')), modeOf(path), modeOf(join(path, name))]).toEqual(['700', '700', '600']);
    chmodSync(path, 0o755);
    await send(new FileBackend({ path }), {});
    expect(modeOf(path), 'a folder that is there stays as it is').toBe('755');
  });

  test('a Message-ID cannot lead out of the folder', async () => {
    const path = join(folder, 'inner');
    await send(new FileBackend({ path }), { messageId: '../../../evil/x@x.org' });
    expect(readdirSync(folder)).toEqual(['inner']);
    expect(readdirSync(path)).toHaveLength(1);
  });

  test('the same message twice is two files, and nothing half-written is left', async () => {
    const backend = new FileBackend({ path: folder });
    await send(backend, ...Array.from({ length: 50 }, () => ({ messageId: 'same@x.org' })));
    expect(readdirSync(folder)).toHaveLength(50);
    expect(readdirSync(folder).every((name) => name.endsWith('.eml'))).toBe(true);
  });

  test('tags and metadata go into headers when asked for, else they are listed as ignored', async () => {
    const marks = { tags: ['welcome'], metadata: { order: '7' } };
    const plain = await send(new FileBackend({ path: folder }), marks);
    expect(plain.results[0]?.ignored).toEqual(['tags', 'metadata']);
    const marked = await send(new FileBackend({ path: folder, tagHeaders: true }), marks);
    expect(marked.results[0]?.ignored).toEqual([]);
    expect(readFileSync(String(marked.espResponse), 'utf8')).toMatch(/^X-Tag: welcome\r$/m);
  });

  test('a folder that cannot be written is a failure, certainly not sent', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, '');
    const error: unknown = await send(new FileBackend({ path }), {}).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SendError);
    expect(error).toMatchObject({
      code: 'provider',
      outcome: 'not-sent',
      message: expect.stringContaining('could not be written'),
    });
    expect((error as EmailError).status?.getFailedRecipients()).toEqual(['b@x.org', 'hidden@x.org']);
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('a file that was attached is read', async () => {
    const attached = join(folder, 'logo.png');
    writeFileSync(attached, 'picture');
    const path = join(folder, 'mails');
    const status = await send(new FileBackend({ path }), { attachments: [Attachment.fromFile(attached)] });
    const mail = await simpleParser(readFileSync(String(status.espResponse)));
    expect(mail.attachments[0]?.content.toString()).toBe('picture');
  });
});

test('many calls at once write each its own file', async () => {
  const backend = new FileBackend({ path: folder });
  await Promise.all(Array.from({ length: 100 }, () => backend.sendMessages([MAIL])));
  expect(readdirSync(folder)).toHaveLength(100);
});

test('streams and Blobs are written, too', async () => {
  const attachments = [{ content: new Blob(['blob']) }, { content: () => new Blob(['stream']).stream() }];
  const status = await new FileBackend({ path: folder }).sendMessages([{ ...MAIL, attachments }]);
  const mail = await simpleParser(readFileSync(String(status.espResponse)));
  expect(mail.attachments.map(({ content }) => content.toString())).toEqual(['blob', 'stream']);
});

test('an abort while it writes: not sent, nothing left behind', async () => {
  const abort = new AbortController();
  const content = async function* () {
    yield new Uint8Array(10);
    abort.abort(new Error('stop'));
  };
  const call = new FileBackend({ path: folder }).sendMessages([{ ...MAIL, attachments: [{ content }] }], {
    signal: abort.signal,
  });
  await expect(call).rejects.toMatchObject({ code: 'aborted', outcome: 'not-sent' });
  expect(readdirSync(folder)).toEqual([]);
});
