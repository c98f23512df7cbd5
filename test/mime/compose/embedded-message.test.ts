import { describe, expect, test } from 'vitest';
import { composeMessage } from '../../../src/mime/compose/compose.ts';
import { composeForms, composeStream } from '../../../src/mime/compose/compose-stream.ts';
import { readContent } from '../../../src/mime/read/content.ts';
import { decodeCharset, decodeWords } from '../../../src/mime/read/decode-words.ts';
import { headerText, headerValue } from '../../../src/mime/read/headers.ts';
import { MailContent } from '../../../src/mime/read/mail-content.ts';
import { leavesOf, type MimePart, readMime } from '../../../src/mime/read/mime-tree.ts';
import { MessageError } from '../../../src/model/errors.ts';
import { EmailMessage } from '../../../src/model/message.ts';

const FIXED = { date: new Date(0), messageId: 'id@example.com', boundary: 'b' };

function forwarding(content: unknown, mimetype = 'message/rfc822'): EmailMessage {
  const attachments = [{ filename: 'fwd.eml', mimetype, content: content as string }];
  return new EmailMessage({ subject: 'Fwd', body: 'See below.', fromEmail: 'a@x.org', to: 'b@x.org', attachments });
}

/** The forwarded mail as it stands in the one that carries it. */
function carried(eml: string | Uint8Array, allow8bit: boolean): { readonly encoding: string; readonly bytes: Buffer } {
  const mail = Buffer.from(composeMessage(forwarding(eml), { ...FIXED, allow8bit }));
  const part = readMime(mail).root.children[1];
  return { encoding: part?.encoding ?? '', bytes: mail.subarray(part?.start, part?.end) };
}

const lines = (...all: string[]) => all.map((line) => `${line}\r\n`).join('');
const UMLAUTS = 'Grüße aus Köln';

const MIXED = lines(
  'Subject: forwarded',
  'MIME-Version: 1.0',
  'Content-Transfer-Encoding: 8bit',
  'Content-Type: multipart/mixed; boundary="x"',
  '',
  'Vorspann für niemanden',
  '--x',
  'Content-Type: text/plain; charset=utf-8',
  'content-transfer-encoding:',
  ' 8bit',
  '',
  UMLAUTS,
  '--x',
  'Content-Type: text/html; charset=utf-8',
  '',
  `<p>${'y'.repeat(1500)}</p>`,
  '--x',
  'Content-Type: message/rfc822',
  'Content-Transfer-Encoding: binary',
  '',
  'Subject: inner',
  'Content-Type: text/plain; charset=iso-8859-1',
  '',
  UMLAUTS,
  '--x',
  'Content-Type: text/plain',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'already =3D fine',
  '--x--',
);

function contents(mail: Uint8Array): readonly string[] {
  const texts = (part: MimePart): readonly string[] =>
    part.children.length > 0 ? part.children.flatMap(texts) : [Buffer.from(readContent(mail, part)).toString()];
  return texts(readMime(mail).root).map((text) => text.trimEnd());
}

