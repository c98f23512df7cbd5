import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { checkConnections, getConnection } from '../../src/connection/connection.ts';
import { type ConnectionDefinition, defineConnections } from '../../src/connection/named.ts';
import { sendEach, sendMail, sendMailSync } from '../../src/connection/send.ts';
import { loginHintFor } from '../../src/net/login-hints.ts';
import { findPreset, presetNames } from '../../src/net/presets.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';

const mail = { subject: 'Hello', message: 'Text', fromEmail: 'shop@example.com', recipientList: ['ann@example.org'] };
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const undo: (() => void)[] = [];
const define = (named: Record<string, ConnectionDefinition>) => undo.push(defineConnections(named));

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (/^(?:AMSDAL|AWS)_/.test(name)) vi.stubEnv(name, undefined);
});
afterEach(async () => {
  for (const take of undo.splice(0)) take();
  vi.unstubAllEnvs();
  await nextTurn();
});

describe('named connections', () => {
  test.each([
    ['@marketing', 'AMSDAL_EMAIL_MARKETING_URL'],
    ['@password-reset', 'AMSDAL_EMAIL_PASSWORD_RESET_URL'],
    ['@eu2', 'AMSDAL_EMAIL_EU2_URL'],
  ] as const)('%s is %s', async (name, variable) => {
    vi.stubEnv(variable, 'dummy://?store=true');
    expect(getConnection(name)).toBeInstanceOf(DummyBackend);
    expect((await sendMail({ ...mail, connection: name })).isSuccess).toBe(true);
  });

  test('are shared by all sends, private by getConnection', async () => {
    const definition = new DummyBackend({ store: true });
    define({ shared: definition, private: { backend: 'dummy', options: { store: true } } });
    await sendMail({ ...mail, connection: '@shared' });
    sendMailSync({ ...mail, connection: '@shared' });
    await nextTurn();
    await sendEach({ ...mail, connection: '@shared' });
    expect(definition.messages).toHaveLength(3);
    expect(getConnection('@shared')).toBe(definition);
    expect(getConnection('@private')).not.toBe(getConnection('@private'));
    expect(() => getConnection('@shared', { store: true })).toThrow('takes no options');
  });

  test('of one name, defined twice within a turn', async () => {
    const [first, second] = [new DummyBackend({ store: true }), new DummyBackend({ store: true })];
    const undo = defineConnections({ twice: first });
    const sending = [sendMail({ ...mail, connection: '@twice' })];
    undo();
    define({ twice: second });
    sending.push(sendMail({ ...mail, connection: '@twice' }));
    await Promise.all(sending);
    expect([first.messages.length, second.messages.length]).toEqual([1, 1]);
  });

  test.each<[string, ConnectionDefinition, string]>([
    ['a name', 'dummy', 'dummy'],
    ['a URL', 'smtp://mail.example.com', 'smtp'],
    ['a preset', { backend: 'gmail', options: { username: 'me', password: 'pw' } }, 'smtp'],
    ['a class', DummyBackend, 'dummy'],
    ['a class with options', { backend: DummyBackend, options: { store: true } }, 'dummy'],
  ])('are defined in code by %s, which wins over the environment', (_, definition, name) => {
    vi.stubEnv('AMSDAL_EMAIL_MARKETING_URL', 'console://');
    define({ marketing: definition });
    expect(getConnection('@marketing').name).toBe(name);
  });

  test('do not take the login of the process’s own server', () => {
    vi.stubEnv('AMSDAL_EMAIL_USER', 'me');
    vi.stubEnv('AMSDAL_EMAIL_PASSWORD', 'pw');
    vi.stubEnv('AMSDAL_EMAIL_MARKETING_URL', 'smtp://other.example.com?authMethod=PLAIN');
    // A method to log in by needs a login, which this one has not got.
    expect(() => getConnection('@marketing')).toThrow('username is needed with authMethod');
  });

  test('options of the call replace those of the definition that set the same thing', () => {
    define({ relay: { backend: 'smtp', options: { host: 'mail.example.com', username: 'me', password: 'pw' } } });
    expect(getConnection('@relay', { accessToken: () => 'token' })).toBeInstanceOf(SmtpBackend);
    expect(getConnection('@relay', { oauth2: undefined })).toBeInstanceOf(SmtpBackend);
  });

  test.each([
    ['@nobody', 'unknown-backend', "there is no connection '@nobody': set AMSDAL_EMAIL_NOBODY_URL, or call define"],
    ['@Marketing', 'invalid-option', 'lower-case letters'],
    ['@', 'invalid-option', 'lower-case letters'],
  ] as const)('%s is refused', async (name, code, text) => {
    const refused = expect.objectContaining({ code, message: expect.stringContaining(text) });
    expect(() => getConnection(name)).toThrow(refused);
    await expect(sendMail({ ...mail, connection: name })).rejects.toEqual(refused);
  });

  test('refuses names that are malformed or taken, and a connection that is none', async () => {
    define({ marketing: 'dummy' });
    for (const name of ['marketing', 'Marketing', 'a b', '', '@x']) {
      expect(() => defineConnections({ other: 'dummy', [name]: 'dummy' }), name).toThrow(
        expect.objectContaining({ code: 'invalid-option' }),
      );
    }
    expect(() => getConnection('@other')).toThrow('there is no connection');
    // @ts-expect-error: for who writes JavaScript
    await expect(sendMail({ ...mail, connection: 'smtp' })).rejects.toMatchObject({
      code: 'invalid-option',
      message: expect.stringContaining("write '@name'"),
    });
  });

  test('the whole configuration is checked at once', () => {
    vi.stubEnv('AMSDAL_EMAIL_BACKEND', 'dummy');
    vi.stubEnv('AMSDAL_EMAIL_MARKETING_URL', 'smtp://h');
    define({ receipts: 'console' });
    expect(checkConnections().map(({ name }) => name)).toEqual(['dummy', 'console', 'smtp']);
    vi.stubEnv('AMSDAL_EMAIL_OTHER_URL', 'smtp://h:0');
    expect(() => checkConnections()).toThrow(/^AMSDAL_EMAIL_OTHER_URL: .*port must be/);
  });
});

