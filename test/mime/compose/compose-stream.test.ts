import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { composeMessage, composeStream, createDkimSigner, type MessageStream } from '../../../src/mime/index.ts';
import { Attachment } from '../../../src/model/attachment.ts';
import { MessageError } from '../../../src/model/errors.ts';
import { EmailMessage } from '../../../src/model/message.ts';
import { FIXED } from '../corpus.ts';

const bytes = (length: number) => Uint8Array.from({ length }, (_, at) => (at * 7) & 255);
const messageWith = (...contents: Attachment['content'][]) =>
  new EmailMessage({
    subject: 'Files',
    body: 'Here they are.',
    fromEmail: 'a@example.com',
    to: 'b@example.org',
    attachments: contents.map((content, index) => ({ filename: `${index}.bin`, content })),
  });

async function* chunksOf(content: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += length) yield content.subarray(at, at + length);
}

async function read(stream: MessageStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('composeStream', () => {
  const content = bytes(100_000);
  const whole = composeMessage(messageWith(content), FIXED);

  test.each<[string, () => Attachment['content']]>([
    ['bytes', () => content],
    ['a Blob', () => new Blob([content])],
    ['a function that opens a stream', () => () => chunksOf(content, 10_000)],
    ['a stream of odd chunks', () => chunksOf(content, 1_013)],
    ['a stream of single bytes', () => chunksOf(content, 1)],
    ['a stream of one chunk', () => chunksOf(content, content.length)],
    ['a ReadableStream', () => new Blob([content]).stream()],
  ])('%s: the same bytes as composeMessage', async (_, make) => {
    expect((await read(composeStream(messageWith(make()), FIXED))).equals(whole)).toBe(true);
    const sized = composeStream(messageWith(make()), FIXED);
    expect(await sized.size()).toBe(whole.length);
    expect((await read(sized)).equals(whole)).toBe(true);
  });

  test('what can be opened again is read twice, a stream is not', async () => {
    const again = composeStream(messageWith(new Blob([content])));
    expect((await read(again)).equals(await read(again))).toBe(true);
    const once = composeStream(messageWith(chunksOf(content, 1_000)));
    await read(once);
    await expect(read(once)).rejects.toThrow(/call size\(\) before/);
  });

  test('a stream that must be kept in memory may be as long as maxSpoolBytes', async () => {
    const sized = composeStream(messageWith(chunksOf(content, 1_000)), { ...FIXED, maxSpoolBytes: 99_999 });
    await expect(sized.size()).rejects.toThrow(MessageError);
    const enough = composeStream(messageWith(chunksOf(content, 1_000)), { ...FIXED, maxSpoolBytes: 100_000 });
    await expect(enough.size()).resolves.toBe(whole.length);
  });

  test('50 MB stream through in bounded memory', async () => {
    const chunk = bytes(64 * 1024);
    const message = messageWith(async function* () {
      for (let count = 0; count < 800; count++) yield chunk;
    });
    let total = 0;
    let largest = 0;
    const before = process.memoryUsage().arrayBuffers;
    for await (const piece of composeStream(message, FIXED)) {
      total += piece.length;
      largest = Math.max(largest, piece.length);
    }
    expect(total).toBeGreaterThan(50 * 1024 * 1024 * 1.33);
    expect(largest).toBeLessThan(100_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40 * 1024 * 1024);
  });

  test('a forwarded mail in a stream is embedded like one in memory', async () => {
    const forwarded = Buffer.from('Subject: inner\r\n\r\nHello\r\n');
    const file = { filename: 'fwd.eml', mimetype: 'message/rfc822' };
    const base = messageWith();
    const streamed = base.with({ attachments: [{ ...file, content: chunksOf(forwarded, 3) }] });
    const inMemory = base.with({ attachments: [{ ...file, content: forwarded }] });
    expect((await read(composeStream(streamed, FIXED))).toString()).toBe(
      Buffer.from(composeMessage(inMemory, FIXED)).toString(),
    );
  });

  test.each<[string, (content: Uint8Array<ArrayBuffer>) => Attachment['content']]>([
    ['bytes', (file) => file],
    ['Blobs', (file) => new Blob([file])],
    ['functions', (file) => () => chunksOf(file, 10_000)],
    ['streams', (file) => chunksOf(file, 10_000)],
  ])('many messages with %s, read at once, keep their own bytes and signatures', async (_, make) => {
    const { privateKey } = generateKeyPairSync('ed25519', {
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const dkim = createDkimSigner({ domain: 'example.com', selector: 's', privateKey });
    const files = Array.from({ length: 10 }, (_unused, index) => new Uint8Array(100_000).fill(index));
    for (const options of [FIXED, { ...FIXED, dkim }]) {
      const reading = files.map((file) => read(composeStream(messageWith(make(file)), options)));
      const expected = files.map((file) => composeMessage(messageWith(file), options));
      const mails = await Promise.all(reading);
      expect(mails.map((mail, index) => mail.equals(expected[index] ?? Buffer.alloc(0)))).toEqual(
        files.map(() => true),
      );
    }
  });

  test('an error of the source reaches the reader', async () => {
    const broken = messageWith(async function* () {
      yield bytes(10);
      throw new Error('the disk is gone');
    });
    await expect(read(composeStream(broken))).rejects.toThrow('the disk is gone');
  });

  test('composeMessage names the attachment that is not in memory', () => {
    const message = messageWith().with({
      attachments: [new Attachment({ filename: 'a.bin', content: new Blob([content]) })],
    });
    expect(() => composeMessage(message)).toThrow(/"a.bin" is not in memory/);
  });
});
