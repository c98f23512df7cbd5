import { SESv2Client, SendBulkEmailRequest$, SendEmailRequest$ } from '@aws-sdk/client-sesv2';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { PARAMETERS } from '../../../src/backends/ses/requests.ts';
import type { SesOptions } from '../../../src/backends/ses.ts';
import type { EmailMessageInit } from '../../../src/model/message-init.ts';
import { StrictSes } from '../../servers/strict-ses.ts';
import { addresses, closeAll, connectTo, mail } from './connect.ts';

let ses: StrictSes;
beforeAll(async () => {
  ses = await StrictSes.start();
});
afterAll(() => ses.close());
afterEach(async () => {
  await closeAll();
  ses.reset();
});

const PICTURE = { filename: 'ü.png', content: Uint8Array.from({ length: 300 }, (_, at) => at % 256) };
const DATE = new Date('2026-01-02T03:04:05Z');

const cases: readonly (readonly [string, Partial<EmailMessageInit>, SesOptions?])[] = [
  ['a plain mail', {}],
  ['names beyond ASCII', { fromEmail: '"Müller, Jörg" <a@bücher.example>', to: ['Ann 安 <ann@example.org>'] }],
  ['all kinds of recipients', { to: addresses(3), cc: ['cc@example.org'], bcc: ['bcc@example.org'] }],
  ['an attachment', { attachments: [PICTURE] }],
  ['an inline image', { htmlBody: '<img src="cid:logo">', attachments: [{ ...PICTURE, contentId: 'logo' }] }],
  ['tags, metadata and tracking', { tags: ['a b'], metadata: { k: 'ü' }, trackOpens: true, trackClicks: true }],
  ['an envelope sender', { envelopeSender: 'bounces@example.com', replyTo: ['r@example.com'] }],
  ['a stored template', { body: '', templateId: 'welcome', mergeGlobalData: { name: 'Ann "安"' } }],
  ['a template with files', { mergeGlobalData: {}, attachments: [PICTURE], headers: { 'X-A': 'b' } }],
  [
    'a mail for each',
    { to: addresses(3), mergeGlobalData: {}, mergeData: { 'user1@example.org': { n: 1 } }, replyTo: ['r@example.com'] },
  ],
  ['a mail for each, with files', { to: addresses(2), mergeGlobalData: {}, mergeData: {}, attachments: [PICTURE] }],
  [
    'every option',
    {},
    {
      configurationSet: 'news',
      identityArn: 'arn:aws:ses:eu-west-1:1:identity/example.com',
      feedbackIdentityArn: 'arn:aws:ses:eu-west-1:1:identity/example.com',
      listManagement: { contactList: 'all', topic: 'news' },
      tenant: 'shop',
      extra: { FeedbackForwardingEmailAddress: 'other@example.com' },
    },
  ],
];

test.each(cases.map(([what, fields, options = {}]) => ({ what, fields, options })))(
  "its requests are the SDK's: $what",
  async ({ fields, options }) => {
    const client = new SESv2Client({
      endpoint: ses.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'OWN', secretAccessKey: 'x' },
    });
    const messageId = '<1@example.com>';
    const message = mail({ messageId, date: DATE, ...fields });
    await connectTo(ses, options).sendMessages([message]);
    await connectTo(ses, { ...options, client }).sendMessages([message]);
    client.destroy();
    const [ours, theirs] = ses.requests
      .filter(({ operation }) => operation !== 'GetAccount')
      .map(({ body }) => unbound(body));
    expect(ours).toEqual(theirs);
  },
);

/** Boundaries of parts are random. */
function unbound(body: object): unknown {
  const text = JSON.stringify(body, (name, value: unknown) =>
    name === 'Data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString('latin1') : value,
  );
  const boundaries = [...text.matchAll(/boundary=\\"([^"\\]+)/g)].map(([, boundary = '']) => boundary);
  return JSON.parse(boundaries.reduce((all, boundary, index) => all.replaceAll(boundary, `boundary${index}`), text));
}

test.each([
  ['SendEmail', SendEmailRequest$],
  ['SendBulkEmail', SendBulkEmailRequest$],
] as const)('it knows every parameter of %s', (operation, schema) => {
  const [, , , , members] = schema; // [kind, namespace, name, traits, members, ...]
  expect([...PARAMETERS[operation]].sort()).toEqual([...members].sort());
});
