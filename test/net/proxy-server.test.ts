import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/model/errors.ts';
import { type ProxyServer, parseProxy, proxiedHost } from '../../src/net/proxy-server.ts';
import { fc } from '../properties.ts';

const SECRET = 'S3cr3tWord';

function failure(act: () => unknown): ConfigurationError {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('it passed');
}

describe('the URL of a proxy', () => {
  it.each<[string, Partial<ProxyServer>]>([
    ['http://p.example.com:3128', { scheme: 'http', host: 'p.example.com', port: 3128, login: null }],
    ['http://p', { port: 80, name: 'http://p:80' }],
    ['http://p:80', { port: 80 }],
    ['https://p', { scheme: 'https', port: 443, name: 'https://p:443' }],
    ['https://p:80', { scheme: 'https', port: 80 }],
    ['socks5://p', { scheme: 'socks5', port: 1080, name: 'socks5://p:1080' }],
    ['socks5h://p:80/', { scheme: 'socks5', port: 80, name: 'socks5://p:80' }],
    ['HTTP://P.Example.COM:3128/', { scheme: 'http', host: 'p.example.com' }],
    ['http://[::1]:3128', { host: '::1', port: 3128, name: 'http://[::1]:3128' }],
    ['http://127.0.0.1:3128', { host: '127.0.0.1' }],
    ['http://bücher.example:3128', { host: 'xn--bcher-kva.example' }],
    ['http://user:p%40ss%3A%2f@p', { login: { username: 'user', password: 'p@ss:/' }, name: 'http://p:80' }],
    ['http://user:p@ss:w@p', { login: { username: 'user', password: 'p@ss:w' } }],
    ['http://user@p', { login: { username: 'user', password: '' } }],
    ['socks5://j%C3%BCrgen:p%C3%A4ss@p', { login: { username: 'jürgen', password: 'päss' } }],
    ['socks5://a%3Ab:c@p', { login: { username: 'a:b', password: 'c' } }],
  ])('%s is read', (url, expected) => {
    expect(parseProxy(url)).toMatchObject(expected);
  });

  it.each([
    ['', 'must begin with'],
    [SECRET, 'must begin with'],
    [`user:${SECRET}@p:3128`, 'must begin with'],
    [`ftp://user:${SECRET}@p`, 'must begin with'],
    [`socks4://user:${SECRET}@p`, 'must begin with'],
    [`socks://user:${SECRET}@p`, 'must begin with'],
    [`httph://user:${SECRET}@p`, 'must begin with'],
    [` http://user:${SECRET}@p`, 'must begin with'],
    [`http://user:${SECRET}@`, 'must have a host name'],
    [`http://user:${SECRET}@::1:3128`, 'must have a host name'],
    [`http://user:${SECRET}@[::1%25eth0]:3128`, 'must have a host name'],
    [`http://user:${SECRET}@p p`, 'must have a host name'],
    [`http://user:${SECRET}@p\r\nX: y`, 'must have a host name'],
    [`http://user:${SECRET}@p:port`, 'must have a port'],
    [`http://user:${SECRET}@p:0`, 'must have a port'],
    [`http://user:${SECRET}@p:65536`, 'must have a port'],
    [`http://user:${SECRET}@p:3128 `, 'must have a port'],
    [`http://user:${SECRET}/@p`, 'percent-encoded'],
    [`http://user:${SECRET}#@p`, 'percent-encoded'],
    [`http://user:${SECRET}@p/path`, 'percent-encoded'],
    [`http://user:${SECRET}@p?a=b`, 'percent-encoded'],
    [`http://user:${SECRET}%@p`, 'written %25'],
    [`http://user:${SECRET}%ff@p`, 'written %25'],
    [`http://:${SECRET}@p`, 'without a user name'],
    [`http://user:${SECRET}%0d%0aX@p`, 'no control characters'],
    [`http://us%3Aer:${SECRET}@p`, 'no colon'],
    [`socks5://${SECRET}@p`, 'both user name and password'],
    [`socks5://user:${SECRET.repeat(26)}@p`, 'both user name and password'],
  ])('%j is refused, and not repeated', (url, text) => {
    const error = failure(() => parseProxy(url));
    expect(error).toMatchObject({ code: 'invalid-option', option: 'proxy' });
    expect(error.message).toContain(text);
    expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain(SECRET);
  });

  it('gives back the login it was made of, and shows nothing of it in its name', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((part) => !/\p{Cc}/u.test(part));
    fc.assert(
      fc.property(text, text, fc.constantFrom('http', 'https', 'socks5'), (user, password, scheme) => {
        const username = user.replaceAll(':', '');
        fc.pre(username !== '');
        const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
        const proxy = parseProxy(`${scheme}://${login}@proxy.example.com:3128`);
        expect(proxy.login).toEqual({ username, password });
        expect(proxy.name).toBe(`${scheme}://proxy.example.com:3128`);
      }),
    );
  });

  it('is read or refused, whatever it is', () => {
    const piece = fc.constantFrom(
      ...['http', 'socks5', '://', '@', ':', '/', '[', ']', '::1', '%', '%0d', '\n', ' ', 'h'],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const url = pieces.join('');
        try {
          expect(parseProxy(url).name).toMatch(/^(?:https?|socks5):\/\/(?:\[[\da-f:]+\]|[^\s:@/\p{Cc}]+):\d+$/u);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError);
        }
      }),
    );
  });
});

describe('the mail host, as a proxy is told it', () => {
  it.each([
    ['mail.example.com', 'mail.example.com'],
    ['mail.example.com.', 'mail.example.com.'],
    ['my_host', 'my_host'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['2001:DB8:0::1', '2001:db8::1'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ])('%s', (host, expected) => {
    expect(proxiedHost(host)).toBe(expected);
  });

  it.each([
    ['a line break', 'a\r\nProxy-Authorization: x'],
    ['a NUL', 'a\0b'],
    ['a blank', 'a b'],
    ['a tab', 'a\tb'],
    ['a user', 'a@b'],
    ['a path', 'a/b'],
    ['a port', 'a:25'],
    ['what is encoded', 'a%0d%0ab'],
    ['a zone', 'fe80::1%eth0'],
    ['nothing', ''],
    ['256 characters', `${'a.'.repeat(127)}aa`],
  ])('%s is refused', (_, host) => {
    expect(failure(() => proxiedHost(host))).toMatchObject({ code: 'invalid-option', option: 'host' });
  });

  it('of 255 characters passes', () => {
    expect(proxiedHost(`${'a.'.repeat(127)}a`)).toHaveLength(255);
  });
});
