import { simpleParser } from 'mailparser';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { MicrosoftGraphBackend, type MicrosoftGraphOptions } from '../../src/backends/microsoft-graph.ts';
import { EmailError } from '../../src/model/errors.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import { CommitTrial, errorsOf, WITHHELD } from '../commit-trial.ts';
import { GraphDrafts } from '../servers/graph-drafts.ts';
import type { HttpReply } from '../servers/scripted-http.ts';
import { microsoftGraph } from '../servers/vendors/microsoft-graph.ts';
import { describeVendorFaults } from './vendor-faults.ts';
import { vendorSubject } from './vendor-subject.ts';
import { asked, FULL, MAIL, told, verified } from './vendor-trial.ts';

const own = { accessToken: 'graph-token' };
const connect = (baseUrl: string) => new MicrosoftGraphBackend({ ...own, baseUrl });

test('a mail goes as it would to any server, with everybody who gets it in its headers', async () => {
  const { bodies, calls, results } = await asked(microsoftGraph, connect, FULL);
  const source = Buffer.from(bodies[0].mime, 'base64').toString('latin1');
  const mail = await simpleParser(source);
  expect(mail).toMatchObject({ subject: 'Größe', text: expect.stringContaining('Hello') });
  expect(mail.attachments.map(({ filename }) => filename).toSorted()).toEqual(['a.txt', 'logo.png']);
  expect(source).toMatch(/^Bcc: dan@example\.org\r\nFrom: /);
  expect(calls[0]?.path).toBe('/users/shop@xn--bcher-kva.example/sendMail');
  expect(results[0]).toMatchObject({
    messageId: expect.stringMatching(/@xn--bcher-kva\.example$/),
    ignored: ['tags', 'metadata'],
    espResponse: { requestId: 'r-1' },
  });
  expect(results[0]?.recipients.get('dan@example.org')?.status).toBe('queued');
  expect(source).toContain(`Message-ID: <${results[0]?.messageId}>`);
});

test.each([
  ['me', '/me/sendMail'],
  ['8a1c-77', '/users/8a1c-77/sendMail'],
])('the mailbox %s', async (userId, path) => {
  const paths: string[] = [];
  await told(
    (call) => {
      paths.push(call.path);
      return { status: 202, body: '' };
    },
    (baseUrl) => new MicrosoftGraphBackend({ ...own, userId, baseUrl }),
  );
  expect(paths).toEqual([path]);
});

test('there is nothing to say beside a mail', async () => {
  const espExtra = { 'microsoft-graph': { flag: { flagStatus: 'flagged' } } };
  const { results, calls } = await asked(microsoftGraph, connect, { ...MAIL, espExtra });
  expect(results[0]?.error).toMatchObject({ issues: [{ path: 'espExtra.microsoft-graph.flag' }] });
  expect(calls).toEqual([]);
});

