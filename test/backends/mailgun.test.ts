import { describe, expect, it, test } from 'vitest';
import { MailgunBackend, type MailgunOptions } from '../../src/backends/mailgun.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import type { HttpCall, HttpReply } from '../servers/scripted-http.ts';
import { mailgun } from '../servers/vendors/mailgun.ts';
import { describeVendorFaults } from './vendor-faults.ts';
import { vendorSubject } from './vendor-subject.ts';
import { asked, FULL, FULL_HEADERS, MAIL, told, verified } from './vendor-trial.ts';

const apiKey = 'key-0123456789abcdef0123';
const connect = (baseUrl: string) => new MailgunBackend({ apiKey, baseUrl });

test('every field stands where Mailgun looks for it', async () => {
  const sendAt = new Date('9999-12-24T18:00:00Z');
  const own = (baseUrl: string) => new MailgunBackend({ apiKey, baseUrl, domain: 'mg.example.com', testMode: true });
  const more = { sendAt, trackOpens: true, trackClicks: true, idempotencyKey: 'k', tags: ['welcome', 'new'] };
  const espExtra = { mailgun: { 'o:tracking-clicks': 'htmlonly' } };
  const { bodies, calls, results } = await asked(mailgun, own, { ...FULL, ...more, espExtra });
  const { 'h:Message-Id': id, ...free } = bodies[0].free;
  expect(id).toMatch(/^<[0-9a-f]{32}@xn--bcher-kva\.example>$/);
  expect({ ...bodies[0], free }).toEqual({
    from: ['"Müller, Jörg" <shop@xn--bcher-kva.example>'],
    to: ['Ann <ann@example.org>', 'bob@example.org'],
    cc: ['cid@example.org'],
    bcc: ['dan@example.org'],
    subject: ['Größe'],
    text: ['Hello'],
    html: ['<img src="cid:logo">'],
    attachment: [{ filename: 'a.txt', type: 'text/plain; charset=utf-8', content: Buffer.from('Grüße') }],
    inline: [{ filename: 'logo', type: 'image/png', content: Buffer.from([1, 2, 3]) }],
    'o:tag': ['welcome', 'new'],
    'o:tracking-opens': ['yes'],
    'o:tracking-clicks': ['htmlonly'],
    'o:deliverytime': ['Fri, 24 Dec 9999 18:00:00 +0000'],
    'o:testmode': ['yes'],
    free: {
      ...Object.fromEntries(Object.entries(FULL_HEADERS).map(([name, value]) => [`h:${name}`, value])),
      'h:Reply-To': 'Help <help@example.com>',
      'v:order': '17',
    },
  });
  expect(calls[0]?.path).toBe('/v3/mg.example.com/messages');
  expect(results[0]).toMatchObject({ messageId: 'id-1@mg.example.com', ignored: ['idempotencyKey'] });
});

test('the domain is that of the sender when none is set', async () => {
  const { calls } = await asked(mailgun, connect, MAIL);
  expect(calls[0]?.path).toBe('/v3/example.com/messages');
  const { results } = await asked(mailgun, connect, { ...MAIL, fromEmail: 'a@[192.0.2.1]' });
  expect(results[0]?.error?.message).toContain('set the option domain');
});

test('mergeData fills the texts, and stored templates, each with every name', async () => {
  const to = ['b@example.org', 'Carl <c@example.org>'];
  const mergeData = { 'C@example.org': { name: 'Carl' } };
  const merge = { ...MAIL, to, mergeGlobalData: { shop: 'Acme' }, mergeData };
  const { bodies } = await asked(mailgun, connect, { ...merge, body: 'Hi %recipient.name%' });
  expect(JSON.parse(bodies[0]['recipient-variables'])).toEqual({
    'b@example.org': { shop: 'Acme', name: '' },
    'c@example.org': { shop: 'Acme', name: 'Carl' },
  });
  expect(bodies[0].free).toEqual({});
  const { bodies: stored } = await asked(mailgun, connect, { ...merge, body: '', templateId: 'welcome' });
  expect(stored[0]).toMatchObject({
    template: ['welcome'],
    free: { 'v:shop': '%recipient.shop%', 'v:name': '%recipient.name%' },
  });
});

test('mails of their own have an id of their own', async () => {
  const given = { ...MAIL, messageId: 'one@example.com', mergeData: {} };
  const { bodies } = await asked(mailgun, connect, { ...given, to: ['b@example.org', 'c@example.org'] });
  expect(bodies[0].free).toEqual({});
  const { bodies: only } = await asked(mailgun, connect, given);
  expect(only[0].free).toEqual({ 'h:Message-Id': '<one@example.com>' });
});

