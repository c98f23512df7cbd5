import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, test } from 'vitest';
import {
  Attachment,
  type AttachmentContent,
  type AttachmentInit,
  findAttachmentIssues,
  openContent,
} from '../../src/model/attachment.ts';
import { MessageError } from '../../src/model/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-attachment-'));
afterAll(() => rmSync(folder, { recursive: true }));

const BYTES = new TextEncoder().encode('Grüße');

async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? new TextEncoder().encode(part) : part;
}

async function read(content: AttachmentContent): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of openContent(content)) parts.push(part);
  return Buffer.concat(parts).toString();
}

test.each([
  [{ content: '' }, { filename: null, mimetype: 'application/octet-stream', contentId: null }],
  [
    { filename: 'a.PDF', content: '' },
    { filename: 'a.PDF', mimetype: 'application/pdf' },
  ],
  [{ filename: 'no-extension', content: '' }, { mimetype: 'application/octet-stream' }],
  [{ filename: 'a.constructor', content: '' }, { mimetype: 'application/octet-stream' }],
  [{ filename: 'a.pdf', content: '', mimetype: 'image/png; x=y' }, { mimetype: 'image/png; x=y' }],
  [{ filename: null, content: '', mimetype: null, contentId: null }, { filename: null }],
  [
    { filename: 'Größe 😀.txt', content: '', contentId: 'logo@x.org' },
    { filename: 'Größe 😀.txt', contentId: 'logo@x.org' },
  ],
])('%o', (init, expected) => {
  const attachment = new Attachment(init);
  expect(attachment).toMatchObject(expected);
  expect(Object.isFrozen(attachment)).toBe(true);
});

describe('faults', () => {
  const cases: [unknown, string][] = [
    [{}, 'content type'],
    [{ content: 7 }, 'content type'],
    [{ content: null }, 'content type'],
    [{ content: {} }, 'content type'],
    [{ content: { arrayBuffer: 1 } }, 'content type'],
    [{ content: [1, 2] }, 'content type'],
    [{ content: '', filename: 7 }, 'filename type'],
    [{ content: '', filename: 'a\r\nb' }, 'filename control-character'],
    [{ content: '', filename: '../../etc/passwd' }, 'filename filename'],
    [{ content: '', filename: 'a\\b' }, 'filename filename'],
    [{ content: '', mimetype: 'image' }, 'mimetype content-type'],
    [{ content: '', mimetype: `image/png; x=${'y'.repeat(900)}` }, 'mimetype content-type'],
    [{ content: '', mimetype: 'image/png\r\nX: y' }, 'mimetype content-type'],
    [{ content: '', contentId: '<logo>' }, 'contentId range'],
    [{ content: '', contentId: 'a b' }, 'contentId range'],
    [{ content: '', contentId: '' }, 'contentId range'],
    [{ content: '', contentId: 7 }, 'contentId range'],
    [{ content: '', contentType: 'image/png' }, 'contentType unknown-field'],
    [{ content: '', path: '/etc/passwd' }, 'path unknown-field'],
    [null, 'attachment type'],
    ['text', 'attachment type'],
  ];
  test.each(cases)('%o: %s', (init, fault) => {
    const found = (() => {
      try {
        return new Attachment(init as AttachmentInit);
      } catch (error) {
        return error;
      }
    })();
    expect(found).toBeInstanceOf(MessageError);
    expect((found as MessageError).issues.map(({ path, code }) => `${path} ${code}`)).toEqual([fault]);
  });
});

