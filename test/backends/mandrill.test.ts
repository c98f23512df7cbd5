import { describe, expect, it, test } from 'vitest';
import { MandrillBackend, type MandrillOptions } from '../../src/backends/mandrill.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { describeBackend } from '../../src/testing/contract/backend-contract.ts';
import type { HttpReply } from '../servers/scripted-http.ts';
import { mandrill } from '../servers/vendors/mandrill.ts';
import { describeVendorFaults } from './vendor-faults.ts';
import { vendorSubject } from './vendor-subject.ts';
import { asked, FULL, FULL_HEADERS, MAIL, told, verified } from './vendor-trial.ts';

const apiKey = 'md-0123456789abcdefghij';
const connect = (baseUrl: string) => new MandrillBackend({ apiKey, baseUrl });

test('every field stands where Mandrill looks for it', async () => {
  const sendAt = new Date('2100-01-02T03:04:05.678Z');
  const message = { ...FULL, trackOpens: true, trackClicks: true, sendAt };
  const { bodies, calls, results } = await asked(mandrill, connect, message);
  expect(bodies).toEqual([
    {
      key: apiKey,
      message: {
        from_email: 'shop@xn--bcher-kva.example',
        from_name: 'Müller, Jörg',
        to: [
          { email: 'ann@example.org', name: 'Ann', type: 'to' },
          { email: 'bob@example.org', type: 'to' },
          { email: 'cid@example.org', type: 'cc' },
          { email: 'dan@example.org', type: 'bcc' },
        ],
        preserve_recipients: true,
        subject: 'Größe',
        text: 'Hello',
        html: '<img src="cid:logo">',
        headers: { ...FULL_HEADERS, 'Reply-To': 'Help <help@example.com>' },
        attachments: [{ type: 'text/plain', name: 'a.txt', content: 'R3LDvMOfZQ==' }],
        images: [{ type: 'image/png', name: 'logo', content: 'AQID' }],
        tags: ['welcome'],
        metadata: { order: '17' },
        track_opens: true,
        track_clicks: true,
      },
      send_at: '2100-01-02 03:04:05',
    },
  ]);
  expect(calls[0]?.path).toBe('/messages/send');
  expect(results[0]).toMatchObject({ messageId: 'id-1-0', ignored: [] });
  expect(results[0]?.recipients.get('bob@example.org')).toMatchObject({ status: 'sent', messageId: 'id-1-1' });
});

describe('mergeData', () => {
  const merge: EmailMessageInit = {
    ...MAIL,
    subject: 'Hello *|name|*',
    to: ['b@example.org', 'Carl <c@example.org>'],
    mergeGlobalData: { shop: 'Acme', name: 'you' },
    mergeData: { 'C@example.org': { name: 'Carl' } },
  };

  test('is one request with the variables of each, who see no other', async () => {
    const { bodies } = await asked(mandrill, connect, merge);
    expect(bodies).toHaveLength(1);
    expect(bodies[0].message).toMatchObject({
      preserve_recipients: false,
      merge_vars: [
        {
          rcpt: 'b@example.org',
          vars: [
            { name: 'shop', content: 'Acme' },
            { name: 'name', content: 'you' },
          ],
        },
        {
          rcpt: 'c@example.org',
          vars: [
            { name: 'shop', content: 'Acme' },
            { name: 'name', content: 'Carl' },
          ],
        },
      ],
    });
  });

  test('with a copy to others is one request for each, so that every mail is copied', async () => {
    const { bodies, results } = await asked(mandrill, connect, { ...merge, cc: 'd@example.org' });
    expect(bodies.map(({ message }) => [message.to, message.global_merge_vars])).toEqual([
      [
        [
          { email: 'b@example.org', type: 'to' },
          { email: 'd@example.org', type: 'cc' },
        ],
        [
          { name: 'shop', content: 'Acme' },
          { name: 'name', content: 'you' },
        ],
      ],
      [
        [
          { email: 'c@example.org', name: 'Carl', type: 'to' },
          { email: 'd@example.org', type: 'cc' },
        ],
        [
          { name: 'shop', content: 'Acme' },
          { name: 'name', content: 'Carl' },
        ],
      ],
    ]);
    expect(results[0]?.error).toBeNull();
  });
});

test('variables of everybody are put into the texts of the mail, too', async () => {
  const message = { ...MAIL, body: 'Hello from *|shop|*', mergeGlobalData: { shop: 'Acme' } };
  const { bodies } = await asked(mandrill, connect, message);
  expect(bodies[0].message).toMatchObject({
    text: 'Hello from *|shop|*',
    global_merge_vars: [{ name: 'shop', content: 'Acme' }],
  });
});

test('a stored template makes subject and bodies, with the variables of all', async () => {
  const message = { ...MAIL, subject: '', body: '', templateId: 'welcome', mergeGlobalData: { shop: 'Acme' } };
  const { bodies, calls } = await asked(mandrill, connect, message);
  expect(calls[0]?.path).toBe('/messages/send-template');
  expect(bodies[0]).toEqual({
    key: apiKey,
    template_name: 'welcome',
    template_content: [],
    message: {
      from_email: 'a@example.com',
      to: [{ email: 'b@example.org', type: 'to' }],
      preserve_recipients: true,
      global_merge_vars: [{ name: 'shop', content: 'Acme' }],
    },
  });
});

