import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SmtpBackend } from '../src/backends/smtp.ts';
import { isConnectionUrl, parseConnectionUrl } from '../src/connection-url.ts';

const read = (url: string) => parseConnectionUrl(url, SmtpBackend.optionTable);

describe('a connection URL', () => {
  it.each([
    ['smtp://localhost', { host: 'localhost' }],
    ['smtp://localhost/', { host: 'localhost' }],
    [
      'smtps://user:p%40ss@mail.example.com:465?timeoutMs=10000',
      { useSsl: true, host: 'mail.example.com', port: 465, username: 'user', password: 'p@ss', timeoutMs: 10_000 },
    ],
    ['SMTP://[::1]:2525', { host: '::1', port: 2525 }],
    [
      'smtp://h?timeouts.connect=5&timeouts.final=9&lmtp=true',
      { host: 'h', timeouts: { connect: 5, final: 9 }, lmtp: true },
    ],
    ['smtp://h?defaultFrom=Shop%20<a+b@example.com>', { host: 'h', defaultFrom: 'Shop <a+b@example.com>' }],
    ['smtp://me@example.com:pw@h', { username: 'me@example.com', password: 'pw', host: 'h' }],
    ['smtp://u:a:b@h', { username: 'u', password: 'a:b', host: 'h' }],
    ['smtp://h?security=none&path=/run/lmtp', { host: 'h', security: 'none', path: '/run/lmtp' }],
  ])('%s', (url, options) => {
    expect(read(url)).toEqual(options);
  });

  it('reads the parts of other backends', () => {
    expect(parseConnectionUrl('ses://eu-west-1?configurationSet=x', undefined)).toEqual({
      region: 'eu-west-1',
      configurationSet: 'x',
    });
    expect(parseConnectionUrl('ses://AKIA:s%2Fk@eu-west-1', undefined)).toEqual({
      region: 'eu-west-1',
      accessKeyId: 'AKIA',
      secretAccessKey: 's/k',
    });
    expect(parseConnectionUrl('file:///tmp/a%20b', undefined)).toEqual({ path: '/tmp/a b' });
    expect(parseConnectionUrl('file://./mails?x=1', undefined)).toEqual({ path: './mails', x: '1' });
    expect(parseConnectionUrl('file:///C:/mails', undefined)).toEqual({ path: 'C:/mails' });
    expect(parseConnectionUrl('dummy://?store=true', { store: { type: 'boolean' } })).toEqual({ store: true });
  });

  it.each([
    ['smtp://user:se/cret@host', "write the '/' in user name, password or value as %2F"],
    ['smtp://user:1/cret@host', "write the '/' in user name, password or value as %2F"],
    ['smtp://user:se?cret@host', "write the '?' in user name, password or value as %3F"],
    ['smtp://user:25?cret@host', "write the '?' in user name, password or value as %3F"],
    ['smtp://user:se#cret@host', "write the '#' in user name, password or value as %23"],
    ['smtp://user:secret@host?name=a#b', "write the '#' in user name, password or value as %23"],
    ['smtp://user:se%cret@host', "write the '%' in its password as %25"],
    ['smtp://us%er:secret@host', "write the '%' in its user name as %25"],
    ['smtp://u:secret@host?name=50%', "write the '%' in its name as %25"],
    ['smtp://u:secret@host:smtp', 'the port behind the last colon must be a number'],
    ['smtp://u:secret@host:99999', 'the port must be at most 65535'],
    ['smtp://u:secret@:25', 'the host is missing'],
    ['smtp://u:secret@ho st', 'the host has characters that no host has'],
    ['smtp://u:secret@host/inbox', "a 'smtp' URL has no path; a '/' in user name or password is written %2F"],
    ['smtp://u:secret@host?port=0', "port must be an integer from 1 to 65535, not '0'"],
    ['smtp://u@host?password=', ''],
  ])('%s says what to write', (url, text) => {
    if (text === '') return expect(read(url)).toMatchObject({ password: '' });
    let thrown: unknown;
    try {
      read(url);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'invalid-option', message: expect.stringContaining(text) });
    expect(String(thrown)).not.toMatch(/cret/);
    return undefined;
  });

  it.each([
    ['smtp://h?timeoutMS=5', 'unknown-option', "did you mean 'timeoutMs'"],
    ['smtp://h?host.name=5', 'unknown-option', "'host' has no parts"],
    ['smtp://h?port=1&port=2', 'conflicting-options', 'twice'],
    ['smtp://h:25?port=26', 'conflicting-options', 'twice'],
  ])('%s is refused', (url, code, text) => {
    expect(() => read(url)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(text) }));
  });

  it('is no specifier and no name', () => {
    for (const text of ['smtp', './a.js#B', 'pkg#B', 'file:///x/a.js#B', '@marketing']) {
      expect(isConnectionUrl(text), text).toBe(false);
    }
    for (const text of ['smtp://h', 'file:///x', 'smtp://u:p#w@h']) expect(isConnectionUrl(text), text).toBe(true);
  });

  it('gives back every user name and password that was percent-encoded', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ minLength: 1 }), (username, password) => {
        const url = `smtp://${encodeURIComponent(username)}:${encodeURIComponent(password)}@h`;
        expect(read(url)).toEqual({ host: 'h', username, password });
      }),
    );
  });

  it('never shows a password, whatever was written', () => {
    const character = fc.constantFrom(...'ab:/?#@%[]&= +\\');
    fc.assert(
      fc.property(fc.array(character), fc.array(character), (before, after) => {
        try {
          read(`smtp://user:${before.join('')}SECRET${after.join('')}@host`);
        } catch (error) {
          expect(String(error)).not.toContain('SECRET');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