test('an object of the caller is no file', async () => {
  const espExtra = { mailgun: { 'v:file': { filename: 'a', type: 'x', bytes: [1, 2] } } };
  const { bodies } = await asked(mailgun, connect, { ...MAIL, espExtra });
  expect(bodies[0].free).toEqual({ 'v:file': '{"filename":"a","type":"x","bytes":[1,2]}' });
});

test('variables of everybody go to the template', async () => {
  const { bodies } = await asked(mailgun, connect, {
    ...MAIL,
    body: '',
    templateId: 't',
    mergeGlobalData: { items: [1, 2] },
  });
  expect(bodies[0].free).toEqual({ 't:variables': '{"items":[1,2]}' });
});

test.each([
  [{ mergeData: { 'b@example.org': { list: [1] } } }, 'texts and numbers only: list'],
  [
    { mergeData: { 'b@example.org': { order: 1 } }, body: '', templateId: 't', metadata: { order: '1' } },
    'order is in metadata',
  ],
  [{ mergeGlobalData: { a: 1 } }, 'give templateId'],
])('%j is refused', async (fields, text) => {
  const { results, calls } = await asked(mailgun, connect, { ...MAIL, ...fields });
  expect(results[0]?.error?.message).toContain(text);
  expect(calls).toEqual([]);
});

test('names that would end the form are escaped', async () => {
  const attachments = [{ filename: 'a"b; name="to".txt', content: 'x' }];
  const { bodies } = await asked(mailgun, connect, { ...MAIL, attachments, metadata: { 'a"\u00fc': '1' } });
  expect(bodies[0]).toMatchObject({ attachment: [{ filename: 'a"b; name="to".txt' }], to: ['b@example.org'] });
});

test('a refusal whose words are no text is one', async () => {
  const reply = { status: 400, body: { message: { to: ['wrong'] } } };
  expect(await told(reply, connect)).toMatchObject({
    status: 'rejected',
    text: 'mailgun refused the mail: 400 {"message":{"to":["wrong"]}}',
  });
});

test('the key is in no error, in the form either that it is sent in', async () => {
  const echo = ({ headers }: HttpCall): HttpReply => ({ status: 400, body: { message: headers['authorization'] } });
  expect(await told(echo, connect)).toMatchObject({ text: 'mailgun refused the mail: 400 Basic ***' });
});

describe('answers', () => {
  test.each<[HttpReply, object]>([
    [{ body: { id: '<i@x>', message: 'Queued. Thank you.' } }, { status: 'queued', id: 'i@x' }],
    [{ body: 'Mailgun Magnificent API' }, { status: 'unknown', code: 'uncertain' }],
    [
      { status: 400, body: { message: 'to parameter is missing' } },
      { code: 'rejected', status: 'rejected' },
    ],
    [
      { status: 401, body: 'Forbidden' },
      { code: 'auth', text: 'mailgun refuses the key: 401 Forbidden' },
    ],
    [
      { status: 404, body: { message: 'Domain not found: x' } },
      { code: 'account', text: expect.stringContaining('check domain and region') },
    ],
    [
      { status: 429, body: {} },
      { code: 'throttled', retryable: true },
    ],
    [
      { status: 500, body: {} },
      { code: 'uncertain', status: 'unknown' },
    ],
  ])('%j', async (reply, expected) => {
    expect(await told(reply, connect)).toMatchObject(expected);
  });
});

test('verify asks for the domain', async () => {
  const own = (baseUrl: string) => new MailgunBackend({ apiKey, baseUrl, domain: 'mg.example.com' });
  const body = { domain: { name: 'mg.example.com', state: 'active' } };
  expect(await verified({ body }, own)).toEqual({
    asked: '/v4/domains/mg.example.com',
    domain: 'mg.example.com',
    state: 'active',
  });
  expect(await verified({ status: 401 }, connect)).toEqual({ asked: '/v4/domains?limit=1', code: 'auth' });
});

test.each<[MailgunOptions, string]>([
  [{}, 'MAILGUN_API_KEY'],
  [{ apiKey: 'short' }, 'a key of Mailgun'],
  [{ apiKey, domain: 'mg.example.com/../x' }, "'mg.example.com'"],
  [{ apiKey, region: 'asia' } as unknown as MailgunOptions, "one of 'us', 'eu'"],
])('options %j are refused', (options, text) => {
  expect(() => new MailgunBackend(options)).toThrow(text);
});

describeBackend('mailgun', vendorSubject(mailgun, connect), { describe, it });

describeVendorFaults('mailgun', {
  vendor: mailgun,
  connect: (baseUrl, options) => new MailgunBackend({ apiKey, baseUrl, ...options }),
});
