import { simpleParser } from 'mailparser';
import { describe, expect, it, test } from 'vitest';
import { GmailApiBackend, type GmailApiOptions } from '../../src/backends/gmail-api.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import type { HttpReply } from '../servers/scripted-http.ts';
import { grant, refuse, TokenEndpoint } from '../servers/token-endpoint.ts';
import { gmailApi } from '../servers/vendors/gmail-api.ts';
import { describeVendorFaults } from './vendor-faults.ts';
import { vendorSubject } from './vendor-subject.ts';
import { asked, FULL, MAIL, told, verified } from './vendor-trial.ts';

const connect = (baseUrl: string) => new GmailApiBackend({ accessToken: 'ya29.valid', baseUrl });

test('a mail goes as it would to any server, with everybody who gets it in its headers', async () => {
  const { bodies, calls, results } = await asked(gmailApi, connect, FULL);
  const mail = await simpleParser(bodies[0].raw);
  expect(mail).toMatchObject({ subject: 'Größe', text: expect.stringContaining('Hello') });
  expect(mail.attachments.map(({ filename }) => filename).toSorted()).toEqual(['a.txt', 'logo.png']);
  expect(bodies[0].raw).toMatch(/^Bcc: dan@example\.org\r\nFrom: /);
  expect(calls[0]).toMatchObject({
    path: '/upload/gmail/v1/users/me/messages/send?uploadType=media',
    headers: { 'content-type': 'message/rfc822' },
  });
  expect(results[0]).toMatchObject({ messageId: 'id-1', ignored: ['tags', 'metadata'] });
  expect(results[0]?.recipients.get('dan@example.org')?.status).toBe('sent');
});

test('espExtra stands beside the mail, such as the thread', async () => {
  const extra = (fields: object) => ({ ...MAIL, espExtra: { 'gmail-api': { ...fields } } });
  const { bodies, calls, results } = await asked(gmailApi, connect, extra({ threadId: 't-1' }));
  expect(bodies[0]).toMatchObject({ threadId: 't-1', raw: expect.stringContaining('Subject: s\r\n') });
  expect(calls[0]?.path).toBe('/upload/gmail/v1/users/me/messages/send?uploadType=multipart');
  expect(results[0]?.error).toBeNull();
  const refused = await asked(gmailApi, connect, extra({ raw: 'x' }));
  expect(refused.results[0]?.error).toMatchObject({ code: 'invalid-message' });
  expect(refused.calls).toEqual([]);
});

describe('access tokens', () => {
  test('of a function: a refused one is replaced once, and the mail goes', async () => {
    const asks: boolean[] = [];
    const accessToken = ({ refresh }: { readonly refresh: boolean }): string => {
      asks.push(refresh);
      return refresh ? 'ya29.valid' : 'ya29.stale';
    };
    const { results, calls } = await asked(gmailApi, (baseUrl) => new GmailApiBackend({ accessToken, baseUrl }), MAIL);
    expect(results[0]?.error).toBeNull();
    expect(calls).toHaveLength(2);
    expect(asks).toEqual([false, true]);
  });

  test('of a refresh token: asked for once for all mails, and again when one is refused', async () => {
    await using endpoint = await TokenEndpoint.start(grant('ya29.stale'), grant('ya29.valid'));
    const oauth2 = { clientId: 'app', clientSecret: 's3cret', refreshToken: 'refresh', tokenUrl: endpoint.url };
    const byRefresh = (baseUrl: string) => new GmailApiBackend({ oauth2, baseUrl, maxConnections: 1 });
    const { results, calls } = await asked(gmailApi, byRefresh, MAIL, MAIL, MAIL);
    expect(results.map(({ error }) => error)).toEqual([null, null, null]);
    expect(calls).toHaveLength(4);
    expect(endpoint.forms.map(({ grant_type }) => grant_type)).toEqual(['refresh_token', 'refresh_token']);
  });

  test('that the endpoint gives no more: nothing is sent, and the error says what to do', async () => {
    await using endpoint = await TokenEndpoint.start(refuse(400, { error: 'invalid_grant' }));
    const oauth2 = { clientId: 'app', clientSecret: 's3cret', refreshToken: 'refresh', tokenUrl: endpoint.url };
    const { results, calls } = await asked(gmailApi, (baseUrl) => new GmailApiBackend({ oauth2, baseUrl }), MAIL);
    expect(results[0]?.error).toMatchObject({ code: 'auth', outcome: 'not-sent' });
    expect(results[0]?.error?.message).toContain('set oauth2.refreshToken to the new one');
    expect(calls).toEqual([]);
  });

  test('of a function that fails: nothing is sent, and it may be tried later', async () => {
    const accessToken = async (): Promise<string> => {
      throw new Error('the vault says s3cret');
    };
    const { results, calls } = await asked(gmailApi, (baseUrl) => new GmailApiBackend({ accessToken, baseUrl }), MAIL);
    expect(results[0]?.error).toMatchObject({ code: 'auth', retryable: true });
    expect(results[0]?.error?.message).toBe('accessToken failed to get a token');
    expect(calls).toEqual([]);
  });

  test('that stay the same are not tried twice', async () => {
    const wrong = (baseUrl: string) => new GmailApiBackend({ accessToken: 'ya29.wrong', baseUrl });
    const { results, calls } = await asked(gmailApi, wrong, MAIL);
    expect(results[0]?.error).toMatchObject({ code: 'auth' });
    expect(results[0]?.error?.message).not.toContain('ya29.wrong');
    expect(calls).toHaveLength(1);
  });
});

