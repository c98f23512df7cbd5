import { describe, expect, it } from 'vitest';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { ConfigurationError } from '../../src/model/errors.ts';
import { resolveSmtpOptions, type SmtpOptions } from '../../src/smtp/options.ts';

const LOGIN = { username: 'jane', password: 'secret' };
const OAUTH2 = { clientId: 'app', refreshToken: 'secret', tokenUrl: 'https://login.example.com/token' };

describe('resolveSmtpOptions', () => {
  it.each<[SmtpOptions, { security: string; port: number }]>([
    [{}, { security: 'none', port: 25 }],
    [{ port: 465 }, { security: 'implicit', port: 465 }],
    [{ port: 587 }, { security: 'required', port: 587 }],
    [{ useTls: true }, { security: 'required', port: 587 }],
    [{ useSsl: true }, { security: 'implicit', port: 465 }],
    [
      { useTls: true, port: 25 },
      { security: 'required', port: 25 },
    ],
    [
      { useTls: false, port: 587 },
      { security: 'none', port: 587 },
    ],
    [
      { useSsl: false, port: 465 },
      { security: 'none', port: 465 },
    ],
    [
      { useSsl: false, useTls: true, port: 465 },
      { security: 'required', port: 465 },
    ],
    [{ security: 'opportunistic' }, { security: 'opportunistic', port: 25 }],
    [{ security: 'required' }, { security: 'required', port: 587 }],
    [{ security: 'implicit' }, { security: 'implicit', port: 465 }],
    [LOGIN, { security: 'required', port: 25 }],
    [
      { username: 'jane', oauth2: OAUTH2 },
      { security: 'required', port: 25 },
    ],
    [
      { ...LOGIN, allowInsecureAuth: true },
      { security: 'none', port: 25 },
    ],
    [{ lmtp: true }, { security: 'none', port: 24 }],
  ])('%j is %j', (options, expected) => {
    expect(resolveSmtpOptions(options)).toMatchObject(expected);
  });

  it.each<[SmtpOptions, string, string]>([
    [{ useTls: true, useSsl: true }, 'conflicting-options', 'useTls'],
    [{ security: 'none', useTls: true }, 'conflicting-options', 'useTls'],
    [{ security: 'required', useSsl: true }, 'conflicting-options', 'useSsl'],
    [{ ...LOGIN, useTls: false }, 'conflicting-options', 'allowInsecureAuth'],
    [{ ...LOGIN, security: 'none' }, 'conflicting-options', 'allowInsecureAuth'],
    [{ lmtp: true, port: 25 }, 'conflicting-options', 'lmtp'],
    [{ username: 'jane' }, 'missing-option', 'password'],
    [{ password: 'x' }, 'missing-option', 'username'],
    [{ accessToken: 'x' }, 'missing-option', 'username'],
    [{ oauth2: OAUTH2 }, 'missing-option', 'username'],
    [{ ...LOGIN, oauth2: OAUTH2 }, 'conflicting-options', 'oauth2 takes the place of password'],
    [{ username: 'jane', accessToken: 'x', oauth2: OAUTH2 }, 'conflicting-options', 'accessToken'],
    [{ username: 'jane', oauth2: { ...OAUTH2, tokenUrl: 'x' } }, 'invalid-option', 'oauth2.tokenUrl'],
    [{ username: 'jane', oauth2: OAUTH2, authMethod: 'PLAIN' }, 'missing-option', 'password'],
    [{ username: 'jane', oauth2: OAUTH2, useTls: false }, 'conflicting-options', 'allowInsecureAuth'],
    [{ username: 'jane', oauth2: OAUTH2, security: 'none' }, 'conflicting-options', 'allowInsecureAuth'],
    [{ authMethod: 'PLAIN' }, 'missing-option', 'username'],
    [{ ...LOGIN, authMethod: 'XOAUTH2' }, 'missing-option', 'accessToken or oauth2'],
    [{ username: 'jane', accessToken: 'x', authMethod: 'PLAIN' }, 'missing-option', 'password'],
    [{ host: '' }, 'invalid-option', 'host'],
    [{ host: 'smtp://example.com' }, 'invalid-option', 'host'],
    [{ host: 'a\r\nb' }, 'invalid-option', 'host'],
    [{ proxy: 'p:3128' }, 'invalid-option', 'proxy'],
    [{ proxy: 'http://user:secret@' }, 'invalid-option', 'proxy'],
    [{ proxy: 'http://p', host: 'fe80::1%eth0' }, 'invalid-option', 'host'],
    [{ proxy: 'http://p', host: 'a'.repeat(256) }, 'invalid-option', 'host'],
    [{ proxy: 'http://user:secret@p', path: '/run/smtp' }, 'conflicting-options', 'path'],
    [{ proxy: 'http://user:secret@p', socket: () => Promise.reject() }, 'conflicting-options', 'socket'],
    [{ ...LOGIN, proxy: 'https://p', host: '127.0.0.1', security: 'none' }, 'conflicting-options', 'allowInsecureAuth'],
    [{ name: 'a b' }, 'invalid-option', 'name'],
    [{ name: 'a\r\nMAIL FROM:<x>' }, 'invalid-option', 'name'],
    [{ name: '[nonsense]' }, 'invalid-option', 'name'],
    [{ username: 'a\nb', password: 'x' }, 'invalid-option', 'username'],
    [{ username: 'a', password: 'x\0y' }, 'invalid-option', 'password'],
  ])('refuses %j with %s naming %s', (options, code, name) => {
    const attempt = () => resolveSmtpOptions(options);
    expect(attempt).toThrow(ConfigurationError);
    expect(attempt).toThrow(expect.objectContaining({ code, message: expect.stringContaining(name) }));
    expect(attempt).not.toThrow(expect.objectContaining({ message: expect.stringContaining('secret') }));
  });

  it('waits as long as it is told', () => {
    const usual = { connect: 30_000, greeting: 30_000, reply: 30_000, data: 30_000, final: 600_000 };
    expect(resolveSmtpOptions().timeouts).toEqual(usual);
    const all = { connect: 5, greeting: 5, reply: 5, data: 5, final: 5 };
    expect(resolveSmtpOptions({ timeoutMs: 5 }).timeouts).toEqual(all);
    expect(resolveSmtpOptions({ timeoutMs: 5, timeouts: { final: 9 } }).timeouts).toEqual({ ...all, final: 9 });
    expect(resolveSmtpOptions({ timeouts: { connect: 9 } }).timeouts).toEqual({ ...usual, connect: 9 });
  });

  it.each(['[::1]', '::1'])('takes the IPv6 literal %s', (host) => {
    expect(resolveSmtpOptions({ host }).host).toBe('::1');
  });
});

