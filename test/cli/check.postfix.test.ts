import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { makeCertificates, type TestCertificates } from '../servers/certificates.ts';
import { DnsServer } from '../servers/dns.ts';
import { Dovecot, makeToken, PASSWORD, USER } from '../servers/dovecot.ts';
import { type Entrance, Postfix } from '../servers/postfix.ts';
import { freePorts } from '../servers/process.ts';
import { grant, refuse, type TokenAnswer, TokenEndpoint } from '../servers/token-endpoint.ts';
import { type CliRun, runCli } from './run-cli.ts';

let certificates: TestCertificates;
let dovecot: Dovecot;
let postfix: Postfix;
let dns: DnsServer;
let folder = '';
let ca = '';

beforeAll(async () => {
  certificates = makeCertificates();
  dovecot = await Dovecot.start(certificates.good);
  postfix = await Postfix.start(certificates, dovecot);
  dns = await DnsServer.start({
    'good.test': { TXT: ['v=spf1 mx -all'], MX: [[10, 'mail.good.test']] },
    '_dmarc.good.test': { TXT: ['v=DMARC1; p=reject; rua=mailto:dmarc@good.test'] },
    'revoked._domainkey.good.test': { TXT: ['v=DKIM1; p='] },
    'mail.good.test': { A: ['192.0.2.1'] },
    'bad.test': { TXT: ['v=spf1 +all', 'v=spf1 -all'], MX: [[10, 'mail.good.test']] },
    '_dmarc.bad.test': { TXT: ['v=DMARC1; p=nothing'] },
    'down.test': { fails: true },
  });
  folder = mkdtempSync(join(tmpdir(), 'check-'));
  ca = join(folder, 'ca.pem');
  writeFileSync(ca, certificates.ca);
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await dns?.close();
  await postfix?.stop();
  await dovecot?.stop();
});

/** Checks one entrance of Postfix, its authority trusted as users do it. */
function check(entrance: Entrance, login: string, ...args: readonly string[]): Promise<CliRun> {
  const scheme = entrance === 'smtps' ? 'smtps' : 'smtp';
  const query = scheme === 'smtp' ? '?useTls=true' : '';
  const url = `${scheme}://${login === '' ? '' : `${login}@`}localhost:${postfix.ports[entrance]}${query}`;
  return runCli(['check', '--url', url, ...args], { env: { NODE_EXTRA_CA_CERTS: ca } });
}

const LOGIN = `${encodeURIComponent(USER)}:${encodeURIComponent(PASSWORD)}`;
const GOOD_SENDER = (): readonly string[] => ['--from', 'Shop <shop@good.test>', '--resolver', dns.address];

