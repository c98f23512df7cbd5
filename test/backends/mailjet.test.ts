import { describe, expect, it, test } from 'vitest';
import { MailjetBackend, type MailjetOptions } from '../../src/backends/mailjet.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import { type HttpReply, ScriptedHttp } from '../servers/scripted-http.ts';
import { mailjet } from '../servers/vendors/mailjet.ts';
import { describeVendorFaults } from './vendor-faults.ts';
import { vendorSubject } from './vendor-subject.ts';
import { asked, FULL, FULL_HEADERS, MAIL, told, verified } from './vendor-trial.ts';

const keys = { apiKey: '0123456789abcdef'.repeat(2), secretKey: 'f'.repeat(32) };
const connect = (baseUrl: string) => new MailjetBackend({ ...keys, baseUrl });

test('every field stands where Mailjet looks for it', async () => {
  const espExtra = { mailjet: { CustomID: 'c-1' } };
  const message = { ...FULL, trackOpens: true, trackClicks: true, espExtra };
  const { bodies, calls, results } = await asked(mailjet, connect, message);
  expect(calls[0]?.path).toBe('/v3.1/send');
  expect(bodies).toEqual([
    {
      Messages: [
        {
          From: { Email: 'shop@xn--bcher-kva.example', Name: 'Müller, Jörg' },
          To: [{ Email: 'ann@example.org', Name: 'Ann' }, { Email: 'bob@example.org' }],
          Cc: [{ Email: 'cid@example.org' }],
          Bcc: [{ Email: 'dan@example.org' }],
          ReplyTo: { Email: 'help@example.com', Name: 'Help' },
          Subject: 'Größe',
          TextPart: 'Hello',
          HTMLPart: '<img src="cid:logo">',
          Headers: FULL_HEADERS,
          Attachments: [{ ContentType: 'text/plain', Filename: 'a.txt', Base64Content: 'R3LDvMOfZQ==' }],
          InlinedAttachments: [
            { ContentType: 'image/png', Filename: 'logo.png', Base64Content: 'AQID', ContentID: 'logo' },
          ],
          CustomCampaign: 'welcome',
          EventPayload: '{"order":"17"}',
          TrackOpens: 'enabled',
          TrackClicks: 'enabled',
          CustomID: 'c-1',
        },
      ],
    },
  ]);
  expect(results[0]).toMatchObject({ messageId: '2054768174743300010', ignored: [] });
});

test('each recipient has its own id, of which no digit is lost', async () => {
  const { results } = await asked(mailjet, connect, { ...MAIL, cc: 'c@example.org' });
  const ids = [...(results[0]?.recipients.values() ?? [])].map(({ messageId }) => messageId);
  expect(ids).toEqual(['2054768174743300010', '2054768174743300011']);
  expect(JSON.stringify(results[0]?.espResponse)).toContain('"2054768174743300011"');
});

test('the sandbox is asked for beside the messages, and has no ids', async () => {
  const sandboxed = (baseUrl: string) => new MailjetBackend({ ...keys, baseUrl, sandbox: true });
  const { bodies } = await asked(mailjet, sandboxed, MAIL, MAIL);
  expect(bodies).toMatchObject([{ SandboxMode: true, Messages: [{ TextPart: 'b' }, { TextPart: 'b' }] }]);
  const body = { Messages: [{ Status: 'success', To: [{ Email: 'b@example.org', MessageUUID: '', MessageID: 0 }] }] };
  expect(await told({ body }, sandboxed)).toMatchObject({ status: 'queued', id: null });
});

test('mergeData is a message for each in one request, of a template or of texts', async () => {
  const merge = {
    ...MAIL,
    to: ['b@example.org', 'c@example.org'],
    cc: 'd@example.org',
    mergeGlobalData: { shop: 'Acme' },
    mergeData: { 'c@example.org': { name: 'Carl' } },
  };
  const { bodies } = await asked(mailjet, connect, { ...merge, subject: '', body: '', templateId: '4958293' });
  const common = { From: { Email: 'a@example.com' }, Cc: [{ Email: 'd@example.org' }], TemplateLanguage: true };
  const each = [
    { To: [{ Email: 'b@example.org' }], Variables: { shop: 'Acme' } },
    { To: [{ Email: 'c@example.org' }], Variables: { shop: 'Acme', name: 'Carl' } },
  ];
  expect(bodies).toEqual([{ Messages: each.map((own) => ({ ...common, ...own, TemplateID: 4958293 })) }]);
  const { bodies: texts } = await asked(mailjet, connect, merge);
  expect(texts).toEqual([{ Messages: each.map((own) => ({ ...common, ...own, Subject: 's', TextPart: 'b' })) }]);
});

test('without variables braces are braces', async () => {
  const { bodies } = await asked(mailjet, connect, { ...MAIL, body: '{{var:name}}', mergeData: {} });
  expect(bodies[0].Messages[0]).not.toHaveProperty('TemplateLanguage');
});

