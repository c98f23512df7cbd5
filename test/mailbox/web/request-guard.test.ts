import { type IncomingHttpHeaders, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type MailboxServer, startMailbox } from '../../../src/mailbox/mailbox.ts';
import type { MailboxOptions } from '../../../src/mailbox/mailbox-options.ts';
import { ConfigurationError } from '../../../src/model/errors.ts';
import { catchSource } from '../caught.ts';

let mailbox: MailboxServer;

const start = async (options: MailboxOptions = {}): Promise<MailboxServer> => {
  const server = (await startMailbox({ port: 0, smtpPort: null, ...options })) as MailboxServer; // the class behind the interface
  onTestFinished(() => server.close());
  return server;
};

beforeEach(async () => {
  mailbox = (await startMailbox({ port: 0, smtpPort: null })) as MailboxServer; // the class behind the interface
});
afterEach(() => mailbox.close());

// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of the JSON
const api = async (path: string, init?: RequestInit): Promise<any> => {
  const response = await fetch(mailbox.url + path, init);
  return { status: response.status, ...(await response.json()) };
};

/** A request with headers that fetch does not let through. */
const ask = (
  path: string,
  headers: IncomingHttpHeaders,
  method = 'GET',
): Promise<{ readonly status: number | undefined; readonly headers: IncomingHttpHeaders; readonly body: string }> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(mailbox.url);
    const asked = request({ hostname, port, path, method, headers }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    asked.on('error', reject).end();
  });

describe('who may ask', () => {
  const own = (): string => new URL(mailbox.url).host;

  test.each([
    ['a foreign Host', { host: 'evil.example' }, 403],
    ['a foreign Host with the port', { host: 'evil.example:8025' }, 403],
    ['another page', { 'sec-fetch-site': 'cross-site' }, 403],
    ['another port of this machine', { 'sec-fetch-site': 'same-site' }, 403],
    [
      'a frame in another page',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
      403,
    ],
    ['an old browser in another page', { origin: 'http://evil.example' }, 403],
    ['a sandboxed frame', { origin: 'null' }, 403],
    ['the page itself', { 'sec-fetch-site': 'same-origin' }, 200],
    ['the address bar', { 'sec-fetch-site': 'none' }, 200],
    ['a program', {}, 200],
  ])('%s gets %j %d', async (_, headers, status) => {
    expect((await ask('/api/messages', { host: own(), ...headers })).status).toBe(status);
  });

  test('a link from anywhere opens the page, and nothing but the page', async () => {
    const link = {
      host: own(),
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    expect((await ask('/', link)).status).toBe(200);
    expect((await ask('/api/messages', link)).status).toBe(403);
    expect((await ask('/', link, 'POST')).status).toBe(403);
  });

  test('a path that cannot be read is a bad request', async () => {
    const { host } = new URL(mailbox.url);
    expect(await ask('//', { host })).toMatchObject({ status: 400 });
  });

  test('a form of another page cannot change anything, as it cannot say JSON', async () => {
    const answer = await api('/api/chaos', {
      method: 'PUT',
      body: '{"refuse":100}',
      headers: { 'content-type': 'text/plain' },
    });
    expect(answer.status).toBe(400);
  });

  test('other names are let in when they are listed', async () => {
    mailbox = await start({ allowedHosts: ['mail.test'] });
    const { port } = new URL(mailbox.url);
    expect((await ask('/', { host: `mail.test:${port}` })).status).toBe(200);
    expect((await ask('/', { host: `other.test:${port}` })).status).toBe(403);
  });

  test('everything says what it is and what it must not do', async () => {
    const id = catchSource(mailbox, 'Content-Type: text/html\n\n<script>1</script>');
    for (const path of [
      '/',
      '/page/app.js',
      '/api/messages',
      `/api/messages/${id}/html`,
      `/api/messages/${id}/parts/root`,
    ]) {
      const { headers } = await ask(path, { host: own() });
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        'cross-origin-resource-policy': 'same-origin',
      });
    }
    const frame = await ask(`/api/messages/${id}/html`, { host: own() });
    expect(frame.headers['content-security-policy']).toMatch(/^sandbox allow-popups allow-popups-to-escape-sandbox; /);
    const part = await ask(`/api/messages/${id}/parts/root`, { host: own() });
    expect(part.headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  test('it does not start in production, unless it is told to', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(startMailbox({ port: 0, smtpPort: null })).rejects.toThrow(ConfigurationError);
    await start({ allowProduction: true });
  });
});