describe('a mail that is not to be kept in Sent Items', () => {
  const unkept = (baseUrl: string) => new MicrosoftGraphBackend({ ...own, saveToSentItems: false, baseUrl });
  const { listUnsubscribe: _, body: __, ...sayable } = FULL;

  test("goes in Graph's own words", async () => {
    const { bodies, calls, results } = await asked(microsoftGraph, unkept, sayable);
    const person = (address: string, name?: string) => ({ emailAddress: { address, ...(name && { name }) } });
    const file = { '@odata.type': '#microsoft.graph.fileAttachment' };
    expect(bodies).toEqual([
      {
        message: {
          subject: 'Größe',
          body: { contentType: 'html', content: '<img src="cid:logo">' },
          from: person('shop@xn--bcher-kva.example', 'Müller, Jörg'),
          toRecipients: [person('ann@example.org', 'Ann'), person('bob@example.org')],
          ccRecipients: [person('cid@example.org')],
          bccRecipients: [person('dan@example.org')],
          replyTo: [person('help@example.com', 'Help')],
          importance: 'high',
          internetMessageHeaders: [{ name: 'X-Order', value: '=?UTF-8?Q?Nr=2E_17_f=C3=BCr_Sie?=' }],
          attachments: [
            { ...file, name: 'a.txt', contentType: 'text/plain', isInline: false, contentBytes: 'R3LDvMOfZQ==' },
            {
              ...file,
              name: 'logo.png',
              contentType: 'image/png',
              isInline: true,
              contentId: 'logo',
              contentBytes: 'AQID',
            },
          ],
        },
        saveToSentItems: false,
      },
    ]);
    expect(calls[0]?.headers['content-type']).toBe('application/json');
    expect(results[0]).toMatchObject({ messageId: null, error: null });
  });

  test.each<[string, Partial<EmailMessageInit>]>([
    ['body', { htmlBody: '<p>x' }],
    ['alternatives', { alternatives: [{ content: 'x', mimetype: 'text/calendar' }] }],
    ['messageId', { messageId: 'm@example.com' }],
    ['date', { date: new Date(0) }],
    ['inReplyTo', { inReplyTo: 'm@example.com' }],
    ['references', { references: ['m@example.com'] }],
    ['listUnsubscribe', { listUnsubscribe: { url: 'https://example.com/u' } }],
    ['headers.Organization', { headers: { Organization: 'Acme' } }],
  ])('is refused for its %s', async (path, fields) => {
    const { results, calls } = await asked(microsoftGraph, unkept, { ...MAIL, ...fields });
    expect(results[0]?.error).toMatchObject({ code: 'unsupported-feature', issues: [{ path }] });
    expect(calls).toEqual([]);
  });

  test('is refused when it has no room in one request', async () => {
    const attachments = [{ filename: 'a.pdf', content: new Uint8Array(3_000_000) }];
    const { results, calls } = await asked(microsoftGraph, unkept, { ...MAIL, attachments });
    expect(results[0]?.error).toMatchObject({ code: 'too-large', outcome: 'not-sent' });
    expect(calls).toEqual([]);
  });
});