describe('a forwarded mail', () => {
  test('goes as it is where octets above 127 may go', () => {
    const eml = lines('Subject: x', '', UMLAUTS);
    expect(carried(eml, true)).toEqual({ encoding: '8bit', bytes: Buffer.from(eml) });
  });

  test.each([true, false])('has the leaves encoded that could not go, 8-bit allowed: %s', (allow8bit) => {
    const { encoding, bytes } = carried(MIXED, allow8bit);
    const text = bytes.toString();
    expect(encoding).toBe(allow8bit ? '8bit' : '7bit');
    expect(contents(bytes)).toEqual([UMLAUTS, `<p>${'y'.repeat(1500)}</p>`, UMLAUTS, 'already = fine']);
    expect(text.split('\r\n').every(({ length }) => length <= 998)).toBe(true);
    expect(text).toContain('already =3D fine');
    if (allow8bit) expect(text).toContain(`Content-Transfer-Encoding: binary\r\n\r\nSubject: inner`);
    else {
      expect(text).toMatch(/^[\0-\x7f]*$/);
      const parts = [readMime(bytes).root, ...readMime(bytes).root.children];
      expect(parts.map(({ encoding: each }) => each)).toEqual(['7bit', 'base64', 'base64', '7bit', 'quoted-printable']);
    }
  });

  test('has raw headers as encoded-words where octets above 127 may not go', () => {
    const eml = Buffer.from(
      lines(
        'From: "Müller, Jörg" <j@x.org>',
        'Subject: Größe und Ähnliches, ohne Übertreibung',
        'X-Old: caf\u0001',
        'Content-Type: text/plain; name="Übersicht 1.txt"',
        '',
        'x',
      ).replace('\u0001', '\u00e9'),
    );
    const { encoding, bytes } = carried(eml, false);
    const { headers, parameters } = readMime(bytes).root;
    expect(encoding).toBe('7bit');
    expect(headerText(headers, 'subject')).toBe('Größe und Ähnliches, ohne Übertreibung');
    expect(headerText(headers, 'from')).toBe('Müller, Jörg <j@x.org>');
    expect(headerText(headers, 'x-old')).toBe('café');
    expect(bytes.toString()).toContain('name="=?UTF-8?Q?=C3=9Cbersicht_1=2Etxt?="');
    expect(parameters['name']).toBeDefined();
  });

  const raw: readonly (readonly [header: string, encoded: string])[] = [
    ['From: "Kate, Müller" <k@x.org>, "Doe, Jo" <j@x.org>', 'Kate, Müller <k@x.org>, "Doe, Jo" <j@x.org>'],
    ['To: Müller<m@x.org>,Bob <b@x.org>', 'Müller <m@x.org>,Bob <b@x.org>'],
    ['Cc: Team: Jörg <j@x.org>, "Doe, Jo" <d@x.org>;', 'Team: Jörg <j@x.org>, "Doe, Jo" <d@x.org>;'],
    ['Reply-To: "J. \\"Jo\\" Müller" <j@x.org>', 'J. "Jo" Müller <j@x.org>'],
    ['Subject: Voilà, ça va à Noël', 'Voilà, ça va à Noël'],
    ['Content-Type: image/png; name=Voilà.png', 'image/png; name="Voilà.png"'],
    ['Content-Type: image/png; name="a;\\"à\\".png"', 'image/png; name="a;"à".png"'],
  ];
  test.each(raw)('has %s say what it says, each name and value in words of its own', (header, expected) => {
    const { encoding, bytes } = carried(Buffer.from(lines(header, '', 'x')), false);
    const { headers } = readMime(bytes).root;
    const [name = ''] = header.split(':', 1);
    const written = headerValue(headers, name.toLowerCase()) ?? '';
    expect(encoding).toBe('7bit');
    expect(decodeWords(written)).toBe(expected);
    for (const [word] of written.matchAll(/=\?\S+\?=/g)) expect(word).not.toMatch(/[,;]/);
  });

  test('in Windows-1252 keeps what its octets say', () => {
    const { bytes } = carried(Buffer.from(lines('Subject: It\u0092s \u0080 5', '', 'x'), 'latin1'), false);
    expect(headerText(readMime(bytes).root.headers, 'subject')).toBe(
      decodeCharset(Buffer.from('It\u0092s \u0080 5', 'latin1'), ''),
    );
  });

  test('is folded where a header is too long', () => {
    const ids = Array.from({ length: 60 }, (_, at) => `<${at}.${'x'.repeat(30)}@x.org>`).join(' ');
    const { encoding, bytes } = carried(lines(`References: ${ids}`, 'Subject: x', '', 'x'), false);
    expect(encoding).toBe('7bit');
    expect(headerText(readMime(bytes).root.headers, 'references')).toBe(ids);
  });

  test('with a NUL in a leaf keeps it', () => {
    expect(contents(carried(lines('Subject: x', '', 'a\0b'), false).bytes)).toEqual(['a\0b']);
  });

  test.each([
    [
      lines(`List-Unsubscribe: <https://x.org/${'u'.repeat(1000)}>`, '', 'x'),
      'message/rfc822',
      /in its header List-Unsubscribe a line over 998/,
    ],
    [
      lines('Content-Type: multipart/mixed; boundary=none', '', UMLAUTS),
      'message/rfc822',
      /cannot be told from each other/,
    ],
    [lines('Status: 5.1.1', '', UMLAUTS), 'message/delivery-status', /octets above 127/],
  ])('is refused with the reason where nothing helps: %#', (eml, mimetype, reason) => {
    const compose = () => composeMessage(forwarding(eml, mimetype), FIXED);
    expect(compose).toThrow(MessageError);
    expect(compose).toThrow(reason);
    expect(compose).toThrow('attach it as application/octet-stream');
    expect(compose).not.toThrow('allow8bit');
  });

  test('ten thousand parts are refused, not searched for ever', () => {
    const eml = lines('Content-Type: multipart/mixed; boundary=x', '', ...Array(10_000).fill(`--x\r\n\r\n${UMLAUTS}`));
    expect(() => composeMessage(forwarding(eml), FIXED)).toThrow(MessageError);
  });
});

async function read(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

describe('a forwarded mail in a stream', () => {
  const sources: readonly (readonly [string, () => unknown])[] = [
    ['a Blob', () => new Blob([MIXED])],
    ['a one-shot stream', () => new Blob([MIXED]).stream()],
    ['a function', () => () => new Blob([MIXED]).stream()],
  ];

  test.each(sources)('as %s has a form for either kind of server', async (_, source) => {
    const file = { filename: 'big.bin', content: new Blob(['z'.repeat(1000)]) };
    const [eml] = forwarding(source()).attachments;
    const message = forwarding(MIXED).with({ attachments: [...(eml ? [eml] : []), file] });
    const contentFor = await composeForms(message, FIXED);
    for (const allow8bit of [true, false, true]) {
      const { chunks, size } = contentFor(allow8bit);
      const whole = await read(chunks);
      expect(whole.length).toBe(size);
      const inMemory = message.with({
        attachments: [...forwarding(MIXED).attachments, { ...file, content: 'z'.repeat(1000) }],
      });
      expect(whole.toString('latin1')).toBe(
        Buffer.from(composeMessage(inMemory, { ...FIXED, allow8bit })).toString('latin1'),
      );
    }
  });

  test('is bounded by maxSpoolBytes, and told so', async () => {
    const reading = composeStream(forwarding(new Blob([MIXED])), { ...FIXED, maxSpoolBytes: 100 }).size();
    await expect(reading).rejects.toThrow('a forwarded message is read as a whole');
  });

  test('in neither form is refused at once, in one only for the server that needs it', async () => {
    const status = (text: string) => forwarding(new Blob([text]), 'message/delivery-status');
    await expect(composeForms(status('a\0b'), FIXED)).rejects.toThrow(MessageError);
    const contentFor = await composeForms(status(UMLAUTS), FIXED);
    expect(() => contentFor(true)).not.toThrow();
    expect(() => contentFor(false)).toThrow(MessageError);
  });
});

test('leaves of a forwarded mail are read as before', () => {
  const content = new MailContent(composeMessage(forwarding(lines('Subject: x', '', 'y')), FIXED));
  expect(leavesOf(content.tree.root).map(({ mediaType }) => mediaType)).toEqual(['text/plain', 'message/rfc822']);
});
