import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { judgeTls } from '../../src/cli/check/server.ts';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { makeCertificates } from '../servers/certificates.ts';
import { ConnectProxy } from '../servers/connect-proxy.ts';
import { DnsServer } from '../servers/dns.ts';
import { StrictSes } from '../servers/strict-ses.ts';
import { runCli } from './run-cli.ts';

const NOW = Date.UTC(2026, 10, 22);
const DAY_MS = 86_400_000;

function certificate(days: number): Readonly<Record<string, string>> {
  return {
    tls: 'TLSv1.3',
    certificateSubject: 'CN=mail.example.com',
    certificateIssuer: 'CN=CA',
    certificateNames: 'DNS:mail.example.com',
    certificateExpires: new Date(NOW + days * DAY_MS).toISOString(),
  };
}

describe('what TLS is worth', () => {
  test.each([
    [
      '22 days to go',
      certificate(22),
      true,
      'ok',
      /^TLSv1\.3, a certificate for mail\.example\.com, by CN=CA, valid until 2026-12-14 \(22 days\)$/,
    ],
    ['21 days to go', certificate(21), true, 'ok', /21 days/],
    ['20 days to go', certificate(20), true, 'warning', /in 20 days$/],
    ['any certificate accepted', certificate(90), false, 'warning', /any other is accepted/],
    ['one without names', { ...certificate(90), certificateNames: '' }, true, 'ok', /for CN=mail\.example\.com/],
    [
      'one signed by itself',
      { ...certificate(90), certificateIssuer: 'CN=mail.example.com' },
      true,
      'ok',
      /signed by itself/,
    ],
    ['none to another machine', { tls: null }, true, 'warning', /everybody on the way/],
  ] as const)('%s', (_, details, isVerified, level, message) => {
    expect(judgeTls(details, isVerified, false, NOW)).toMatchObject({ level, message: expect.stringMatching(message) });
  });

  test('none on this machine is fine', () => {
    expect(judgeTls({ tls: null }, false, true)).toMatchObject({ level: 'ok' });
  });
});

describe('check of a sender', () => {
  test('lets no control character of a record through to the terminal', async () => {
    await using dns = await DnsServer.start({
      'evil.test': { TXT: ['v=spf1 \u001b]0;owned\u0007 -all', 'x'], MX: [[1, 'mx.evil.test']] },
      '_dmarc.evil.test': { TXT: ['v=DMARC1; p=\u001b[2J'] },
      'k._domainkey.evil.test': { TXT: ['v=DKIM1; k=\u001b[31m; p=x'] },
    });
    const args = ['check', '--from', 'a@evil.test', '--dkim-selector', 'k', '--resolver', dns.address];
    const { code, stdout } = await runCli(args);
    expect(code, stdout).toBe(1);
    expect(stdout).toContain('\\u001b]0;owned');
    expect(stdout).not.toMatch(/[^\P{Cc}\n]/u);
    expect((await runCli([...args, '--json'])).stdout).not.toMatch(/[^\P{Cc}\n]/u);
  });

  test('at a domain beyond ASCII asks for it in A-labels', async () => {
    await using dns = await DnsServer.start({ 'xn--bcher-kva.test': { TXT: ['v=spf1 -all'] } });
    const { stdout } = await runCli(['check', '--from', 'Shop <a@bücher.test>', '--resolver', dns.address]);
    expect(stdout).toMatch(/Sender xn--bcher-kva\.test/);
    expect(stdout).toMatch(/ok +spf +v=spf1 -all/);
  });
});

test('a mailbox does not leave out by silence where to release mails', async () => {
  const { code, stderr } = await runCli(['mailbox', '--port', '0', '--release-via', 'smtp://127.0.0.1:1']);
  expect(stderr).toContain('--release-via needs --release-to');
  expect(code).toBe(2);
});