describe('check of a real Postfix', () => {
  test.each(['submission', 'smtps'] as const)('%s with a good certificate and password', async (entrance) => {
    const { code, stdout, stderr } = await check(entrance, LOGIN, ...GOOD_SENDER());
    expect(stderr).toBe('');
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/ok +dns +localhost is .*127\.0\.0\.1/);
    expect(stdout).toMatch(/ok +connect +localhost:\d+ answers as localhost/);
    expect(stdout).toMatch(
      /ok +tls +TLSv1\.[23], a certificate for localhost, 127\.0\.0\.1, .*by CN=Test CA, valid until .*\((29|30) days\)/,
    );
    expect(stdout).toMatch(
      /ok +server +PIPELINING, CHUNKING, 8BITMIME, SMTPUTF8, DSN, mails of up to 100,000,000 octets/,
    );
    expect(stdout).toMatch(new RegExp(`ok +login +${USER} is let in by SCRAM-SHA-256`));
    expect(stdout).toMatch(/ok +spf +v=spf1 mx -all \(1 of 10 lookups\)/);
    expect(stdout).toMatch(/ok +dmarc +v=DMARC1; p=reject/);
    expect(stdout).toMatch(/password +\*\*\* +--url/);
    expect(stdout).not.toContain(PASSWORD);
    expect((await postfix.settled()).size).toBe(0);
  });

  test.each([
    ['expired', 'certificate has expired', /valid until \d{4}-/, 'the server needs a new certificate'],
    [
      'wrongHost',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      /certificate for mail\.example\.net, by CN=Test CA/,
      'tls.servername',
    ],
    ['selfSigned', 'self-signed', /signed by itself/, 'tls.ca'],
  ] as const)('%s certificate: an error that says so, and what it says', async (entrance, reason, fact, fix) => {
    const { code, stdout } = await check(entrance, LOGIN, ...GOOD_SENDER());
    expect(code, stdout).toBe(1);
    expect(stdout).toMatch(/ok +connect/);
    expect(stdout).toMatch(/error +tls/);
    expect(stdout).toContain(reason);
    expect(stdout).toMatch(fact);
    expect(stdout).toContain(fix);
    expect(postfix.log()).not.toMatch(new RegExp(`/${entrance}/smtpd.*sasl_username`));
  });

  test('a wrong password: connection and TLS are fine, the login is not; no secret is shown', async () => {
    const { code, stdout, stderr } = await check('submission', `${encodeURIComponent(USER)}:wrong-secret`, '--debug');
    expect(code, stdout).toBe(1);
    expect(stdout).toMatch(/ok +tls/);
    expect(stdout).toMatch(/error +login .*the server refused the login by SCRAM-SHA-256: 535/);
    expect(stderr).toContain('C: AUTH SCRAM-SHA-256 ***');
    expect(stdout + stderr).not.toContain('wrong-secret');
    expect(stdout + stderr).not.toContain(Buffer.from('wrong-secret').toString('base64'));
  });

  test.each<[string, TokenAnswer, number, RegExp]>([
    ['granted', grant(makeToken(USER)), 0, new RegExp(`ok +login +${USER} is let in by OAUTHBEARER`)],
    [
      'refused',
      refuse(401, { error: 'invalid_client', error_description: 'no s3cr3t-client' }),
      1,
      /error +login .*invalid_client \(no \*\*\*\); check oauth2\.clientId/,
    ],
    ['not answered now', refuse(503, ''), 75, /error +login .*cannot answer now \(503\)\n.*check oauth2\.tokenUrl/],
  ])('a login by OAuth 2.0, %s, without a secret on the screen', async (_, answer, code, line) => {
    await using endpoint = await TokenEndpoint.start(answer);
    const login = { clientId: 'app', clientSecret: 's3cr3t-client', refreshToken: 's3cr3t-refresh' };
    const query = Object.entries({ ...login, tokenUrl: endpoint.url }).map(
      ([part, value]) => `oauth2.${part}=${value}`,
    );
    const server = `${encodeURIComponent(USER)}@localhost:${postfix.ports.submission}`;
    const url = `smtp://${server}?useTls=true&${query.join('&')}`;
    const run = await runCli(['check', '--url', url, '--debug'], { env: { NODE_EXTRA_CA_CERTS: ca } });
    expect(run.code, run.stdout).toBe(code);
    expect(run.stdout).toMatch(line);
    expect(run.stdout).toContain('clientId=app clientSecret=*** refreshToken=*** tokenUrl=http://localhost:');
    expect(endpoint.forms).toHaveLength(1);
    expect(run.stdout + run.stderr).not.toMatch(/s3cr3t|eyJ/); // a token begins with the latter
  });

  test('a closed port is out of reach now', async () => {
    const [port] = await freePorts(1);
    const { code, stdout } = await runCli(['check', '--url', `smtp://127.0.0.1:${port}`]);
    expect(code, stdout).toBe(75);
    expect(stdout).toMatch(/error +connect +no connection to 127\.0\.0\.1:\d+: nothing listens there/);
    expect(stdout).toContain('out of reach now, try again later');
  });

  test('TLS that is not offered, or spoken on the wrong port', async () => {
    expect((await check('noTls', '')).stdout).toMatch(/error +tls +the server offers no STARTTLS/);
    const url = `smtps://localhost:${postfix.ports.plain}`;
    const { code, stdout } = await runCli(['check', '--url', url]);
    expect(code, stdout).toBe(1);
    expect(stdout).toMatch(/error +tls .*\n +-> check port and security/);
  });

  test('without TLS there is no warning on this machine', async () => {
    const { code, stdout } = await runCli(['check', '--url', `smtp://127.0.0.1:${postfix.ports.plain}`]);
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/ok +tls +none, on this machine/);
    expect(stdout).toMatch(/ok +login +none is configured/);
    expect(stdout).not.toMatch(/ dns /);
  });

  test('a certificate that ends soon is a warning', async () => {
    await using server = await ScriptedSmtpServer.start({ tls: certificates.ending });
    const url = `smtp://localhost:${server.port}?useTls=true`;
    const { code, stdout } = await runCli(['check', '--url', url], { env: { NODE_EXTRA_CA_CERTS: ca } });
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/warning +tls .*: in (9|10) days\n +-> see that it is renewed in time/);
  });
});