test('what one mail cannot have is told, and nothing of it sent', async () => {
  const { bodies, results } = await asked(mailjet, connect, {
    ...MAIL,
    tags: ['a', 'b'],
    trackOpens: true,
    trackClicks: true,
  });
  expect(Object.keys(bodies[0].Messages[0])).toEqual(['From', 'To', 'Subject', 'TextPart']);
  expect(results[0]).toMatchObject({ ignored: ['tags', 'trackOpens', 'trackClicks'] });
});

test('what Mailjet cannot say is refused: a template by its name, two addresses for answers, a schedule', async () => {
  const { results, calls } = await asked(
    mailjet,
    connect,
    { ...MAIL, subject: '', body: '', templateId: 'welcome' },
    { ...MAIL, replyTo: ['x@example.com', 'y@example.com'] },
    { ...MAIL, sendAt: new Date('9999-12-24T18:00:00Z') },
  );
  expect(results.map(({ error }) => error?.code)).toEqual([
    'invalid-message',
    'unsupported-feature',
    'unsupported-feature',
  ]);
  expect(results[0]?.error?.message).toContain("such as '4958293'");
  expect(calls).toEqual([]);
});

test('what the provider alone understands sets no sender', async () => {
  const espExtra = { mailjet: { Sender: { Email: 'x@example.com' } } };
  const { results, calls } = await asked(mailjet, connect, { ...MAIL, espExtra });
  expect(results[0]?.error).toMatchObject({ issues: [{ path: 'espExtra.mailjet.Sender' }] });
  expect(calls).toEqual([]);
});

const failed = (ErrorCode: string, StatusCode: number, ...ErrorRelatedTo: readonly string[]) => ({
  Status: 'error',
  Errors: [{ ErrorIdentifier: 'e', ErrorCode, StatusCode, ErrorMessage: 'x', ErrorRelatedTo }],
});
const each = (status: number, ...Messages: readonly object[]): HttpReply => ({ status, body: { Messages } });
const all = (status: number, ErrorCode: string): HttpReply => ({
  status,
  body: { ErrorIdentifier: 'e', ErrorCode, StatusCode: status, ErrorMessage: 'x' },
});
const two = { ...MAIL, to: ['Ann@example.org', 'b@example.org'] };

describe('answers', () => {
  test.each<[HttpReply, object]>([
    [
      each(200, { Status: 'success', To: [{ Email: 'ann@example.org', MessageID: 1 }] }),
      { status: 'queued,queued', id: '1' },
    ],
    [each(200), { code: 'uncertain', status: 'unknown,unknown' }],
    [each(200, {}), { code: 'uncertain' }],
    [{ body: 'OK' }, { code: 'uncertain' }],
    [each(200, failed('mj-0003', 400, 'To')), { code: 'rejected', status: 'rejected,rejected' }],
    [each(400, failed('mj-0013', 400, 'To[1].Email')), { code: 'invalid-recipient', status: 'failed,invalid' }],
    [each(400, failed('mj-0013', 400, 'From.Email')), { code: 'rejected' }],
    [each(400, failed('send-0010', 400, 'TemplateID')), { code: 'template' }],
    [
      each(403, failed('send-0008', 403, 'From')),
      { code: 'account', text: expect.stringContaining('/account/sender') },
    ],
    [each(400, failed('send-0099', 500)), { code: 'uncertain', status: 'unknown,unknown' }],
    [all(400, 'mj-0002'), { code: 'rejected' }],
    [all(400, 'mj-0011'), { code: 'too-large' }],
    [all(401, 'mj-0001'), { code: 'account', text: expect.stringContaining('suspended') }],
    [all(401, 'mj-0015'), { code: 'auth', text: expect.stringContaining('both keys') }],
    [all(429, ''), { code: 'throttled', retryable: true }],
    [each(500, failed('send-0008', 403)), { code: 'uncertain' }],
    [all(500, 'mj-0099'), { code: 'uncertain', status: 'unknown,unknown' }],
    [{ status: 400, body: null }, { code: 'rejected' }],
    [{ status: 400, body: 'nonsense' }, { code: 'rejected' }],
    [{ status: 400, body: { Messages: 'x' } }, { code: 'rejected' }],
  ])('%j', async (reply, expected) => {
    expect(await told(reply, connect, two)).toMatchObject(expected);
  });
});

test('of a list in which one is refused, the others were taken', async () => {
  const good = { Status: 'success', To: [{ Email: 'b@example.org', MessageID: 7 }] };
  const { results, calls } = await (async () => {
    const vendor = {
      ...mailjet,
      endpoints: {
        '/v3.1/send': {
          ...(mailjet.endpoints['/v3.1/send'] as (typeof mailjet.endpoints)[string]),
          answer: () => each(403, good, failed('send-0008', 403, 'From')),
        },
      },
    };
    return asked(vendor, connect, MAIL, { ...MAIL, to: 'c@example.org' });
  })();
  expect(calls).toHaveLength(1);
  expect(results.map(({ messageId, error }) => [messageId, error?.code])).toEqual([
    ['7', undefined],
    [null, 'account'],
  ]);
  expect(results.map(({ espResponse }) => espResponse)).toEqual([good, failed('send-0008', 403, 'From')]);
});