test('espExtra says the rest, and sets no recipient', async () => {
  const extra = (mandrillExtra: object): EmailMessageInit => ({
    ...MAIL,
    espExtra: { mandrill: { ...mandrillExtra } },
  });
  const { bodies } = await asked(mandrill, connect, extra({ message: { subaccount: 'shop' }, ip_pool: 'main' }));
  expect(bodies[0]).toMatchObject({ ip_pool: 'main', message: { subaccount: 'shop', subject: 's' } });
  for (const refused of [{ key: 'x' }, { message: { bcc_address: 'x@example.org' } }, { message: { to: [] } }]) {
    const { results, calls } = await asked(mandrill, connect, extra(refused));
    expect(results[0]?.error, JSON.stringify(refused)).toMatchObject({ code: 'invalid-message' });
    expect(calls).toEqual([]);
  }
});

test('what stands in the text is an image', async () => {
  const attachments = [{ filename: 'a.pdf', content: 'x', contentId: 'a' }];
  const { results, calls } = await asked(mandrill, connect, { ...MAIL, attachments });
  expect(results[0]?.error).toMatchObject({ issues: [{ path: 'attachments[0].contentId', code: 'unsupported' }] });
  expect(calls).toEqual([]);
});

const two = { ...MAIL, cc: 'c@example.org' };
const answer = (...told: readonly object[]): HttpReply => ({ body: told });
const b = { email: 'b@example.org', _id: 'id-b' };
const c = { email: 'C@example.org', _id: 'id-c' };
const error = (name: string, status = 500): HttpReply => ({
  status,
  body: { status: 'error', code: -1, name, message: 'x' },
});

describe('answers', () => {
  test.each<[HttpReply, object]>([
    [answer({ ...b, status: 'sent' }, { ...c, status: 'queued' }), { status: 'sent,queued', id: 'id-b' }],
    [answer({ ...b, status: 'scheduled' }, { ...c, status: 'invalid' }), { status: 'queued,invalid' }],
    [answer({ ...b, status: 'sent' }), { status: 'sent,unknown' }],
    [answer({ ...b, status: 'dreamt' }, { ...c, status: 'sent' }), { status: 'unknown,sent' }],
    [
      answer({ email: b.email, status: 'rejected', reject_reason: 'unsigned' }, { ...c, status: 'rejected' }),
      { status: 'rejected,rejected', code: 'rejected' },
    ],
    [{ body: {} }, { status: 'unknown,unknown', code: 'uncertain' }],
    [error('Invalid_Key'), { code: 'auth', status: 'failed,failed' }],
    [error('Invalid_Key', 401), { code: 'auth' }],
    [error('ValidationError'), { code: 'rejected', status: 'rejected,rejected' }],
    [error('Unknown_Template'), { code: 'template', status: 'failed,failed' }],
    [error('PaymentRequired', 402), { code: 'account' }],
    [error('PoorReputation'), { code: 'account' }],
    [error('Unknown_Subaccount'), { code: 'account', text: expect.stringContaining('add the subaccount') }],
    [error('ServiceUnavailable'), { code: 'temporary', retryable: true }],
    [error('GeneralError'), { code: 'uncertain', status: 'unknown,unknown' }],
    [
      { status: 429, body: '' },
      { code: 'throttled', retryable: true },
    ],
    [
      { status: 502, body: '<html>' },
      { code: 'uncertain', status: 'unknown,unknown' },
    ],
  ])('%j', async (reply, expected) => {
    expect(await told(reply, connect, two)).toMatchObject(expected);
  });

  test('why a recipient is rejected is told of them', async () => {
    const { results } = await asked(
      {
        ...mandrill,
        endpoints: {
          '/messages/send': {
            shape: 'json',
            mails: () => [],
            answer: () =>
              answer({ ...b, status: 'sent' }, { email: c.email, status: 'rejected', reject_reason: 'unsub' }),
          },
        },
      },
      connect,
      two,
    );
    expect(results[0]?.recipients.get('c@example.org')).toMatchObject({
      status: 'rejected',
      messageId: null,
      response: 'unsub',
      error: { message: 'mandrill refused the recipient c@example.org: unsub' },
    });
    expect(results[0]?.recipients.get('b@example.org')).toMatchObject({ status: 'sent', response: null });
  });
});

describe('verify asks for the account, with the key in the body', () => {
  const user = { username: 'shop', reputation: 81, hourly_quota: 250, public_id: 'x', backlog: 0 };
  test.each<[HttpReply, object]>([
    [{ body: user }, { account: 'shop', reputation: 81, hourlyQuota: 250 }],
    [error('Invalid_Key'), { code: 'auth' }],
    [{ body: {} }, { code: 'protocol' }],
  ])('%j', async (reply, expected) => {
    expect(await verified(reply, connect)).toEqual({ asked: '/users/info', ...expected });
  });
});

test.each<[MandrillOptions, string]>([
  [{}, 'MANDRILL_API_KEY'],
  [{ apiKey: 'short' }, 'a key of Mandrill'],
])('options %j are refused', (options, text) => {
  expect(() => new MandrillBackend(options)).toThrow(text);
});

describeBackend('mandrill', vendorSubject(mandrill, connect), { describe, it });

describeVendorFaults('mandrill', {
  vendor: mandrill,
  connect: (baseUrl, options) => new MandrillBackend({ apiKey, baseUrl, ...options }),
});