describe('check of a sender', () => {
  test('with broken records is an error, whatever the server', async () => {
    const sender = ['--from', 'shop@bad.test', '--dkim-selector', 'none', '--resolver', dns.address];
    const { code, stdout } = await check('submission', LOGIN, ...sender);
    expect(code, stdout).toBe(1);
    expect(stdout).toMatch(/ok +login/);
    expect(stdout).toMatch(/error +spf +bad\.test has 2 SPF records/);
    expect(stdout).toMatch(/error +dkim +none\._domainkey\.bad\.test has no key/);
    expect(stdout).toMatch(/error +dmarc/);
  });

  test('with a revoked key names it, and JSON has it all', async () => {
    const { code, stdout } = await check('submission', LOGIN, ...GOOD_SENDER(), '--dkim-selector', 'revoked', '--json');
    expect(code, stdout).toBe(1);
    const { isOk, backend, domain, settings, checks } = JSON.parse(stdout);
    expect({ isOk, backend, domain }).toEqual({ isOk: false, backend: 'smtp', domain: 'good.test' });
    expect(settings).toContainEqual({ name: 'password', value: '***', origin: '--url' });
    expect(checks.filter(({ level }: { level: string }) => level === 'error')).toEqual([
      {
        area: 'dkim',
        level: 'error',
        message: 'the key at revoked._domainkey.good.test is revoked (p= is empty)',
        fix: 'sign with another selector',
        code: null,
        isTemporary: false,
      },
    ]);
  });

  test('whose name server fails is out of reach now', async () => {
    const { code, stdout } = await runCli(['check', '--from', 'a@down.test', '--resolver', dns.address]);
    expect(code, stdout).toBe(75);
  });
});

describe('check of the configuration', () => {
  test('tells where each setting comes from', async () => {
    const home = mkdtempSync(join(tmpdir(), 'check-env-'));
    writeFileSync(
      join(home, '.env'),
      `AMSDAL_EMAIL_BACKEND=smtp\nAMSDAL_EMAIL_HOST=127.0.0.1\nAMSDAL_EMAIL_PORT=1\nAMSDAL_EMAIL_FROM=Shop <shop@good.test>\nAMSDAL_EMAIL_REDIRECT_TO=me@good.test\n`,
    );
    const env = { AMSDAL_EMAIL_PORT: String(postfix.ports.plain), AMSDAL_EMAIL_TIMEOUT: '20' };
    const { code, stdout } = await runCli(['check', '--resolver', dns.address], { cwd: home, env });
    rmSync(home, { recursive: true });
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/backend +smtp +AMSDAL_EMAIL_BACKEND in \.env/);
    expect(stdout).toMatch(/host +127\.0\.0\.1 +AMSDAL_EMAIL_HOST in \.env/);
    expect(stdout).toMatch(/port +\d+ +AMSDAL_EMAIL_PORT\n/);
    expect(stdout).toMatch(/timeoutMs +20000 +AMSDAL_EMAIL_TIMEOUT\n/);
    expect(stdout).toMatch(/security +none +default/);
    expect(stdout).toMatch(/Sender good\.test/);
    expect(stdout).toMatch(/warning +configuration +AMSDAL_EMAIL_REDIRECT_TO=me@good\.test: not everybody/);
  });

  test('of a named connection, at a closed port: the code is in the JSON', async () => {
    const [port] = await freePorts(1);
    const env = { AMSDAL_EMAIL_MARKETING_URL: `smtp://127.0.0.1:${port}?timeouts.connect=5000` };
    const { code, stdout } = await runCli(['check', '--backend', '@marketing', '--json'], { env });
    expect(code, stdout).toBe(75);
    const { settings, checks } = JSON.parse(stdout);
    expect(settings).toContainEqual({ name: 'timeouts', value: 'connect=5000', origin: 'AMSDAL_EMAIL_MARKETING_URL' });
    expect(checks).toContainEqual(expect.objectContaining({ area: 'connect', level: 'error', code: 'refused' }));
  });

  test.each([
    ['console', /warning +connect +the console backend prints mails and sends none/],
    ['dummy', /the dummy backend sends nothing/],
  ])('%s says that there is no server to check', async (backend, expected) => {
    const { code, stdout } = await runCli(['check', '--backend', backend]);
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(expected);
  });

  test.each([
    [['--resolver', 'dns.example.com'], /--resolver must be an IP address/],
    [['--from', 'nobody'], /--from: /],
    [['--backend', 'smtp', '--url', 'smtp://x'], /give one/],
    [['--selector', 'x'], /--selector/],
  ])('%s is a wrong usage', async (args, expected) => {
    const { code, stderr } = await runCli(['check', ...args]);
    expect(code).toBe(2);
    expect(stderr).toMatch(expected);
  });

  test('that is wrong is told in one line', async () => {
    const { code, stderr } = await runCli(['check'], { env: { AMSDAL_EMAIL_BACKEND: 'smpt' } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^amsdal-mail: AMSDAL_EMAIL_BACKEND: there is no backend 'smpt'.*\n$/);
  });
});
