import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { judgeProvider } from '../../src/cli/check/provider.ts';
import { explainMail } from '../../src/cli/explain/explanation.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { setEnvironment } from '../../src/options/environment.ts';
import { ScriptedHttp } from '../servers/scripted-http.ts';
import { runCommand } from './run-command.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'http-'));
  writeFileSync(join(folder, 'mail.txt'), 'Grüße\n');
  writeFileSync(join(folder, 'list.bin'), Buffer.alloc(30_000, 7));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Every provider with what it needs, all of it secret but the account and the domain. */
const PROVIDERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  resend: { RESEND_API_KEY: 're_verysecret' },
  sendgrid: { SENDGRID_API_KEY: 'SG.very.secret' },
  postmark: { POSTMARK_SERVER_TOKEN: '11111111-2222-3333-4444-555555555555' },
  mailgun: { MAILGUN_API_KEY: 'key-verysecret0123456789', MAILGUN_DOMAIN: 'mg.example.com' },
  brevo: { BREVO_API_KEY: 'xkeysib-verysecret' },
  cloudflare: {
    CLOUDFLARE_API_TOKEN: 'verysecret0123456789abcdef',
    CLOUDFLARE_ACCOUNT_ID: '0123456789abcdef0123456789abcdef',
  },
};
const keyOf = (name: string): string => Object.values(PROVIDERS[name] ?? {})[0] ?? '';
const MAIL = ['--from', 'Shop <shop@example.com>', '--to', 'ann@example.org', '--subject', 'Hi', '--text', 'mail.txt'];

describe('explain shows what is asked of a provider, without its key', () => {
  test.each([
    ['resend', 'POST https://api.resend.com/emails', 'go together to /emails/batch'],
    ['sendgrid', 'POST https://api.sendgrid.com/v3/mail/send', 'each message is a request of its own'],
    ['postmark', 'POST https://api.postmarkapp.com/email', 'go together to /email/batch'],
    ['mailgun', 'POST https://api.mailgun.net/v3/mg.example.com/messages', 'each message is a request of its own'],
    ['brevo', 'POST https://api.brevo.com/v3/smtp/email', 'each message is a request of its own'],
    [
      'cloudflare',
      'POST https://api.cloudflare.com/client/v4/accounts/0123456789abcdef0123456789abcdef/email/sending/send_raw',
      'each message is a request of its own',
    ],
  ])('%s', async (name, request, several) => {
    const args = ['explain', ...MAIL, '--attach', 'list.bin', '--backend', name];
    const run = await runCommand(args, { cwd: folder, env: PROVIDERS[name] ?? {} });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toContain(request);
    expect(run.stdout).toContain('***');
    expect(run.stdout).not.toContain(keyOf(name));
    expect(run.stdout).not.toContain(Buffer.from(`api:${keyOf(name)}`).toString('base64'));
    expect(run.stdout).toContain('ann@example.org');
    expect(run.stdout).toContain('Grüße');
    if (name !== 'cloudflare') expect(run.stdout).toMatch(/30,000 octets( in base64)?\)/);
    expect(run.stdout.length).toBeLessThan(10_000);
    const plain = await runCommand(['explain', ...MAIL, '--backend', name], {
      cwd: folder,
      env: PROVIDERS[name] ?? {},
    });
    expect(plain.stdout).toContain(several);
  });

  test('as JSON', async () => {
    const args = ['explain', ...MAIL, '--backend', 'resend', '--json'];
    const { stdout } = await runCommand(args, { cwd: folder, env: PROVIDERS['resend'] ?? {} });
    expect(JSON.parse(stdout).http).toEqual({
      batch: '/emails/batch',
      calls: [
        {
          method: 'POST',
          url: 'https://api.resend.com/emails',
          headers: expect.objectContaining({ authorization: 'Bearer ***', 'content-type': 'application/json' }),
          body: { from: 'Shop <shop@example.com>', to: ['ann@example.org'], subject: 'Hi', text: 'Grüße\n' },
        },
      ],
    });
  });
});