test.each<[MailjetOptions, string]>([
  [{}, 'https://api.mailjet.com/v3.1/send'],
  [{ region: 'us' }, 'https://api.us.mailjet.com/v3.1/send'],
])('%j sends to %s', async (options, expected) => {
  const asks: string[] = [];
  const fetch = async (url: string | URL | Request) => {
    asks.push(String(url));
    return Response.json({}, { status: 400 });
  };
  await new MailjetBackend({ ...options, ...keys, fetch }).sendMessages([MAIL], { failSilently: true });
  expect(asks).toEqual([expected]);
});

test('the status of an answer is that of one mail, and says nothing of another', async () => {
  const fault = (ErrorCode: string, StatusCode: number) => ({ Status: 'error', Errors: [{ ErrorCode, StatusCode }] });
  const Messages = [fault('send-0008', 403), fault('mj-0003', 400), fault('mj-0099', 429), fault('mj-0098', 403)];
  const server = await ScriptedHttp.start();
  server.script = () => ({ status: 403, body: { Messages } });
  const backend = connect(server.url);
  try {
    const { results } = await backend.sendMessages([MAIL, MAIL, MAIL, MAIL], { failSilently: true });
    expect(results.map(({ error }) => error?.code)).toEqual(['account', 'rejected', 'throttled', 'account']);
  } finally {
    await backend.close();
    await server.close();
  }
});

describe('a refusal of one mail of several', () => {
  const Messages = [
    { Status: 'success', To: [{ Email: 'a@example.org', MessageID: 1 }] },
    { Status: 'error', Errors: [{ ErrorCode: 'mj-0004', StatusCode: 400, ErrorMessage: 'Type mismatch' }] },
  ];
  const messages = ['a@example.org', 'b@example.org'].map((to) => ({ ...MAIL, to }));
  async function send(reply: HttpReply) {
    const server = await ScriptedHttp.start();
    server.script = () => reply;
    const backend = connect(server.url);
    try {
      const { results } = await backend.sendMessages(messages, { failSilently: true });
      const told = results.flatMap(({ recipients }) => [...recipients.values()].map(({ status }) => status));
      return { told, codes: results.map(({ error }) => error?.code ?? null), calls: server.calls.length };
    } finally {
      await backend.close();
      await server.close();
    }
  }
  const doubt = { told: ['unknown', 'unknown'], codes: ['uncertain', 'uncertain'], calls: 1 };

  test.each<[string, HttpReply, object]>([
    ['tells of each', { status: 400, body: { Messages } }, { told: ['queued', 'rejected'], calls: 1 }],
    // Some were taken, and would arrive twice if they went again.
    ['breaks off: nobody knows', { status: 400, body: { Messages }, cut: 'body' }, doubt],
    ['has a part missing: nobody knows', { status: 400, body: JSON.stringify({ Messages }).slice(0, 60) }, doubt],
    ['is a page of a gateway: each goes alone', { status: 413, body: '<html>' }, { calls: 3 }],
  ])('%s', async (_, reply, expected) => {
    expect(await send(reply)).toMatchObject(expected);
  });
});

test('a mail without a recipient in to is not asked for', async () => {
  const { results, calls } = await asked(mailjet, connect, { ...MAIL, to: [], bcc: 'c@example.org' });
  expect(results[0]?.error?.message).toContain('mailjet needs a recipient in to');
  expect(calls).toEqual([]);
});

test('verify counts the senders', async () => {
  const body = { Count: 2, Data: [{ Email: 'a@example.com', Status: 'Active' }, { Status: 'Inactive' }], Total: 2 };
  const path = '/v3/REST/sender?Limit=1000';
  expect(await verified({ body }, connect)).toEqual({ asked: path, activeSenders: 1 });
  expect(await verified({ status: 401, body: { ErrorMessage: 'x' } }, connect)).toEqual({ asked: path, code: 'auth' });
});

test.each<[MailjetOptions, string]>([
  [{}, 'MAILJET_API_KEY'],
  [{ apiKey: keys.apiKey }, 'MAILJET_SECRET_KEY'],
  [{ ...keys, apiKey: 're_123' }, '32 hexadecimal digits'],
  [{ ...keys, region: 'asia' } as unknown as MailjetOptions, "one of 'eu', 'us'"],
])('options %j are refused', (options, text) => {
  expect(() => new MailjetBackend(options)).toThrow(text);
});

describeBackend('mailjet', vendorSubject(mailjet, connect), { describe, it });

describeVendorFaults('mailjet', {
  vendor: mailjet,
  connect: (baseUrl, options) => new MailjetBackend({ ...keys, baseUrl, ...options }),
  hasBatches: true,
});