describe('answers', () => {
  const error = (status: number, reason: string): HttpReply => ({
    status,
    body: { error: { code: status, message: 'x', errors: [{ domain: 'global', reason, message: 'x' }] } },
  });
  test.each<[HttpReply, object]>([
    [{ body: { id: 'm', threadId: 't', labelIds: ['SENT'] } }, { status: 'sent', id: 'm' }],
    [{ body: {} }, { status: 'unknown', code: 'uncertain' }],
    [error(400, 'invalidArgument'), { code: 'rejected', text: 'gmail-api refused the mail: 400 invalidArgument: x' }],
    [error(400, 'failedPrecondition'), { code: 'account' }],
    [error(401, 'authError'), { code: 'auth', status: 'failed' }],
    [error(403, 'rateLimitExceeded'), { code: 'throttled', retryable: true, status: 'failed' }],
    [error(403, 'userRateLimitExceeded'), { code: 'throttled', retryable: true }],
    [error(403, 'dailyLimitExceeded'), { code: 'quota', retryable: true }],
    [error(403, 'insufficientPermissions'), { code: 'auth', text: expect.stringContaining('gmail.send') }],
    [error(403, 'accessNotConfigured'), { code: 'account' }],
    [error(403, 'forbidden'), { code: 'auth' }],
    [error(413, 'uploadTooLarge'), { code: 'too-large' }],
    [error(429, 'rateLimitExceeded'), { code: 'throttled', retryable: true }],
    [error(500, 'backendError'), { code: 'uncertain', status: 'unknown' }],
    [
      { status: 502, body: '<html>' },
      { code: 'uncertain', status: 'unknown' },
    ],
  ])('%j', async (reply, expected) => {
    expect(await told(reply, connect)).toMatchObject(expected);
  });
});

describe('verify asks for the account', () => {
  const asksFor = '/gmail/v1/users/me/profile';
  const no = (reason: string): HttpReply => ({ status: 403, body: { error: { errors: [{ reason }] } } });
  test.each<[HttpReply, object]>([
    [{ body: { emailAddress: 'shop@example.com' } }, { account: 'shop@example.com' }],
    [no('insufficientPermissions'), { account: null }],
    [no('domainPolicy'), { code: 'account' }],
    [{ status: 401, body: {} }, { code: 'auth' }],
  ])('%j', async (reply, expected) => {
    expect(await verified(reply, connect)).toEqual({ asked: asksFor, ...expected });
  });
});

const oauth2 = {
  clientId: 'app',
  clientSecret: 's',
  refreshToken: 'r',
  tokenUrl: 'https://oauth2.googleapis.com/token',
};
test.each<[GmailApiOptions, string, string]>([
  [{}, 'missing-option', 'accessToken or oauth2 is missing: give one of them, or set GMAIL_ACCESS_TOKEN'],
  [{}, 'missing-option', "with the login of SMTP it is 'gmail'"],
  [{ accessToken: 'with a blank' }, 'invalid-option', 'printable ASCII'],
  [{ accessToken: 'x', oauth2 }, 'conflicting-options', 'give one of them'],
  [{ oauth2: { ...oauth2, tokenUrl: 'http://example.com' } }, 'invalid-option', 'https://'],
  [{ username: 'u' } as object, 'unknown-option', "give accessToken or oauth2, or send over 'gmail'"],
])('options %j are refused', (options, code, text) => {
  expect(() => new GmailApiBackend(options)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(text) }),
  );
});

describeBackend('gmail-api', vendorSubject(gmailApi, connect), { describe, it });

describeVendorFaults('gmail-api', {
  vendor: gmailApi,
  connect: (baseUrl, options) => new GmailApiBackend({ accessToken: 'ya29.valid', baseUrl, ...options }),
});
