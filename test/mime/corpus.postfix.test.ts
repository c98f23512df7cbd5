import { afterAll, beforeAll, expect, test } from 'vitest';
import { EmailMessage, getConnection } from '../../src/index.ts';
import { composeMessage, createDkimSigner } from '../../src/mime/index.ts';
import { makeCertificates } from '../servers/certificates.ts';
import { Postfix } from '../servers/postfix.ts';
import { CORPUS, FIXED, UTF8_CORPUS } from './corpus.ts';
import { KEYS, RECORDS } from './dkim-keys.ts';
import { verifyWithDkimpy, verifyWithMailauth } from './verify-dkim.ts';

let postfix: Postfix;

beforeAll(async () => {
  postfix = await Postfix.start(makeCertificates());
});
afterAll(() => postfix?.stop());

test('the whole corpus goes through Postfix, and both signatures of each mail hold, RSA and Ed25519', {
  timeout: 180_000,
}, async () => {
  const messages = [...CORPUS, ...UTF8_CORPUS]
    .filter(([name]) => !/literal|quoted-local/.test(name)) // Postfix takes neither
    .map(
      ([name, init], index) =>
        new EmailMessage({ ...init, messageId: `${index}.${name}@example.com`, date: FIXED.date }),
    );
  await using connection = getConnection('smtp', {
    host: '127.0.0.1',
    port: postfix.ports.plain,
    name: 'client.example',
    dkim: KEYS,
  });
  const status = await connection.sendMessages(messages);
  expect(status.getFailedRecipients()).toEqual([]);

  const arrived = new Map<string, Buffer>();
  for (const { source } of (await postfix.settled()).read()) {
    const mail = Buffer.from(Buffer.from(source).toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1');
    arrived.set(/^Message-ID:\s*<([^>]+)>/im.exec(mail.toString('latin1'))?.[1] ?? '', mail);
  }
  expect([...arrived.keys()].sort()).toEqual(messages.map(({ messageId }) => messageId).sort());
  const python = verifyWithDkimpy(RECORDS, [...arrived.values()]);
  for (const [index, [id, mail]] of [...arrived].entries()) {
    const judged = { id, mailauth: await verifyWithMailauth(RECORDS, mail), dkimpy: python[index] };
    expect(judged).toEqual({ id, mailauth: ['pass', 'pass'], dkimpy: [true, true] });
  }

  // Below the headers that it adds, Postfix delivers what was composed, but for the boundaries, which are random.
  const signer = createDkimSigner(KEYS);
  for (const message of messages.filter(
    ({ attachments, alternatives, htmlBody }) => !attachments.length && !alternatives.length && htmlBody === null,
  )) {
    const sent = Buffer.from(composeMessage(message, { ...FIXED, dkim: signer })).toString('latin1');
    expect(arrived.get(message.messageId ?? '')?.toString('latin1')).toContain(sent);
  }
});
