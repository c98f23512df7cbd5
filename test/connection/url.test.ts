import { describe, expect, test } from 'vitest';
import { ConsoleBackend } from '../../src/backends/console.ts';
import { FileBackend } from '../../src/backends/file.ts';
import { SesBackend } from '../../src/backends/ses.ts';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { backendOfUrl, isConnectionUrl, parseConnectionUrl } from '../../src/connection/url.ts';
import { ConfigurationError } from '../../src/model/errors.ts';
import type { AnyOptionTable } from '../../src/options/option-table.ts';
import { fc } from '../properties.ts';

const TABLES: Readonly<Record<string, AnyOptionTable>> = {
  smtp: SmtpBackend.optionTable,
  ses: SesBackend.optionTable,
  file: FileBackend.optionTable,
  console: ConsoleBackend.optionTable,
};

const parse = (url: string) => parseConnectionUrl(url, TABLES[backendOfUrl(url)]);

describe('the parts of a URL', () => {
  test.each([
    ['smtp://mail.x.org', 'smtp', { host: 'mail.x.org' }],
    ['SMTP://mail.x.org/', 'smtp', { host: 'mail.x.org' }],
    ['smtps://mail.x.org', 'smtp', { useSsl: true, host: 'mail.x.org' }],
    ['smtp://mail.x.org:2525', 'smtp', { host: 'mail.x.org', port: 2525 }],
    ['smtp://[::1]:25', 'smtp', { host: '::1', port: 25 }],
    ['smtp://bücher.example', 'smtp', { host: 'bücher.example' }],
    ['smtp://user:p%40ss%3A%2F%3F%23%25@h', 'smtp', { host: 'h', username: 'user', password: 'p@ss:/?#%' }],
    ['smtp://user%40x.org:pass@h', 'smtp', { host: 'h', username: 'user@x.org', password: 'pass' }],
    ['smtp://user@h', 'smtp', { host: 'h', username: 'user' }],
    ['smtp://h?useTls=true&timeoutMs=10000', 'smtp', { host: 'h', useTls: true, timeoutMs: 10_000 }],
    ['smtp://h?timeouts.connect=5&timeouts.final=7', 'smtp', { host: 'h', timeouts: { connect: 5, final: 7 } }],
    ['smtp://h?tls.rejectUnauthorized=false', 'smtp', { host: 'h', tls: { rejectUnauthorized: false } }],
    ['smtp://h?defaultFrom=Shop%20%3Cshop@x.org%3E', 'smtp', { host: 'h', defaultFrom: 'Shop <shop@x.org>' }],
    ['smtp://h?proxy=http://p:3128', 'smtp', { host: 'h', proxy: 'http://p:3128' }],
    ['smtp://h?proxy=http://u:w@p:3128', 'smtp', { host: 'h', proxy: 'http://u:w@p:3128' }],
    [
      'smtp://h?proxy=socks5%3A%2F%2Fu%3Ap%2540ss@p&useTls=1',
      'smtp',
      { host: 'h', proxy: 'socks5://u:p%40ss@p', useTls: true },
    ],
    ['smtp://?path=/run/smtp.sock', 'smtp', { path: '/run/smtp.sock' }],
    ['ses://eu-west-1', 'ses', { region: 'eu-west-1' }],
    [
      'ses://AKIA:s%2Fecret@eu-west-1?configurationSet=m',
      'ses',
      {
        region: 'eu-west-1',
        accessKeyId: 'AKIA',
        secretAccessKey: 's/ecret',
        configurationSet: 'm',
      },
    ],
    ['file:///var/mails', 'file', { path: '/var/mails' }],
    ['file://./mails', 'file', { path: './mails' }],
    ['file:///a%20b%23c%3Fd?tagHeaders=1', 'file', { path: '/a b#c?d', tagHeaders: true }],
    ['smtp://me@example.com:pw@h', 'smtp', { host: 'h', username: 'me@example.com', password: 'pw' }],
    ['smtp://u:a:b@h', 'smtp', { host: 'h', username: 'u', password: 'a:b' }],
    ['smtp://h?defaultFrom=a+b@x.org', 'smtp', { host: 'h', defaultFrom: 'a+b@x.org' }],
    ['smtp://h/?defaultFrom=a@x.org', 'smtp', { host: 'h', defaultFrom: 'a@x.org' }],
    ['file:///C:/mails', 'file', { path: 'C:/mails' }],
    ['console://', 'console', {}],
    ['console://?raw=true', 'console', { raw: true }],
  ])('%s', (url, backend, options) => {
    expect(isConnectionUrl(url)).toBe(true);
    expect(backendOfUrl(url)).toBe(backend);
    expect(parse(url)).toEqual(options);
  });

  test('without a table the query is taken as text', () => {
    expect(parseConnectionUrl('acme://?apiKey=k&retries=3', undefined)).toEqual({ apiKey: 'k', retries: '3' });
  });
});

test.each([
  'console',
  'smtp',
  './backend.js#B',
  '/abs/backend.js#B',
  '@acme/mail#B',
  'file:///x/backend.js#B',
  'C:\\b.js#B',
])('%s is a name or specifier, no URL', (text) => {
  expect(isConnectionUrl(text)).toBe(false);
});