describe('content', () => {
  const memory = Uint8Array.from([0, 104, 105, 33, 0, 0]).buffer;

  test.each([
    ['an ArrayBuffer', memory.slice(1, 4)],
    ['a DataView', new DataView(memory, 1, 3)],
    ['a typed array', new Uint16Array(Uint8Array.from([104, 105]).buffer)],
    ['a view of another realm', runInNewContext('new Uint8Array([104, 105, 33])')],
    ['an ArrayBuffer of another realm', runInNewContext('new Uint8Array([104, 105, 33]).buffer')],
    ['a Buffer that went through JSON', JSON.parse(JSON.stringify(Buffer.from('hi!')))],
  ])('%s is bytes', async (_, content) => {
    const attachment = new Attachment({ content });
    expect(attachment.isInMemory).toBe(true);
    expect(Buffer.from(attachment.content as Uint8Array).toString()).toMatch(/^hi!?$/);
    const stream = new Attachment({
      content: (async function* () {
        yield content as Uint8Array;
      })(),
    });
    if (!('data' in (content as object)))
      expect(Buffer.from((await stream.materialize()).content as Uint8Array).toString()).toMatch(/^hi!?$/);
  });

  test('bytes are taken by reference, in whatever form', () => {
    const bytes = new Uint8Array(memory);
    const { content } = new Attachment({ content: new DataView(memory, 1, 3) });
    bytes[1] = 72;
    expect(Buffer.from(content as Uint8Array).toString()).toBe('Hi!');
    bytes[1] = 104;
  });

  test.each([
    [{ type: 'Buffer', data: [256] }],
    [{ type: 'Buffer', data: ['1'] }],
    [{ type: 'Buffer' }],
    [{ data: [1] }],
  ])('%j is no content', (content) => {
    expect(findAttachmentIssues({ content } as never, '')).toMatchObject([{ path: 'content', code: 'type' }]);
  });

  const cases: [string, () => AttachmentContent, boolean][] = [
    ['text, as UTF-8', () => 'Grüße', true],
    ['bytes', () => BYTES, true],
    ['a Buffer', () => Buffer.from('Grüße'), true],
    ['a Blob', () => new Blob(['Grü', 'ße']), false],
    ['a File', () => new File(['Grüße'], 'a.txt'), false],
    ['a web stream', () => new Blob(['Grüße']).stream(), false],
    [
      'a web stream without an iterator',
      () => {
        const stream = new Blob(['Grüße']).stream();
        return { getReader: () => stream.getReader() };
      },
      false,
    ],
    ['a Node stream', () => Readable.from([Buffer.from('Grü'), Buffer.from('ße')]), false],
    ['a generator', () => chunks('Grü', 'ße'), false],
    ['a function that opens a stream', () => () => chunks('Grü', 'ße'), false],
  ];
  test.each(cases)('%s', async (_, make, isInMemory) => {
    expect(await read(make())).toBe('Grüße');
    const attachment = new Attachment({ filename: 'a.txt', content: make(), contentId: 'c' });
    expect(attachment.isInMemory).toBe(isInMemory);
    const held = await attachment.materialize();
    expect(held).toMatchObject({ filename: 'a.txt', mimetype: 'text/plain', contentId: 'c', isInMemory: true });
    expect(await read(held.content)).toBe('Grüße');
    expect(held === attachment).toBe(isInMemory);
  });

  test('base64 in a string is text, never guessed', async () => {
    expect(await read('SGVsbG8=')).toBe('SGVsbG8=');
  });

  test('what is opened anew can be read twice', async () => {
    for (const content of [new Blob(['x']), () => chunks('x'), 'x', BYTES]) {
      expect(await read(content)).toBe(await read(content));
    }
  });

  const onceOnly: [string, () => AttachmentContent][] = [
    ['generator', () => chunks('x')],
    ['Node stream', () => Readable.from([Buffer.from('x')])],
    ['web stream', () => new Blob(['x']).stream()],
  ];
  test.each(onceOnly)('a %s read a second time is an error, not an empty file', async (_, make) => {
    const content = make();
    expect(await read(content)).toBe('x');
    await expect(read(content)).rejects.toThrow(/read before.*function/);
  });

  test('a stream of text is refused with the way out', async () => {
    const text = Readable.from(['a', 'b']) as AsyncIterable<Uint8Array>;
    await expect(read(text)).rejects.toThrow(MessageError);
    await expect(new Attachment({ content: Readable.from(['a']) }).materialize()).rejects.toThrow(/bytes/);
  });

  test('a web stream that is left early is cancelled', async () => {
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(BYTES),
      cancel: () => {
        cancelled = true;
      },
    });
    const opened = openContent({ getReader: () => stream.getReader() });
    await opened.next();
    await opened.return();
    expect(cancelled).toBe(true);
    expect(stream.locked).toBe(false);
  });
});

describe('fromFile', () => {
  const path = join(folder, 'logo.png');
  writeFileSync(path, 'first');

  test('takes name and type from the path, or as told', () => {
    expect(Attachment.fromFile(path)).toMatchObject({ filename: 'logo.png', mimetype: 'image/png', contentId: null });
    const options = { filename: 'a.gif', mimetype: 'image/gif', contentId: 'logo' };
    expect(Attachment.fromFile(path, options)).toMatchObject(options);
  });

  test('reads the file when it is needed, each time', async () => {
    const attachment = Attachment.fromFile(path);
    expect(attachment.isInMemory).toBe(false);
    expect(await read(attachment.content)).toBe('first');
    writeFileSync(path, 'again');
    expect(await read(attachment.content)).toBe('again');
    const held = await attachment.materialize();
    writeFileSync(path, 'third');
    expect(await read(held.content)).toBe('again');
  });

  test('offers what a Blob does', async () => {
    writeFileSync(path, 'bytes');
    const { content } = Attachment.fromFile(path);
    const blob = content as Blob;
    expect(blob.size).toBe(5);
    writeFileSync(path, 'longer bytes');
    expect(blob.size).toBe(12); // as it is read anew
    writeFileSync(path, 'bytes');
    expect(Buffer.from(await blob.arrayBuffer()).toString()).toBe('bytes');
  });

  test.each([
    [join(folder, 'missing.png'), 'ENOENT'],
    [folder, 'not a file'],
  ])('refuses what is no file at once: %s', (wrong, reason) => {
    expect(() => Attachment.fromFile(wrong)).toThrow(MessageError);
    expect(() => Attachment.fromFile(wrong)).toThrow(reason);
  });
});
