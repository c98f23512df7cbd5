import { createHash, generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { getConnection } from '../../../src/connection/connection.ts';
import { BodyHash } from '../../../src/mime/compose/dkim.ts';
import { composeMessage, composeStream, createDkimSigner } from '../../../src/mime/index.ts';
import { ConfigurationError } from '../../../src/model/errors.ts';
import { EmailMessage } from '../../../src/model/message.ts';
import { CORPUS, FIXED, UTF8_CORPUS } from '../corpus.ts';
import { KEYS, pem, RECORDS } from '../dkim-keys.ts';
import { verifyWithDkimpy, verifyWithMailauth } from '../verify-dkim.ts';

const signer = createDkimSigner(KEYS);
const compose = (message: EmailMessage) => composeMessage(message, { ...FIXED, dkim: signer });
const mails = [...CORPUS, ...UTF8_CORPUS].map(([name, init]) => {
  const message = new EmailMessage(init);
  return { name, message, mail: compose(message) };
});

const verify = (mail: Uint8Array) => verifyWithMailauth(RECORDS, mail);

describe('both signatures of the whole corpus hold', () => {
  let python: Readonly<Record<string, readonly boolean[]>>;
  beforeAll(() => {
    const results = verifyWithDkimpy(
      RECORDS,
      mails.map(({ mail }) => mail),
    );
    python = Object.fromEntries(mails.map(({ name }, index) => [name, results[index] ?? []]));
  });

  test.each(mails)('mailauth and dkimpy: $name', async ({ name, mail }) => {
    expect(await verify(mail)).toEqual(['pass', 'pass']);
    expect(python[name]).toEqual([true, true]);
  });
});

describe('what is signed', () => {
  const plain = new EmailMessage({
    subject: 'Hi',
    body: 'Hello',
    fromEmail: 'a@example.com',
    to: 'b@example.org',
    listUnsubscribe: { url: 'https://example.com/u', oneClick: true },
    headers: { 'X-Internal': 'x' },
  });
  const text = (mail: Uint8Array) => Buffer.from(mail).toString('latin1');
  const replaced = (from: string, to: string) => Buffer.from(text(compose(plain)).replace(from, to), 'latin1');

  test('From twice, the unsubscribe headers, and none that is not there', () => {
    const [, list] = /h=([^;]+);/.exec(text(compose(plain))) ?? [];
    expect(list?.replace(/\s/g, '').split(':')).toEqual([
      ...['from', 'from', 'to', 'subject', 'date', 'message-id', 'list-unsubscribe', 'list-unsubscribe-post'],
      ...['mime-version', 'content-type', 'content-transfer-encoding'],
    ]);
  });
  test.each([
    ['another body', 'Hello', 'Hullo'],
    ['a second From', 'From: a@', 'From: evil@example.net\r\nFrom: a@'],
    ['another subject', 'Subject: Hi', 'Subject: Ha'],
    ['another unsubscribe link', 'https://example.com/u', 'https://example.net/u'],
  ])('%s breaks it', async (_, from, to) => {
    expect(await verify(replaced(from, to))).not.toContain('pass');
  });
  test.each([
    ['an unsigned header', 'X-Internal: x', 'X-Internal: y'],
    ['white space in a header', 'Subject: Hi', 'Subject:   Hi '],
    ['a Received header before it', 'DKIM-Signature:', 'Received: by mx\r\nDKIM-Signature:'],
    ['empty lines at the end', 'Hello\r\n', 'Hello \r\n\r\n\r\n'],
  ])('%s does not', async (_, from, to) => {
    expect(await verify(replaced(from, to))).toEqual(['pass', 'pass']);
  });
  test('no line of a signature is over 78, and the same message is signed the same', () => {
    const [head = ''] = text(compose(plain)).split('\r\n\r\n');
    for (const line of head.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
    expect(compose(plain)).toEqual(compose(plain));
  });
  test('an address that begins with white space beyond ASCII is signed as it is', async () => {
    expect(await verify(compose(plain.with({ to: ['\u3000x@example.org'] })))).toEqual(['pass', 'pass']);
  });
  test('no key at all is refused', () => {
    expect(() => createDkimSigner([])).toThrow(expect.objectContaining({ code: 'invalid-option' }));
  });
  test('a streamed message has the same signature', async () => {
    const file = { filename: 'a.bin', content: new Uint8Array(100_000) };
    const message = plain.with({ attachments: [file] });
    const blob = plain.with({ attachments: [{ ...file, content: new Blob([file.content]) }] });
    const chunks: Uint8Array[] = [];
    for await (const chunk of composeStream(blob, { ...FIXED, dkim: signer })) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(compose(message));
  });
});

describe('the hash of a body in relaxed form (RFC 6376, section 3.4.4)', () => {
  test.each([
    ['', ''],
    ['\r\n\r\n', ''],
    [' \t\r\n \r\n', ''],
    ['a \t b\t\r\n\r\n', 'a b\r\n'],
    ['\r\n a\r\n\r\nb\r\n', '\r\n a\r\n\r\nb\r\n'],
  ])('%j is hashed as %j', (body, relaxed) => {
    const wanted = createHash('sha256').update(relaxed).digest('base64');
    const whole = new BodyHash();
    whole.text(body);
    expect(whole.digest()).toBe(wanted);
    const inLines = new BodyHash();
    for (const line of body.match(/[^\n]*\n/g) ?? []) inLines.text(line);
    expect(inLines.digest()).toBe(wanted);
  });
});

test.each(['smtp', 'file'])('the %s backend takes the option dkim and refuses a bad key at once', (name) => {
  const [good] = KEYS;
  expect(() => getConnection(name, { path: 'mails', dkim: KEYS })).not.toThrow();
  expect(() => getConnection(name, { path: 'mails', dkim: { ...good, privateKey: 'hunter2' } })).toThrow(
    expect.objectContaining({ code: 'invalid-key', message: expect.not.stringContaining('hunter2') }),
  );
  expect(() => getConnection(name, { path: 'mails', dkim: { ...good, key: 'hunter2' } })).toThrow(
    expect.objectContaining({ code: 'invalid-option', message: expect.not.stringContaining('hunter2') }),
  );
});

describe('a bad key is found before anything is sent', () => {
  const ed25519 = generateKeyPairSync('ed25519');
  const weak = pem(generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey);
  const ec = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
  const good = { domain: 'example.com', selector: 's', privateKey: pem(ed25519.privateKey) };
  test.each([
    ['no PEM', { ...good, privateKey: 'hunter2' }, 'invalid-key'],
    [
      'a public key',
      { ...good, privateKey: ed25519.publicKey.export({ type: 'spki', format: 'pem' }).toString() },
      'invalid-key',
    ],
    ['512 bits', { ...good, privateKey: weak }, 'invalid-key'],
    ['another algorithm', { ...good, privateKey: ec }, 'invalid-key'],
    ['a bad domain', { ...good, domain: 'exa mple' }, 'invalid-option'],
    ['a bad selector', { ...good, selector: 's; d=evil.example' }, 'invalid-option'],
  ])('%s', (_, options, code) => {
    expect(() => createDkimSigner(options)).toThrow(expect.objectContaining({ name: 'ConfigurationError', code }));
    expect(() => createDkimSigner([good, options])).toThrow(ConfigurationError);
    expect(() => createDkimSigner(options)).not.toThrow(/hunter2/);
  });
});
