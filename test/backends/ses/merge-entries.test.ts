import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { StrictSes } from '../../servers/strict-ses.ts';
import { record } from '../../servers/strict-ses-rules.ts';
import { addresses, closeAll, connectTo, issuesOf, mail } from './connect.ts';

let ses: StrictSes;
beforeAll(async () => {
  ses = await StrictSes.start();
});
afterAll(() => ses.close());
afterEach(async () => {
  await closeAll();
  ses.reset();
});

describe('mergeData', () => {
  test('makes one entry for each To, 50 in a request, results in order', async () => {
    const to = addresses(120);
    const mergeData = Object.fromEntries(to.map((address, index) => [address, { index }]));
    const status = await connectTo(ses, { configurationSet: 'set' }).sendMessages([
      mail({
        to,
        body: '',
        templateId: 'welcome',
        mergeData,
        mergeGlobalData: { greeting: 'Hi' },
        tags: ['news'],
        headers: { 'X-A': 'b' },
        attachments: [{ filename: 'a.txt', content: 'A' }],
      }),
    ]);
    const requests = ses.requests.filter(({ operation }) => operation === 'SendBulkEmail');
    expect(requests.map(({ mails }) => mails.length).sort()).toEqual([20, 50, 50]);
    expect(ses.requests.filter(({ operation }) => operation === 'GetAccount')).toHaveLength(1);
    for (const { body } of requests) {
      expect(body).toMatchObject({
        ConfigurationSetName: 'set',
        DefaultEmailTags: [{ Name: 'news', Value: 'true' }],
        DefaultContent: {
          Template: {
            TemplateName: 'welcome',
            TemplateData: '{"greeting":"Hi"}',
            Headers: [{ Name: 'X-A', Value: 'b' }],
            Attachments: [{ FileName: 'a.txt' }],
          },
        },
      });
    }
    for (const { recipients, entry, messageId } of ses.accepted) {
      const [recipient = ''] = recipients;
      expect(status.recipients.get(recipient)?.messageId).toBe(messageId);
      expect(JSON.stringify(entry)).toContain(`{\\"index\\":${to.indexOf(recipient)}}`);
    }
    expect([...status.recipients.keys()]).toEqual(to);
    expect(status.espResponse).toHaveLength(3);
  });

  test('without a templateId the subject and the bodies are the template', async () => {
    await connectTo(ses).sendMessages([
      mail({
        subject: 'Dear {{name}}',
        htmlBody: '<b>{{name}}</b>',
        body: '',
        autoText: true,
        mergeData: { 'jane@example.org': { name: 'Jane' } },
      }),
    ]);
    const { DefaultContent } = ses.accepted[0]?.request ?? {};
    expect(DefaultContent).toMatchObject({
      Template: { TemplateContent: { Subject: 'Dear {{name}}', Html: '<b>{{name}}</b>', Text: '{{name}}' } },
    });
  });

  test('the images of the HTML go along as inline attachments', async () => {
    await connectTo(ses).sendMessages([
      mail({
        htmlBody: '<b>{{name}}</b><img src="data:image/png;base64,cG5n"><img src="{{photo}}">',
        inlineImages: true,
        mergeData: { 'jane@example.org': { name: 'Jane', photo: 'https://example.com/jane.png' } },
      }),
    ]);
    const template = record(record(ses.accepted[0]?.request['DefaultContent'])['Template']);
    const [image] = template['Attachments'] as { readonly ContentId: string }[];
    expect(image).toMatchObject({ FileName: 'image-1.png', ContentDisposition: 'INLINE', ContentType: 'image/png' });
    expect(template).toMatchObject({
      TemplateContent: { Html: `<b>{{name}}</b><img src="cid:${image?.ContentId}"><img src="{{photo}}">` },
    });
  });

  test('with one To, Cc and Bcc get that mail too, over 50 of them in further entries', async () => {
    const cc = addresses(60);
    const status = await connectTo(ses).sendMessages([
      mail({ to: 'Jané <jane@example.org>', cc, bcc: 'dora@example.org', mergeData: { 'JANE@Example.org': { x: 1 } } }),
    ]);
    expect(ses.accepted.map(({ recipients }) => recipients.length)).toEqual([50, 12]);
    expect(ses.accepted[0]?.entry?.['Destination']).toMatchObject({
      ToAddresses: ['=?UTF-8?B?SmFuw6k=?= <jane@example.org>'],
    });
    expect(JSON.stringify(ses.accepted[1]?.entry)).toContain('{\\"x\\":1}');
    expect(status.isSuccess).toBe(true);
    expect(status.recipients.size).toBe(62);
  });

  test('keys are addresses; members of groups are recipients', async () => {
    const status = await connectTo(ses).sendMessages([
      mail({
        to: ['Team: ann@example.org, Bob <bob@münchen.example>;', 'carl@example.org'],
        mergeData: {
          'Ann Lee <ANN@example.org>': { n: 1 },
          'bob@xn--mnchen-3ya.example': { n: 2 },
          'carl@example.org': { n: 3 },
        },
      }),
    ]);
    expect(ses.accepted.map(({ entry }) => JSON.stringify(entry).match(/n\\":(\d)/)?.[1])).toEqual(['1', '2', '3']);
    expect(status.isSuccess).toBe(true);
  });

  test('what does not fit together is refused, by name', async () => {
    const two = ['jane@example.org', 'bob@example.org'];
    expect(await issuesOf(ses, { to: two, mergeData: { 'jane@example.org': {} } })).toEqual([
      expect.stringMatching(/^mergeData\.bob@example\.org required/),
    ]);
    expect(await issuesOf(ses, { mergeData: { 'jane@example.org': {}, 'eve@example.org': {} } })).toEqual([
      expect.stringMatching(/^mergeData\.eve@example\.org unknown-field/),
    ]);
    expect(await issuesOf(ses, { mergeData: { 'jane@example.org': {}, 'JANE@example.org': {} } })).toEqual([
      expect.stringMatching(/^mergeData\.JANE@example\.org duplicate: it is the same address as jane@example\.org/),
    ]);
    expect(await issuesOf(ses, { to: two, cc: 'c@example.org', mergeData: {}, mergeGlobalData: {} })).toEqual([
      expect.stringMatching(/^cc unsupported: each of the 2 recipients in to gets a mail of its own/),
    ]);
    expect(await issuesOf(ses, { to: two, bcc: 'c@example.org', mergeData: {}, mergeGlobalData: {} })).toEqual([
      expect.stringMatching(/^bcc unsupported/),
    ]);
    expect(await issuesOf(ses, { to: [], cc: 'c@example.org', mergeData: {} })).toEqual([
      expect.stringMatching(/^to required/),
    ]);
    expect(await issuesOf(ses, { mergeData: { 'jane@example.org': { x: 'x'.repeat(262_144) } } })).toEqual([
      expect.stringMatching(/^mergeData\.jane@example\.org too-long/),
    ]);
    expect(
      await issuesOf(ses, { mergeData: { 'jane@example.org': {} } }, { listManagement: { contactList: 'l' } }),
    ).toEqual([expect.stringMatching(/^mergeData unsupported.*listManagement/)]);
  });

  test('a slow account gets requests of as many entries as it may send in a second', async () => {
    ses.account = { SendQuota: { MaxSendRate: 20 } };
    const to = addresses(21);
    await connectTo(ses).sendMessages([mail({ to, mergeData: {}, mergeGlobalData: {} })]);
    expect(ses.requests.map(({ mails }) => mails.length)).toEqual([0, 20, 1]);
  });
});