describe('SmtpBackend', () => {
  it.each([
    ['port', 0],
    ['port', '25'],
    ['timeoutMs', -1],
    ['timeouts', { reply: 1.5 }],
    ['timeouts', { typo: 1 }],
    ['retry', { attempts: -1 }],
    ['retry', { attempts: 0 }],
    ['tls', { rejectUnauthorized: 'no' }],
    ['tls', { minVersion: 'TLSv1' }],
    ['security', 'tls'],
    ['authMethod', 'NTLM'],
    ['maxConnections', 0],
    ['maxInFlight', 0],
    ['useTls', 'yes'],
    ['debug', 'yes'],
    ['socket', 1],
    ['proxy', 1],
    ['accessToken', 1],
    ['oauth2', 'a-token'],
    ['oauth2', { ...OAUTH2, clientSecret: 5 }],
    ['oauth2', { ...OAUTH2, secret: 'x' }],
    ['oauth2', { ...OAUTH2, onRefreshToken: 'x' }],
    ['hots', 'x'],
  ])('refuses the option %s: %j', (name, value) => {
    expect(() => new SmtpBackend({ [name]: value })).toThrow(ConfigurationError);
    expect(() => new SmtpBackend({ [name]: value })).toThrow(name);
    expect(() => new SmtpBackend({ [name]: value })).not.toThrow('a-token');
  });
});