describe('explain, for mails of every kind', () => {
  const MESSAGE: EmailMessageInit = { subject: 's', body: 'b', fromEmail: 'a@example.com', to: 'b@example.org' };
  let restore = (): void => {};
  beforeEach(() => {
    restore = setEnvironment({ env: { RESEND_API_KEY: 're_verysecret' } });
  });
  afterEach(() => restore());

  test('one with a key is a request of its own', async () => {
    const { http } = await explainMail('resend', { ...MESSAGE, idempotencyKey: 'k' });
    expect(http).toMatchObject({ batch: null, calls: [{ headers: { 'idempotency-key': 'k' } }] });
  });

  test('one for each recipient is a batch', async () => {
    const mergeData = { 'b@example.org': { n: 1 }, 'c@example.org': { n: 2 } };
    const to = ['b@example.org', 'c@example.org'];
    const { http } = await explainMail('resend', { ...MESSAGE, to, body: '', templateId: 't', mergeData });
    expect(http?.calls).toMatchObject([{ url: 'https://api.resend.com/emails/batch', body: [{}, {}] }]);
  });

  test('what is left out is told with its reason', async () => {
    const told = await explainMail('resend', { ...MESSAGE, tags: ['für Sie'], trackOpens: true });
    expect(told.ignored).toEqual(expect.arrayContaining(['tags', 'trackOpens']));
    expect(told.ignoredReasons).toEqual({ tags: expect.stringContaining('letters') });
  });

  test('one that cannot be sent is refused as it would be', async () => {
    const attachments = [{ filename: 'a.csv', content: 'a', mimetype: 'application/pdf' }];
    await expect(explainMail('resend', { ...MESSAGE, attachments })).rejects.toThrow(/another type/);
  });
});

describe('check asks a provider and says what its answer means', () => {
  test.each<[string, object, string | null, readonly string[]]>([
    ['resend', { verifiedDomains: 1, domains: 'example.com' }, 'example.com', ['ok connect', 'ok sender']],
    ['resend', { verifiedDomains: 1, domains: 'example.com' }, 'other.com', ['ok connect', 'error sender']],
    ['resend', { verifiedDomains: 0, domains: '' }, 'other.com', ['ok connect', 'error sender']],
    ['resend', { verifiedDomains: 1, domains: 'example.com' }, null, ['ok connect']],
    ['resend', { canOnlySend: true }, 'example.com', ['ok connect', 'ok sender']],
    ['sendgrid', { canSend: true }, 'example.com', ['ok connect']],
    ['sendgrid', { canSend: false }, 'example.com', ['ok connect', 'error login']],
    ['mailgun', { domain: 'mg.example.com', state: 'active' }, 'example.com', ['ok connect']],
    ['mailgun', { domain: 'mg.example.com', state: 'unverified' }, 'example.com', ['ok connect', 'error sender']],
    ['brevo', { account: 'A', credits: 300 }, null, ['ok connect']],
    ['brevo', { account: 'A', credits: 0 }, null, ['ok connect', 'warning server']],
    ['postmark', { server: 'A', deliveryType: 'Live' }, null, ['ok connect']],
    ['postmark', { server: 'A', deliveryType: 'Sandbox' }, null, ['ok connect', 'warning server']],
    ['cloudflare', { token: 'active' }, null, ['ok connect']],
    ['cloudflare', { token: 'disabled' }, null, ['ok connect', 'error login']],
    ['ses', { isInSandbox: true }, null, ['ok connect', 'warning server']],
  ])('%s: %j, sender %s', (name, details, domain, expected) => {
    const findings = judgeProvider(name, { ...details }, domain);
    expect(findings.map(({ level, area }) => `${level} ${area}`)).toEqual(expected);
  });

  test.each(Object.keys(PROVIDERS))('a key that %s refuses', async (name) => {
    const server = await ScriptedHttp.start();
    server.script = () => ({ status: 401, body: {} });
    try {
      const key = Object.entries(PROVIDERS[name] ?? {});
      const url = new URL(server.url);
      const env = { ...Object.fromEntries(key), AMSDAL_EMAIL_URL: `${name}://${urlOf(name)}?baseUrl=${url.origin}` };
      const { code, stdout } = await runCommand(['check', '--json'], { env });
      expect(code).toBe(1);
      expect(JSON.parse(stdout).checks).toContainEqual(
        expect.objectContaining({ area: 'connect', level: 'error', code: 'auth' }),
      );
      expect(stdout).not.toContain(keyOf(name));
    } finally {
      await server.close();
    }
  });
});

/** The account of a provider as a URL has it. */
function urlOf(name: string): string {
  const [key = '', host = ''] = Object.values(PROVIDERS[name] ?? {});
  return `${key}@${host}`;
}
