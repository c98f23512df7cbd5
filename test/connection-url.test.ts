import { describe, expect, test } from 'vitest';
import { ConsoleBackend } from '../src/backends/console.ts';
import { FileBackend } from '../src/backends/file.ts';
import { SesBackend } from '../src/backends/ses.ts';
import { SmtpBackend } from '../src/backends/smtp.ts';
import { backendOfUrl, isConnectionUrl, parseConnectionUrl } from '../src/connection-url.ts';
import { ConfigurationError } from '../src/errors.ts';
import type { AnyOptionTable } from '../src/options.ts';

const TABLES: Readonly<Record<string, AnyOptionTable>> = {
  smtp: SmtpBackend.optionTable,
  ses: SesBackend.optionTable,
  file: FileBackend.optionTable,
  console: ConsoleBackend.optionTable,
};

const parse = (url: string) => parseConnectionUrl(url, TABLES[backendOfUrl(url)], 'AMSDAL_EMAIL_URL');

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
    ['console://', 'console', {}],
    ['console://?raw=true', 'console', { raw: true }],
  ])('%s', (url, backend, options) => {
    expect(isConnectionUrl(url)).toBe(true);
    expect(parse(url)).toEqual({ backend, options });
  });

  test('without a table the query is taken as text', () => {
    expect(parseConnectionUrl('acme://?apiKey=k&retries=3', undefined, 'x')).toEqual({
      backend: 'acme',
      options: { apiKey: 'k', retries: '3' },
    });
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
    ['smtp://user:hunter2@h:99999', 'invalid-option', 'is not a URL (ERR_INVALID_URL)'],
    ['smtp://user:hunter2/x@h', 'invalid-option', 'is not a URL'],
    ['smtp://user:12/hunter2@h', 'invalid-option', "a 'smtp' URL has no path"],
    ['smtp://user:hunter2#x@h', 'invalid-option', 'is not a URL'],
    ['smtp://user:12#hunter2@h', 'invalid-option', "'#'"],
    ['smtp://user:1?hunter2@h', 'unknown-option', "what follows '?' is no option's name"],
    ['smtp://user:hunter2%@h', 'invalid-option', "a '%' that starts no percent-encoding"],
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
    ['smtp://h?accessToken=', 'invalid-option', 'accessToken must be a string or a function that gets one'],
    ['smtp://h?debug=hunter2', 'invalid-option', 'debug must be'],
    ['smtp://h?toString=x', 'unknown-option', "unknown option 'toString'"],
    ['console://user:hunter2@h', 'invalid-option', "a 'console' URL has no host"],
    ['file:///%zz', 'invalid-option', "a '%' that starts no percent-encoding"],
  ])('%s', (url, code, message) => {
    const wrong = () => parse(url);
    expect(wrong).toThrow(ConfigurationError);
    expect(wrong).toThrow(expect.objectContaining({ code }));
    expect(wrong).toThrow(message);
    expect(wrong).toThrow('AMSDAL_EMAIL_URL');
    if (!url.includes('debug')) expect(wrong).not.toThrow('hunter2');
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