describe('check through a proxy', () => {
  const login = { username: 'user', password: 'S3cr3tWord' };

  test('tells the way, and shows no login of it', async () => {
    await using server = await ScriptedSmtpServer.start();
    await using proxy = await new ConnectProxy({ login, to: server }).start();
    const env = { AMSDAL_EMAIL_URL: 'smtp://mail.example.invalid:2525', AMSDAL_EMAIL_PROXY: urlOf(proxy) };
    const { code, stdout, stderr } = await runCli(['check'], { env });
    const name = `http://127.0.0.1:${proxy.port}`;
    expect(code, stdout).toBe(0);
    expect(stdout).toContain(`mail.example.invalid:2525 through the proxy ${name} answers as localhost`);
    expect(stdout).toMatch(new RegExp(`proxy +${name} +AMSDAL_EMAIL_PROXY\\n`));
    expect(stdout + stderr).not.toContain(login.password);
    expect(proxy.breaches).toEqual([]);
  });

  test('that does not let us in, it is the proxy whose login is to be checked', async () => {
    await using proxy = await new ConnectProxy({ login: { ...login, username: 'other' } }).start();
    const url = `smtp://mail.example.invalid:2525?proxy=${encodeURIComponent(urlOf(proxy))}`;
    const { code, stdout, stderr } = await runCli(['check', '--url', url]);
    expect(code, stdout).toBe(1);
    expect(stdout).toContain('check user name and password in proxy');
    expect(stdout + stderr).not.toContain(login.password);
  });

  test('over TLS, with an authority that Node was told of', async () => {
    const { ca, good } = makeCertificates();
    const folder = mkdtempSync(join(tmpdir(), 'authority-'));
    writeFileSync(join(folder, 'ca.pem'), ca);
    await using server = await ScriptedSmtpServer.start();
    await using proxy = await new ConnectProxy({ tls: good, to: server }).start();
    const args = ['check', '--url', `smtp://mail.example.invalid:2525?proxy=https://localhost:${proxy.port}`];
    const trusting = await runCli(args, { env: { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') } });
    rmSync(folder, { recursive: true });
    expect(trusting.code, trusting.stdout).toBe(0);
    expect(proxy.targets[0]).toBe('mail.example.invalid:2525');
    const other = await runCli(args);
    expect(other.code, other.stdout).toBe(1);
    expect(other.stdout).toContain('NODE_EXTRA_CA_CERTS');
  });

  function urlOf({ port }: ConnectProxy): string {
    return `http://${login.username}:${login.password}@127.0.0.1:${port}`;
  }
});

describe("a backend of one's own", () => {
  const INDEX = new URL('../../dist/index.js', import.meta.url).href;

  test('is asked by its verify(), whatever that throws, and explained as far as it is known', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'own-'));
    const own = (verify: string): void =>
      writeFileSync(
        join(folder, 'mine.mjs'),
        `import { EmailBackend } from '${INDEX}';
        export class Mine extends EmailBackend {
          name = 'mine';
          features = new Set();
          async *deliver() {}
          async verify() { ${verify} }
        }`,
      );
    const options = { cwd: folder };
    own("return { backend: 'mine', details: { shop: 'open', till: null } }");
    const fine = await runCli(['check', '--backend', './mine.mjs#Mine'], options);
    expect(fine.code, fine.stderr).toBe(0);
    expect(fine.stdout).toMatch(/ok +connect +verify\(\) succeeded, shop open\n/);
    own("throw new Error('the shop is closed')");
    const wrong = await runCli(['check', '--backend', './mine.mjs#Mine'], options);
    expect(wrong.code, wrong.stderr).toBe(1);
    expect(wrong.stdout).toMatch(/error +connect +verify\(\) of \.\/mine\.mjs#Mine failed: the shop is closed\n/);
    const explained = await runCli(['explain', '--backend', './mine.mjs#Mine'], options);
    expect(explained.stdout).toMatch(/how +how it is sent is known to its class alone/);
    rmSync(folder, { recursive: true });
  });
});

describe('check of Amazon SES', () => {
  test('asks the account, without sending', async () => {
    const ses = await StrictSes.start();
    const url = `ses://AKIDEXAMPLE:secret-key@eu-west-1?endpoint=${encodeURIComponent(ses.endpoint)}`;
    const fine = await runCli(['check', '--url', url]);
    expect(fine.code, fine.stdout).toBe(0);
    expect(fine.stdout).toMatch(
      /ok +connect +verify\(\) succeeded, region eu-west-1, isInSandbox false.*max24HourSend 50000/,
    );
    expect(fine.stdout).toMatch(/secretAccessKey +\*\*\* +--url/);
    expect(fine.stdout).not.toContain('secret-key');

    ses.account = { ...ses.account, ProductionAccessEnabled: false };
    expect((await runCli(['check', '--url', url])).stdout).toMatch(/warning +server +the account is in the sandbox/);
    ses.account = null;
    const refused = await runCli(['check', '--url', url]);
    expect(refused.code, refused.stdout).toBe(1);
    expect(refused.stdout).toMatch(/error +connect/);
    expect(ses.accepted).toHaveLength(0);
    await ses.close();
  });
});
