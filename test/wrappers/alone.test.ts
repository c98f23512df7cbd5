import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { SmtpServer } from '../../src/smtp-server/server.ts';

// Each backend by itself, as one who imports nothing else of the package has it: the guard must be there all the same.

const TO = 'staging@example.net';
const mail = { subject: 'Hello', body: 'Text', fromEmail: 'shop@example.com', to: 'ann@customer.org' };
const child = fileURLToPath(new URL('alone-child.js', import.meta.url));

let server: SmtpServer;
let folder: string;
let envelopes: string[] = [];

beforeAll(async () => {
  server = await SmtpServer.start({
    onRcpt: (address) => {
      envelopes.push(address);
      return undefined;
    },
  });
  return () => server.close();
});
beforeEach(() => {
  envelopes = [];
  folder = mkdtempSync(join(tmpdir(), 'alone-'));
  for (const name of Object.keys(process.env)) if (/^(?:AMSDAL|AWS)_/.test(name)) vi.stubEnv(name, undefined);
  vi.stubEnv('AMSDAL_EMAIL_REDIRECT_TO', TO);
  vi.resetModules();
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});
afterAll(() => vi.resetModules());

const filed = () => readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));

const fromSource: Readonly<Record<string, () => Promise<unknown>>> = {
  async dummy() {
    const { DummyBackend } = await import('../../src/backends/dummy.ts');
    const backend = new DummyBackend({ store: true });
    await backend.sendMessages([mail]);
    backend.sendMessagesSync([mail]);
    for await (const _ of backend.stream([mail]));
    return backend.messages.map(({ to }) => to);
  },
  async console() {
    const { ConsoleBackend } = await import('../../src/backends/console.ts');
    let printed = '';
    const stream = { write: (text: string) => (printed += text) };
    await new ConsoleBackend({ stream }).sendMessages([mail]);
    return printed;
  },
  async file() {
    const { FileBackend } = await import('../../src/backends/file.ts');
    await new FileBackend({ path: folder }).sendMessages([mail]);
    return filed();
  },
  async smtp() {
    const { SmtpBackend } = await import('../../src/backends/smtp.ts');
    await using backend = new SmtpBackend({ host: server.host, port: server.port });
    await backend.sendMessages([mail]);
    return envelopes;
  },
  async ses() {
    const { SesBackend } = await import('../../src/backends/ses.ts');
    const inputs: unknown[] = [];
    const client = {
      send: async (command: object) => {
        inputs.push((command as { readonly input: { readonly Destination: unknown } }).input.Destination);
        return { MessageId: 'id' };
      },
    };
    await new SesBackend({ client }).sendMessages([mail]);
    return inputs;
  },
  async mailbox() {
    const { MailboxBackend } = await import('../../src/mailbox/index.ts');
    await using backend = new MailboxBackend({ port: 0, smtpPort: 0, folder });
    await backend.sendMessages([mail]);
    return filed();
  },
  async inbox() {
    const { Inbox } = await import('../../src/testing/inbox/inbox.ts');
    const inbox = new Inbox();
    await inbox.sendMessages([mail]);
    return inbox.messages.map(({ to }) => to);
  },
};

test.each(Object.entries(fromSource))('%s is guarded when it is all that was imported', async (_, send) => {
  const reached = JSON.stringify(await send());
  expect(reached).toContain(TO);
  expect(reached.replaceAll(/X-Original-To: ann@customer\.org/g, '')).not.toContain('ann@customer.org"');
});

test.each(['dummy', 'console', 'file', 'smtp'])('the built amsdal-mail/%s is guarded, too', async (name) => {
  const parameters = [name, folder, server.host, String(server.port)];
  const { stdout } = await promisify(execFile)(process.execPath, [child, ...parameters]);
  const reached = [stdout, ...filed(), ...envelopes].join('\n');
  expect(reached).toContain(TO);
  expect(reached.replaceAll('X-Original-To: ann@customer.org', '')).not.toContain('ann@customer.org');
});