describe('a mail of more than one request', () => {
  let server: GraphDrafts;
  beforeEach(async () => {
    server = await GraphDrafts.start();
  });
  afterEach(() => server.close());

  const large = Buffer.alloc(3_100_000, 'pdf');
  const image = { filename: 'logo.png', content: new Uint8Array([1, 2, 3]), contentId: 'logo' };
  const message: EmailMessageInit = {
    ...FULL,
    attachments: [image, { filename: 'a.txt', content: 'a' }, { filename: 'b.pdf', content: large }],
  };
  async function send(given: EmailMessageInit = message, options: MicrosoftGraphOptions = {}, signal?: AbortSignal) {
    const backend = new MicrosoftGraphBackend({
      ...own,
      baseUrl: server.http.url,
      headers: { 'x-team': 'shop' },
      ...options,
    });
    try {
      const status = await backend.sendMessages([given], signal ? { signal } : {});
      return { status: [...status.recipients.values()].map((told) => told.status).join(), error: null };
    } catch (error) {
      if (!(error instanceof EmailError)) throw error;
      return { status: [...(error.status?.recipients.values() ?? [])].map((told) => told.status).join(), error };
    } finally {
      await backend.close();
    }
  }
  const part = 'PUT /upload';
  const STEPS = [
    'POST /messages',
    'POST /messages/ID/attachments',
    'POST /messages/ID/attachments/createUploadSession',
    part,
    'POST /messages/ID/send',
  ];

  test('is a draft with the images of its text, then its files, then sent', async () => {
    expect(await send()).toMatchObject({ status: 'queued,queued,queued,queued', error: null });
    expect(server.steps).toEqual(STEPS);
    expect(server.drafts.size).toBe(0);
    const [sent] = server.sent;
    expect(sent?.recipients.toSorted()).toEqual([
      'ann@example.org',
      'bob@example.org',
      'cid@example.org',
      'dan@example.org',
    ]);
    const mail = await simpleParser(sent?.source ?? '');
    expect(mail.attachments.map(({ filename }) => filename)).toEqual(['logo.png']);
    expect(sent?.files.map(({ name, contentType, isInline }) => [name, contentType, isInline])).toEqual([
      ['a.txt', 'text/plain', false],
      ['b.pdf', 'application/pdf', false],
    ]);
    expect(sent?.files[1]?.bytes.equals(large)).toBe(true);
  });

  test('has a file of more than one part in several, in order', async () => {
    const content = Buffer.alloc(8_500_000, 'a large file');
    expect(await send({ ...message, attachments: [{ filename: 'c.pdf', content }] })).toMatchObject({ error: null });
    expect(server.steps.filter((step) => step === part)).toHaveLength(3);
    expect(server.sent[0]?.files[0]?.bytes.equals(content)).toBe(true);
  });

  test('has its images apart, too, when they are what is large', async () => {
    const attachments = [{ ...image, content: large }];
    expect(await send({ ...message, attachments })).toMatchObject({ error: null });
    expect(server.sent[0]?.files).toMatchObject([{ name: 'logo.png', isInline: true, contentId: 'logo' }]);
    expect(server.sent[0]?.files[0]?.bytes.equals(large)).toBe(true);
  });

  const failures: [string, HttpReply, object][] = [
    ['POST /messages', { status: 403, body: { error: { code: 'ErrorAccessDenied' } } }, { code: 'auth' }],
    ['POST /messages', { cut: 'unanswered' }, { code: 'temporary', retryable: true }],
    ['POST /messages', { status: 201, body: {} }, { code: 'provider' }],
    ['POST /messages/ID/attachments', { status: 500, body: '' }, { code: 'temporary', retryable: true }],
    [
      'POST /messages/ID/attachments/createUploadSession',
      { status: 429, headers: { 'retry-after': '3' }, body: '' },
      { code: 'throttled', retryable: true, retryAfterMs: 3_000 },
    ],
    ['POST /messages/ID/attachments/createUploadSession', { status: 201, body: {} }, { code: 'provider' }],
    [
      'POST /messages/ID/attachments/createUploadSession',
      { status: 201, body: { uploadUrl: 'http://upload.example/?authtoken=secret' } },
      { code: 'provider' },
    ],
    [
      'POST /messages/ID/attachments/createUploadSession',
      { status: 201, body: { uploadUrl: 'http://127.0.0.1:80@upload.invalid/?authtoken=secret' } },
      { code: 'provider' },
    ],
    ['POST /messages/ID/attachments/createUploadSession', { body: { uploadUrl: 'https://' } }, { code: 'provider' }],
    [part, { cut: 'unanswered' }, { code: 'temporary', retryable: true }],
    [part, { status: 413, body: '' }, { code: 'too-large' }],
    [part, { body: { nextExpectedRanges: ['7'] } }, { code: 'provider' }],
    ['POST /messages/ID/send', { status: 400, body: { error: { code: 'ErrorSendAsDenied' } } }, { code: 'account' }],
  ];
  test.each(failures)('%s fails with %j: certainly not sent, and no draft stays', async (step, reply, expected) => {
    server.instead = (asked) => (asked === step ? reply : undefined);
    const { status, error } = await send();
    expect(status).toBe('failed,failed,failed,failed');
    expect(error).toMatchObject({ outcome: 'not-sent', ...expected });
    expect(server.sent).toEqual([]);
    expect(server.drafts.size).toBe(0);
  });

  test('is in doubt when the answer to its sending is lost, and stays where it is', async () => {
    server.instead = (asked) => (asked.endsWith('/send') ? { cut: 'unanswered' } : undefined);
    expect(await send()).toMatchObject({ status: 'unknown,unknown,unknown,unknown', error: { outcome: 'unknown' } });
    expect(server.steps.filter((step) => step.startsWith('DELETE'))).toEqual([]);
  });

  test('is not sent when whoever gave it withholds it, and no draft stays', async () => {
    let before: readonly string[] = [];
    const trial = new CommitTrial(() => {
      before = [...server.steps];
      return false;
    });
    const backend = connect(server.http.url);
    expect(errorsOf(await trial.deliver(backend, [message]))).toMatchObject([WITHHELD]);
    await backend.close();
    expect(before).toEqual(STEPS.slice(0, -1));
    expect(trial.asked).toEqual([[0]]);
    expect(server.sent).toEqual([]);
    expect(server.drafts.size).toBe(0);
  });

  test('is not sent when the call ends before, and no draft stays', async () => {
    const controller = new AbortController();
    server.instead = (asked) => {
      if (asked !== part) return undefined;
      controller.abort();
      return { cut: 'silent' };
    };
    const { error } = await send(message, {}, controller.signal);
    expect(error).toMatchObject({ code: 'aborted', outcome: 'not-sent' });
    expect(server.drafts.size).toBe(0);
  });

  test('is certainly not sent when the call ends before, however long its draft takes to go', async () => {
    let goOn = (): void => {};
    const after = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const controller = new AbortController();
    server.instead = (asked) => {
      if (asked === part) {
        controller.abort();
        return { cut: 'silent' };
      }
      return asked.startsWith('DELETE') ? { status: 204, body: '', after } : undefined;
    };
    const backend = connect(server.http.url);
    const { signal } = controller;
    const error: unknown = await backend.sendMessages([message], { signal }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'aborted', outcome: 'not-sent', retryable: true });
    goOn();
    await backend.close(); // which waits for that
    expect(server.steps.at(-1)).toBe('DELETE /messages/ID');
  });

  test('that fails in its upload tells nobody the key of that', async () => {
    server.instead = (asked) =>
      asked === part ? { status: 400, body: { error: { code: 'x', message: 'no secret-of-session-3' } } } : undefined;
    const { error } = await send();
    expect(error?.message).toContain('400 x: no ***');
    expect(JSON.stringify(error?.status)).not.toContain('secret-of-session');
  });
});

