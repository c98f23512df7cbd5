import { readdirSync, readFileSync } from 'node:fs';
import { createConnection, Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { SmtpBackend, type SmtpBackendOptions } from '../../src/backends/smtp.ts';
import { explainMail } from '../../src/cli/explain/explanation.ts';
import { planSession } from '../../src/cli/explain/session-plan.ts';
import { planWire } from '../../src/cli/explain/wire-plan.ts';
import { EmailMessage } from '../../src/model/message.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { setEnvironment } from '../../src/options/environment.ts';
import { AUTH_METHODS, resolveSmtpOptions } from '../../src/smtp/options.ts';
import { EXTENSIONS, type Extension } from '../../src/smtp-server/extensions.ts';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';
import { makeCertificates } from '../servers/certificates.ts';

const MAIL: EmailMessageInit = {
  subject: 'Hello',
  body: 'Thanks.',
  fromEmail: 'shop@example.com',
  to: 'user@example.org',
  date: new Date(0),
  messageId: 'one@example.com',
};

const MAILS: readonly (readonly [name: string, changes: Partial<EmailMessageInit>])[] = [
  ['a short mail', {}],
  ['three recipients', { to: ['a@example.org', 'b@example.org'], bcc: 'c@example.org' }],
  ['an attachment of 20 KB', { attachments: [{ filename: 'a.bin', content: new Uint8Array(20_000) }] }],
  [
    'an attachment of 200 KB, too much for BDAT',
    { attachments: [{ filename: 'a.bin', content: new Uint8Array(200_000) }] },
  ],
  ['a streamed attachment', { attachments: [{ filename: 'a.txt', content: new Blob(['streamed']) }] }],
  ['a local part beyond ASCII', { to: 'jürgen@example.org' }],
];

const OFFERS: readonly (readonly Extension[])[] = [['PIPELINING', 'CHUNKING'], ['PIPELINING'], []];

afterEach(() => vi.restoreAllMocks());

/** How often the client waited for the server after it had said something that belongs to the mail. */
function roundTrips(transcript: readonly string[]): number {
  const start = transcript.findIndex((line) => /^C: (?:RSET|MAIL)/.test(line));
  const end = transcript.indexOf('C: QUIT');
  const dialogue = transcript.slice(start, end < 0 ? undefined : end).map((line) => line[0]);
  return dialogue.filter((who, at) => who === 'S' && dialogue[at - 1] === 'C').length;
}

async function measured(
  mail: EmailMessageInit,
  offered: readonly Extension[],
  options: SmtpBackendOptions = {},
): Promise<number> {
  await using server = await ScriptedSmtpServer.start({
    lmtp: options.lmtp === true,
    extensions: EXTENSIONS.filter((name) => !/^(PIPELINING|CHUNKING|BINARYMIME)$/.test(name) || offered.includes(name)),
  });
  const backend = new SmtpBackend({ host: server.host, port: server.port, ...options });
  await backend.sendMessages([mail]);
  await backend.close();
  expect(server.messages).toHaveLength(1);
  return roundTrips(server.connections[0]?.transcript ?? []);
}

describe('the round trips of a mail are those of the engine against a real socket', () => {
  test.each(MAILS)('%s', async (_, changes) => {
    const mail = { ...MAIL, ...changes };
    const plans = await planWire(mail, false, (socket) => new SmtpBackend({ socket: socket as never }));
    expect(plans.map(({ extensions }) => extensions)).toEqual(OFFERS);
    const real: number[] = [];
    for (const offered of OFFERS) real.push(await measured(mail, offered));
    expect(plans.map((plan) => plan.roundTrips)).toEqual(real);
  });

  test('over LMTP', async () => {
    const mail = { ...MAIL, to: ['a@example.org', 'b@example.org'] };
    const options = { lmtp: true, port: 2424 };
    const plans = await planWire(mail, true, (socket) => new SmtpBackend({ ...options, socket: socket as never }));
    const real: number[] = [];
    for (const offered of OFFERS) real.push(await measured(mail, offered, { lmtp: true }));
    expect(plans.map((plan) => plan.roundTrips)).toEqual(real);
  });

  test('and what goes together is said', async () => {
    const plans = await planWire(
      { ...MAIL, to: ['a@example.org', 'b@example.org'] },
      false,
      (socket) => new SmtpBackend({ socket: socket as never }),
    );
    const size = plans[0]?.mail.bytes.length;
    const [sender, ...recipients] = [
      `MAIL FROM:<shop@example.com> SIZE=${size}`,
      'RCPT TO:<a@example.org>',
      'RCPT TO:<b@example.org>',
    ];
    const content = `(${size} octets of content)`;
    expect(plans.map(({ groups }) => groups)).toEqual([
      [[sender, ...recipients, `BDAT ${size} LAST`, content, 'RSET']],
      [[sender, ...recipients, 'DATA'], [content]],
      [[sender], ...recipients.map((line) => [line]), ['DATA'], [content]],
    ]);
  });
});

describe('the round trips of a connection are those of the engine', () => {
  /** Those that no command stands for. */
  const WITHOUT_COMMAND = ['TCP', 'TLS handshake', 'greeting'];
  const { ca, good } = makeCertificates();

  test.each([
    ['without TLS and login', {}],
    ['with STARTTLS', { useTls: true }],
    ['with TLS from the first byte', { useSsl: true }],
    ...AUTH_METHODS.map((authMethod) => [authMethod, { authMethod, allowInsecureAuth: true }] as const),
  ] as const)('%s', async (_, changes: SmtpBackendOptions) => {
    const { authMethod } = changes;
    const isToken = authMethod === 'XOAUTH2' || authMethod === 'OAUTHBEARER';
    const login = authMethod && { username: 'jane', ...(isToken ? { accessToken: 'secret' } : { password: 'secret' }) };
    await using server = await ScriptedSmtpServer.start({
      users: { jane: 'secret' },
      ...(changes.useTls || changes.useSsl ? { tls: good, implicitTls: changes.useSsl === true } : {}),
    });
    const options = { ...changes, ...login, tls: { ca }, host: 'localhost', port: server.port };
    const backend = new SmtpBackend(options);
    await backend.verify();
    const said = server.commands.filter((command) => command !== 'QUIT');
    const { steps, fewest, most } = planSession(resolveSmtpOptions(options));
    const counted = steps.filter(([step]) => !WITHOUT_COMMAND.includes(step));
    expect(counted.reduce((sum, [, least]) => sum + least, 0)).toBe(said.length);
    expect(most - fewest).toBe(changes.useTls || changes.useSsl ? 1 : 0); // TLS 1.2 or 1.3
  });

  test('a login whose mechanism is not known yet costs one to three', () => {
    const { steps } = planSession(resolveSmtpOptions({ username: 'jane', password: 'secret', useTls: true }));
    expect(steps.at(-1)).toEqual(['AUTH PLAIN to SCRAM', 1, 3]);
  });
});

describe('every mail of the corpus that can be sent', () => {
  const folder = fileURLToPath(new URL('../fixtures/mime', import.meta.url));
  const names = readdirSync(folder).filter((name) => name.endsWith('.eml'));

  test('is explained, and goes without extensions in a step for each command', async () => {
    let count = 0;
    for (const name of names) {
      const message = await EmailMessage.fromEml(readFileSync(join(folder, name))).catch(() => null);
      if (message === null) continue; // some have no recipients but those of Bcc
      const { wire, mail } = await explainMail('smtp', message);
      const trips = wire.map(({ roundTrips }) => roundTrips);
      expect(trips, name).toEqual([(mail?.length ?? 0) > 65_536 ? 2 : 1, 2, message.recipients.length + 3]);
      count += 1;
    }
    expect(count).toBeGreaterThan(80);
  });
});

describe('an explanation', () => {
  test('uses no network', async () => {
    const connect = vi.spyOn(Socket.prototype, 'connect');
    const lookup = vi.spyOn(process.getBuiltinModule('node:dns').promises, 'lookup');
    const { envelope, mail, session } = await explainMail('smtps://jane:secret@mail.example.com', MAIL);
    expect(connect).not.toHaveBeenCalled();
    expect(lookup).not.toHaveBeenCalled();
    expect(envelope).toEqual({ sender: 'shop@example.com', recipients: ['user@example.org'] });
    expect(Buffer.from(mail ?? []).toString()).toMatch(/^From: shop@example\.com\r\n/);
    expect(session?.steps.map(([step]) => step)).toEqual([
      'TCP',
      'TLS handshake',
      'greeting',
      'EHLO',
      'AUTH PLAIN to SCRAM',
    ]);
    createConnection({ path: '/nowhere' }).on('error', () => {}); // the spy sees what there is to see
    expect(connect).toHaveBeenCalled();
  });

  test('of a login by OAuth 2.0 tells who gives the token, asks for none, and shows no secret', async () => {
    const request = vi.spyOn(globalThis, 'fetch');
    const query = 'oauth2.clientId=app&oauth2.refreshToken=s3cr3t&oauth2.tokenUrl=https://login.example.com/token';
    const explanation = await explainMail(`smtps://jane@mail.example.com?${query}`, MAIL);
    expect(request).not.toHaveBeenCalled();
    expect(explanation.session?.steps.at(-1)).toEqual(['AUTH with a token from login.example.com', 1, 1]);
    expect(JSON.stringify(explanation)).not.toContain('s3cr3t');
    const { session } = await explainMail(`smtps://jane@mail.example.com?${query}&authMethod=XOAUTH2`, MAIL);
    expect(session?.steps.at(-1)?.[0]).toBe('AUTH XOAUTH2 with a token from login.example.com');
  });

  test('tells of a proxy where it is, and what it costs, but not its login', async () => {
    const url = 'smtps://jane:secret@mail.example.com?proxy=socks5%3A%2F%2Fuser%3AS3cr3tWord@proxy.example.com';
    const explanation = await explainMail(url, MAIL);
    expect(explanation.how).toBe(
      'by SMTP to mail.example.com:465 through the proxy socks5://proxy.example.com:1080, TLS: implicit',
    );
    expect(explanation.session?.steps.slice(0, 4)).toEqual([
      ['TCP', 1, 1],
      ['SOCKS method', 1, 1],
      ['SOCKS login', 0, 1],
      ['CONNECT of the proxy', 1, 1],
    ]);
    expect(inspect(explanation, { depth: 20 })).not.toContain('S3cr3tWord');
  });

  test('of ses tells its requests, which hold at most fifty recipients', async () => {
    const to = Array.from({ length: 60 }, (_, at) => `user${at}@example.org`);
    const { requests, mail } = await explainMail('ses', { ...MAIL, to });
    expect(requests.map(({ operation, recipients }) => [operation, recipients])).toEqual([
      ['SendEmail', 50],
      ['SendEmail', 10],
    ]);
    expect(mail?.length).toBeGreaterThan(100);
  });

  test('tells what a backend leaves out, and fails as sending does', async () => {
    expect((await explainMail('smtp', { ...MAIL, tags: ['a'] })).ignored).toEqual(['tags']);
    await expect(explainMail('smtp', { ...MAIL, templateId: 'welcome' })).rejects.toMatchObject({
      code: 'unsupported-feature',
    });
  });

  test.each(['smtp', 'console', 'ses'])('of %s says that the staging guard holds a mail back', async (backend) => {
    const restore = setEnvironment({ env: { AMSDAL_EMAIL_ALLOW: 'allowed.example' } });
    try {
      await expect(explainMail(backend, MAIL)).rejects.toMatchObject({ code: 'cancelled' });
    } finally {
      restore();
    }
  });

  test.each(['smtp', 'console', 'ses'])('of %s is behind the staging guard', async (backend) => {
    const restore = setEnvironment({ env: { AMSDAL_EMAIL_REDIRECT_TO: 'staging@example.net' } });
    try {
      const { mail } = await explainMail(backend, MAIL);
      expect(Buffer.from(mail ?? []).toString()).toMatch(/^To: staging@example\.net\r$/m);
    } finally {
      restore();
    }
  });
});