describe('what is wrong is named, and the URL with its password is never shown', () => {
  test.each([
    ['smtp://user:hunter2@h:99999', 'invalid-option', 'the port must be at most 65535'],
    ['smtp://user:hunter2/x@h', 'invalid-option', "write the '/' in user name, password or value as %2F"],
    ['smtp://user:12/hunter2@h', 'invalid-option', "write the '/' in user name, password or value as %2F"],
    ['smtp://user:hunter2#x@h', 'invalid-option', "write the '#' in user name, password or value as %23"],
    ['smtp://user:12#hunter2@h', 'invalid-option', "'#'"],
    ['smtp://user:1?hunter2@h', 'invalid-option', "write the '?' in user name, password or value as %3F"],
    ['smtp://user:hunter2%@h', 'invalid-option', "write the '%' in its password as %25"],
    ['smtp://user:hunter2@h/inbox', 'invalid-option', "a 'smtp' URL has no path"],
    ['smtp://user:hunter2@h:0', 'invalid-option', "port must be an integer from 1 to 65535, not '0'"],
    ['smtp://user:hunter2@h?timeout=5', 'unknown-option', "unknown option 'timeout'"],
    ['smtp://user:hunter2@h?usetls=1', 'unknown-option', "did you mean 'useTls'?"],
    ['smtp://user:hunter2@h?useTls=ja', 'invalid-option', "useTls must be true or false, not 'ja'"],
    ['smtp://user:hunter2@h?host=other', 'conflicting-options', 'gives host twice'],
    ['smtp://user:hunter2@h?useTls=1&useTls=0', 'conflicting-options', 'gives useTls twice'],
    ['smtp://user:hunter2@h?password=x', 'conflicting-options', 'gives password twice'],
    ['smtp://user:hunter2@h?host.name=x', 'unknown-option', "'host' has no parts"],
    ['smtp://user:hunter2@h?timeouts=5', 'invalid-option', 'timeouts must be an object'],
    ['smtp://user:hunter2@h?timeouts.hello=5', 'unknown-option', "unknown option 'hello'"],
    ['smtp://h?tls=hunter2', 'invalid-option', 'tls must be an object with ca'],
    ['smtp://h?oauth2=hunter2', 'invalid-option', 'oauth2 must be an object with clientId'],
    ['smtp://h?oauth2.client_secret=hunter2', 'unknown-option', "did you mean 'clientSecret'?"],
    ['smtp://h?oauth2.onRefreshToken=hunter2', 'invalid-option', 'must be a function'],
    ['smtp://h?accessToken=', 'invalid-option', 'accessToken must be a string or a function that gets one'],
    ['smtp://h?debug=hunter2', 'invalid-option', 'debug must be'],
    ['smtp://h?toString=x', 'unknown-option', "unknown option 'toString'"],
    ['console://user:hunter2@h', 'invalid-option', "a 'console' URL has no host"],
    ['file:///%zz', 'invalid-option', "write the '%' in its path as %25"],
  ])('%s', (url, code, message) => {
    const wrong = () => parse(url);
    expect(wrong).toThrow(ConfigurationError);
    expect(wrong).toThrow(expect.objectContaining({ code }));
    expect(wrong).toThrow(message);
    if (!url.includes('debug')) expect(wrong).not.toThrow('hunter2');
  });

  test.each([
    ['smtp://h?timeouts.connect=soon', 'timeouts.connect'],
    ['smtp://h?timeouts.conect=5', 'timeouts.conect'],
    ['smtp://h?timeouts.connect=5&timeouts.connect=6', 'timeouts.connect'],
    ['smtp://h?port=x', 'port'],
  ])('%s: the error has the whole name of the option', (url, option) => {
    expect(() => parse(url)).toThrow(expect.objectContaining({ option }));
  });

  test('not in the cause either', () => {
    let found: unknown;
    try {
      parse('smtp://user:hunter2/x@h');
    } catch (error) {
      found = error;
    }
    expect(JSON.stringify(found, Object.getOwnPropertyNames(found))).not.toContain('hunter2');
  });
});

describe('the character to encode is named', () => {
  test.each([
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
    if (text === '') return expect(parse(url)).toMatchObject({ password: '' });
    let thrown: unknown;
    try {
      parse(url);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'invalid-option', message: expect.stringContaining(text) });
    expect(String(thrown)).not.toMatch(/cret/);
    return undefined;
  });

  test('gives back every user name and password that was percent-encoded', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ minLength: 1 }), (username, password) => {
        const url = `smtp://${encodeURIComponent(username)}:${encodeURIComponent(password)}@h`;
        expect(parse(url)).toEqual({ host: 'h', username, password });
      }),
    );
  });

  test('never shows a password, whatever was written', () => {
    const character = fc.constantFrom(...'ab:/?#@%[]&= +\\');
    fc.assert(
      fc.property(fc.array(character), fc.array(character), (before, after) => {
        try {
          parse(`smtp://user:${before.join('')}SECRET${after.join('')}@host`);
        } catch (error) {
          expect(String(error)).not.toContain('SECRET');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
