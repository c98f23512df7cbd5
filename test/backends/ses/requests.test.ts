import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { StrictSes } from '../../servers/strict-ses.ts';
import { closeAll, connectTo, errorOf, issuesOf, mail } from './connect.ts';

let ses: StrictSes;
beforeAll(async () => {
  ses = await StrictSes.start();
});
afterAll(() => ses.close());
afterEach(async () => {
  await closeAll();
  ses.reset();
});

describe('parameters', () => {
  test('tags and metadata are message tags; tagHeaders copies them into the mail', async () => {
    const tagged = mail({ tags: ['welcome mail'], metadata: { 'order:id': '12/34' } });
    await connectTo(ses).sendMessages([tagged]);
    expect(ses.accepted[0]?.request['EmailTags']).toEqual([
      { Name: 'b64-d2VsY29tZSBtYWls', Value: 'true' },
      { Name: 'metadata_b64-b3JkZXI6aWQ', Value: 'b64-MTIvMzQ' },
    ]);
    expect(ses.accepted[0]?.raw?.toString()).not.toContain('X-Tag');
    await connectTo(ses, { tagHeaders: true }).sendMessages([tagged]);
    expect(ses.accepted[1]?.raw?.toString()).toMatch(/X-Tag: welcome mail\r\nX-Metadata:/);
    expect(await connectTo(ses).sendMessages([tagged])).toMatchObject({ results: [{ ignored: [] }] });
  });

  test.each([
    [{ trackOpens: true }, { OpenTrackingEnabled: 'ENABLED' }],
    [{ trackClicks: true }, { ClickTrackingEnabled: 'ENABLED' }],
    [
      { trackOpens: true, trackClicks: true },
      { OpenTrackingEnabled: 'ENABLED', ClickTrackingEnabled: 'ENABLED' },
    ],
  ])('%o overrides the configuration set', async (fields, Tracking) => {
    await connectTo(ses).sendMessages([mail(fields), mail({ ...fields, mergeData: {}, mergeGlobalData: {} })]);
    expect(ses.accepted.map(({ request }) => request['ConfigurationOverrides'])).toEqual([{ Tracking }, { Tracking }]);
  });

  test('every option has its parameter, and extra is laid over all', async () => {
    const backend = connectTo(ses, {
      configurationSet: 'marketing',
      identityArn: 'arn:aws:ses:eu-west-1:1:identity/example.com',
      feedbackIdentityArn: 'arn:aws:ses:eu-west-1:1:identity/bounces',
      listManagement: { contactList: 'people', topic: 'news' },
      tenant: 'acme',
      extra: { FeedbackForwardingEmailAddress: 'x@example.com', ConfigurationSetName: 'other' },
    });
    await backend.sendMessages([mail(), mail({ body: '', templateId: 't' })]);
    for (const { request } of ses.accepted) {
      expect(request).toMatchObject({
        ConfigurationSetName: 'other',
        FromEmailAddressIdentityArn: 'arn:aws:ses:eu-west-1:1:identity/example.com',
        FeedbackForwardingEmailAddressIdentityArn: 'arn:aws:ses:eu-west-1:1:identity/bounces',
        FeedbackForwardingEmailAddress: 'x@example.com',
        ListManagementOptions: { ContactListName: 'people', TopicName: 'news' },
        TenantName: 'acme',
      });
    }
  });

  test('espExtra.ses is laid over the parameters of its mail, but for what its own fields say', async () => {
    const espExtra = {
      ses: { TenantName: 'acme', ConfigurationOverrides: { Tracking: { ClickTrackingEnabled: 'DISABLED' } } },
    };
    await connectTo(ses, { tenant: 'other' }).sendMessages([
      mail({ espExtra, trackOpens: true }),
      mail({ espExtra, mergeData: {}, mergeGlobalData: {} }),
    ]);
    expect(ses.accepted.map(({ request }) => [request['TenantName'], request['ConfigurationOverrides']])).toEqual([
      ['acme', { Tracking: { OpenTrackingEnabled: 'ENABLED', ClickTrackingEnabled: 'DISABLED' } }],
      ['acme', { Tracking: { ClickTrackingEnabled: 'DISABLED' } }],
    ]);
    ses.reset();
    expect(await issuesOf(ses, { espExtra: { ses: { Destination: {} } } })).toEqual([
      expect.stringMatching(/^espExtra\.ses\.Destination unsupported: it is what the message's own fields say/),
    ]);
  });

  test('a parameter that SES would drop is a ConfigurationError', async () => {
    const error = await errorOf(connectTo(ses, { extra: { Tags: [] } }).sendMessages([mail()], { failSilently: true }));
    expect(error).toMatchObject({
      name: 'ConfigurationError',
      code: 'unknown-option',
      message: expect.stringContaining('Tags'),
    });
    expect(ses.requests).toEqual([]);
  });
});
