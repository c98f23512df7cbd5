import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { simpleParser } from 'mailparser';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SmtpServer } from '../../src/smtp-server/server.ts';

const run = promisify(execFile);
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'example-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function runExample(name: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const file = fileURLToPath(new URL(`../../examples/${name}.js`, import.meta.url));
  const coverage = process.env['NODE_V8_COVERAGE'];
  const { stdout, stderr } = await run(process.execPath, [file], {
    cwd: folder,
    env: { ...env, ...(coverage && { NODE_V8_COVERAGE: coverage }) },
  });
  expect(stderr).toBe('');
  return stdout;
}

/** A receiver that keeps the content of every mail. */
async function receiver(mails: Buffer[]): Promise<SmtpServer> {
  return SmtpServer.start({
    onMessage: ({ bytes }) => {
      mails.push(Buffer.from(bytes));
      return undefined;
    },
  });
}

test('newsletter: every reader gets a mail of their own', async () => {
  const mails: Buffer[] = [];
  await using server = await receiver(mails);
  const output = await runExample('newsletter', {
    AMSDAL_EMAIL_URL: `smtp://127.0.0.1:${server.port}`,
    READERS: '100',
  });
  expect(output).toMatch(/^100 of 100 sent, 0 failed, 0 unknown, \d+ a second\n$/);
  const parsed = await Promise.all(mails.map((mail) => simpleParser(mail)));
  expect(new Set(parsed.map(({ subject }) => subject)).size).toBe(100);
  expect(await runExample('newsletter')).toContain('1000 of 1000 sent');
});

test('invoice: the PDF arrives, under a signature that holds', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  writeFileSync(join(folder, 'key.pem'), privateKey);
  const mails: Buffer[] = [];
  await using server = await receiver(mails);
  const env = { AMSDAL_EMAIL_URL: `smtp://127.0.0.1:${server.port}`, DKIM_KEY_FILE: 'key.pem' };
  expect(await runExample('invoice', env)).toMatch(/^jane@example\.org: sent, /);

  const [mail = Buffer.alloc(0)] = mails;
  const { attachments } = await simpleParser(mail);
  expect(attachments.map(({ filename, contentType }) => [filename, contentType])).toEqual([
    ['invoice-2026-0042.pdf', 'application/pdf'],
  ]);
  const resolver = async (): Promise<string[][]> => [[`v=DKIM1; p=${publicKey.toString('base64')}`]];
  const { results } = await dkimVerify(mail, { resolver });
  expect(results.map(({ status }) => status.result)).toEqual(['pass']);

  await runExample('invoice');
  expect(readdirSync(join(folder, 'mails'))).toEqual([expect.stringMatching(/\.eml$/)]);
});

test('custom backend: the webhook gets the mail, and its absence is told', async () => {
  const bodies: string[] = [];
  const webhook = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      bodies.push(body);
      response.end();
    });
  });
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
  const address = webhook.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const env = { WEBHOOK_URL: `http://127.0.0.1:${port}` };
  expect(await runExample('custom-backend', env)).toBe('team@example.com: queued\n');
  expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ subject: 'Deployed', to: ['team@example.com'] });

  await new Promise((resolve) => webhook.close(resolve));
  expect(await runExample('custom-backend', env)).toBe(
    `team@example.com: failed, nothing listens at http://127.0.0.1:${port}\n`,
  );
});

test('sign-up: who signs up is greeted, a bad address is told, and the last mail is sent before the end', async () => {
  const mails: Buffer[] = [];
  await using server = await SmtpServer.start({
    onRcpt: (address) => (address.startsWith('nobody@') ? '550 5.1.1 No such user' : undefined),
    onMessage: ({ bytes }) => {
      mails.push(Buffer.from(bytes));
      return undefined;
    },
  });
  const file = fileURLToPath(new URL('../../examples/sign-up.js', import.meta.url));
  const child = spawn(process.execPath, [file], {
    cwd: folder,
    env: { ...process.env, AMSDAL_EMAIL_URL: `smtp://127.0.0.1:${server.port}`, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const [first] = await once(child.stdout, 'data');
  const signUp = async (body: object) => {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await fetch(`${String(first).trim()}/sign-up`, request);
    return [response.status, await response.json()];
  };
  expect(await signUp({ name: 'Ann, of Ham', email: 'ann@example.org' })).toEqual([
    201,
    { welcome: 'ann@example.org' },
  ]);
  expect(await signUp({ name: 'No', email: 'nobody@example.org' })).toEqual([400, { error: 'check name and address' }]);
  expect(await signUp({ name: 'No', email: 'a@b.org\r\nBcc: x@y.org' })).toMatchObject([400, {}]);
  expect(await signUp({ name: 'No' })).toMatchObject([400, {}]);
  const [mail = Buffer.alloc(0)] = mails;
  const { to, text } = await simpleParser(mail);
  expect([to && 'text' in to ? to.text : '', text]).toEqual([
    '"Ann, of Ham" <ann@example.org>',
    'Hello Ann, of Ham,\n\nthank you for signing up.\n',
  ]);
  expect(mails).toHaveLength(1);
  child.kill('SIGTERM');
  await ended;
  await expect.poll(() => server.connections).toBe(0); // the server may hear of it a moment later
});