describe('answers', () => {
  const error = (status: number, code: string): HttpReply => ({ status, body: { error: { code, message: 'x' } } });
  test.each<[HttpReply, object]>([
    [
      { status: 202, body: '' },
      { status: 'queued', id: expect.stringContaining('@example.com') },
    ],
    [
      { status: 200, body: '' },
      { status: 'unknown', code: 'uncertain' },
    ],
    [error(400, 'ErrorInvalidRecipients'), { code: 'invalid-recipient', status: 'invalid' }],
    [error(400, 'ErrorMimeContentInvalidBase64String'), { code: 'rejected' }],
    [error(401, 'InvalidAuthenticationToken'), { code: 'auth', status: 'failed' }],
    [error(403, 'ErrorAccessDenied'), { code: 'auth', text: expect.stringContaining('Mail.Send') }],
    [error(403, 'ErrorSendAsDenied'), { code: 'account' }],
    [error(404, 'ErrorInvalidUser'), { code: 'account', text: expect.stringContaining('set userId') }],
    [error(413, 'RequestEntityTooLarge'), { code: 'too-large' }],
    [
      { status: 429, headers: { 'retry-after': '10' }, body: { error: { code: 'ApplicationThrottled' } } },
      { code: 'throttled', retryable: true },
    ],
    [error(503, 'ServiceUnavailable'), { code: 'uncertain', status: 'unknown' }],
    [error(500, 'ErrorInternalServerError'), { code: 'uncertain', status: 'unknown' }],
  ])('%j', async (reply, expected) => {
    expect(await told(reply, connect)).toMatchObject(expected);
  });
});

describe('verify asks who the token is of', () => {
  const no = (status: number, code: string): HttpReply => ({ status, body: { error: { code, message: 'x' } } });
  test.each<[HttpReply, object]>([
    [{ body: { userPrincipalName: 'shop@example.com' } }, { account: 'shop@example.com' }],
    [no(403, 'Authorization_RequestDenied'), { account: null }],
    [no(400, 'BadRequest'), { account: null }],
    [no(401, 'InvalidAuthenticationToken'), { code: 'auth' }],
    [{ status: 403, body: '<html>' }, { code: 'auth' }],
  ])('%j', async (reply, expected) => {
    expect(await verified(reply, connect)).toEqual({ asked: '/me?$select=userPrincipalName', ...expected });
  });
});

test.each<[MicrosoftGraphOptions, string, string]>([
  [{}, 'missing-option', 'accessToken or oauth2 is missing: give one of them, or set MICROSOFT_GRAPH_ACCESS_TOKEN'],
  [{ ...own, userId: 'a/../b' }, 'invalid-option', 'the id or name of a user'],
  [{ ...own, userId: '..' }, 'invalid-option', 'the id or name of a user'],
  [{ password: 'p' } as object, 'unknown-option', "or send over 'office365'"],
])('options %j are refused', (options, code, text) => {
  expect(() => new MicrosoftGraphBackend(options)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(text) }),
  );
});

describeBackend('microsoft-graph', vendorSubject(microsoftGraph, connect), { describe, it });

describeVendorFaults('microsoft-graph', {
  vendor: microsoftGraph,
  connect: (baseUrl, options) => new MicrosoftGraphBackend({ ...own, baseUrl, ...options }),
  storesLarge: true,
});