describe('presets', () => {
  test.each(presetNames())('%s', (name) => {
    expect(getConnection(name, { username: 'me', password: 'pw' })).toBeInstanceOf(SmtpBackend);
    expect(findPreset(name)).toMatchObject({
      host: expect.stringMatching(/^[a-z0-9.-]+\.(?:com|ch|net|org)$/),
      security: findPreset(name)?.port === 465 ? 'implicit' : 'required',
    });
    expect(loginHintFor(findPreset(name)?.host.toUpperCase() ?? '')).toMatch(/\w/);
  });

  test('by variable, with the login of the environment', () => {
    vi.stubEnv('AMSDAL_EMAIL_BACKEND', 'gmail');
    vi.stubEnv('AMSDAL_EMAIL_USER', 'me');
    expect(() => getConnection()).toThrow('AMSDAL_EMAIL_PASSWORD');
    vi.stubEnv('AMSDAL_EMAIL_PASSWORD', 'pw');
    expect(getConnection().name).toBe('smtp');
    vi.stubEnv('AMSDAL_EMAIL_HOST', 'mail.example.com');
    expect(() => getConnection()).toThrow(/^AMSDAL_EMAIL_BACKEND: the preset gmail says what AMSDAL_EMAIL_HOST says/);
    // That login is for another server.
    expect(() => getConnection('gmail', { authMethod: 'PLAIN' })).toThrow('username is needed');
  });

  test('are no schemes of URLs: the error says what to write', () => {
    vi.stubEnv('AMSDAL_EMAIL_URL', 'gmail://me:pw@');
    expect(() => getConnection()).toThrow('write smtps://user:password@smtp.gmail.com:465');
  });

  test('a refused login tells what it usually means at this server', async () => {
    await using server = await SmtpServer.start({ onAuth: () => '535 5.7.8 Username and Password not accepted' });
    const { connect } = process.getBuiltinModule('node:net');
    const connection = getConnection('smtp', {
      host: 'smtp.gmail.com',
      security: 'none',
      allowInsecureAuth: true,
      username: 'me@gmail.com',
      password: 'secret',
      socket: () => connect(server.port, server.host),
    });
    const refused = connection.verify();
    await expect(refused).rejects.toMatchObject({ code: 'auth' });
    await expect(refused).rejects.toThrow(/535 5\.7\.8 .*Gmail wants an app password.*apppasswords/);
  });
});

