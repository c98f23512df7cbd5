import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Attachment, type AttachmentInit } from '../../src/model/attachment.ts';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { connectTo, mailTo } from './smtp-fixture.ts';

const EML = Buffer.from('Subject: forwarded\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n');
const EML_TYPE = { filename: 'fwd.eml', mimetype: 'message/rfc822' };
const folder = mkdtempSync(join(tmpdir(), 'amsdal-mail-forwarded-'));
const path = join(folder, 'fwd.eml');
writeFileSync(path, EML);
afterAll(() => rmSync(folder, { recursive: true }));

let server: ScriptedSmtpServer;
beforeAll(async () => {
  server = await ScriptedSmtpServer.start();
  return () => server.close();
});
afterEach(() => server.reset());

const BESIDE: readonly AttachmentInit[] = [{ filename: 'a.bin', content: () => new Blob(['x']).stream() as never }];
const SOURCES: readonly (readonly [string, () => AttachmentInit])[] = [
  ['bytes', () => ({ ...EML_TYPE, content: EML })],
  ['a file', () => Attachment.fromFile(path)],
  ['a Blob', () => ({ ...EML_TYPE, content: new Blob([EML]) })],
  ['a stream', () => ({ ...EML_TYPE, content: new Blob([EML]).stream() as never })],
];

describe('a forwarded mail with octets above 127', () => {
  for (const [extensions, isEightBit] of [
    ['PIPELINING\n8BITMIME', true],
    ['PIPELINING\n8BITMIME\nCHUNKING\nSIZE', true],
    ['PIPELINING\nSIZE', false],
  ] as const) {
    for (const [name, source] of SOURCES) {
      for (const beside of [[], BESIDE]) {
        it(`as ${name}, beside ${beside.length} streams, goes by ${extensions.replaceAll('\n', ' ')}`, async () => {
          server.on('EHLO', `250 localhost\n${extensions}`);
          const mail = mailTo('a@example.com', { attachments: [source(), ...beside] });
          const status = await connectTo(server).sendMessages([mail]);
          expect(status.isSuccess).toBe(true);
          const sent = Buffer.from(server.messages[0]?.bytes ?? []).toString();
          expect(sent.includes('Grüße')).toBe(isEightBit);
          expect(sent.includes(Buffer.from('Grüße').toString('base64').slice(0, 8))).toBe(!isEightBit);
          expect(server.commands.some((line) => line.includes('BODY=8BITMIME'))).toBe(isEightBit);
        });
      }
    }
  }
});