describe('a wrong value of any variable names it, and shows a right one', () => {
  test.each<[string, string, Record<string, string>?]>([
    ['AMSDAL_EMAIL_BACKEND', 'sntp'],
    ['AMSDAL_EMAIL_BACKEND', './missing.js#Backend'],
    ['AMSDAL_EMAIL_HOST', 'smtp://mail.example.com'],
    ['AMSDAL_EMAIL_HOST', 'mail example'],
    ['AMSDAL_EMAIL_PORT', 'submission'],
    ['AMSDAL_EMAIL_USER', 'a\u0007b', { AMSDAL_EMAIL_PASSWORD: 'pw' }],
    ['AMSDAL_EMAIL_USER', 'me'],
    ['AMSDAL_EMAIL_PASSWORD', 'pw'],
    ['AMSDAL_EMAIL_USE_TLS', 'starttls'],
    ['AMSDAL_EMAIL_USE_TLS', 'true', { AMSDAL_EMAIL_USE_SSL: 'true' }],
    ['AMSDAL_EMAIL_USE_TLS', 'false', { AMSDAL_EMAIL_USER: 'me', AMSDAL_EMAIL_PASSWORD: 'pw' }],
    ['AMSDAL_EMAIL_USE_SSL', '465'],
    ['AMSDAL_EMAIL_TIMEOUT', 'soon'],
    ['AMSDAL_EMAIL_FROM', 'Shop'],
    ['AMSDAL_EMAIL_DEBUG', 'maybe'],
    ['AMSDAL_EMAIL_URL', 'mail.example.com:25'],
    ['AMSDAL_EMAIL_URL', 'smtp://user:p/ss@host'],
    ['AMSDAL_EMAIL_URL', 'smtp://user@host'],
    ['AMSDAL_EMAIL_URL', 'sntp://host'],
    ['AMSDAL_EMAIL_URL', 'smtp://host', { AMSDAL_EMAIL_PORT: '25' }],
    ['AMSDAL_EMAIL_MARKETING_URL', 'gmail'],
    ['AMSDAL_EMAIL_MARKETING_URL', 'smtp://host?por=25'],
    ['AMSDAL_EMAIL_REDIRECT_TO', 'nobody'],
    ['AMSDAL_EMAIL_ALLOW', 'a b'],
    ['AWS_SECRET_ACCESS_KEY', '', { AMSDAL_EMAIL_BACKEND: 'ses', AWS_ACCESS_KEY_ID: 'AKIA' }],
    ['AWS_ACCESS_KEY_ID', '', { AMSDAL_EMAIL_BACKEND: 'ses', AWS_SECRET_ACCESS_KEY: 'secret' }],
    ['AWS_REGION', 'eu west', { AMSDAL_EMAIL_BACKEND: 'ses' }],
    ['AWS_SES_CONFIGURATION_SET', 'a b', { AMSDAL_EMAIL_BACKEND: 'ses' }],
  ])('%s=%s', (variable, value, others = {}) => {
    const isUrl = variable.endsWith('URL');
    for (const [name, text] of Object.entries({ ...(!isUrl && { AMSDAL_EMAIL_BACKEND: 'smtp' }), ...others })) {
      vi.stubEnv(name, text);
    }
    vi.stubEnv(variable, value);
    let message = 'nothing was thrown';
    try {
      checkConnections();
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(new RegExp(`^ConfigurationError: .*${variable}\\b.*\\b${variable}=[^;]+`));
    expect(message).not.toMatch(/p\/ss/);
  });
});
