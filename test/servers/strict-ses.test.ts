import { SESv2Client, SendBulkEmailCommand, SendEmailCommand, type Template } from '@aws-sdk/client-sesv2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StrictSes } from './strict-ses.ts';

let ses: StrictSes;
let client: SESv2Client;
beforeAll(async () => {
  ses = await StrictSes.start();
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  client = new SESv2Client({ endpoint: ses.endpoint, region: 'eu-west-1', credentials });
});
afterAll(async () => {
  client.destroy();
  await ses.close();
});

const FromEmailAddress = 'shop@example.com';
const to = (count: number) => Array.from({ length: count }, (_, index) => `user${index}@example.org`);
const raw = (source: string) => ({ Raw: { Data: Buffer.from(source) } });
const email = (fields: object) =>
  new SendEmailCommand({
    FromEmailAddress,
    Destination: { ToAddresses: to(1) },
    Content: raw('Subject: x\r\n\r\nx\r\n'),
    ...fields,
  });
const template = (fields: Template) =>
  email({ Content: { Template: { TemplateName: 't', TemplateData: '{}', ...fields } } });
const tag = (Name: string, Value = 'true') => email({ EmailTags: [{ Name, Value }] });
const bulk = (count: number) =>
  new SendBulkEmailCommand({
    FromEmailAddress,
    DefaultContent: { Template: { TemplateName: 't', TemplateData: '{}' } },
    BulkEmailEntries: to(count).map((address) => ({ Destination: { ToAddresses: [address] } })),
  });
const header = (Name: string, Value: string) => template({ Headers: [{ Name, Value }] });

test.each([
  ['a colon in a tag', tag('metadata:order')],
  ['a space in a value', tag('order', '12 34')],
  ['an empty value', tag('order', '')],
  ['a tag of 256', tag('x'.repeat(256))],
  ['51 recipients', email({ Destination: { ToAddresses: to(51) } })],
  ['no recipients', email({ Destination: {} })],
  ['an address beyond ASCII', email({ Destination: { ToAddresses: ['jörg@example.org'] } })],
  ['no content', email({ Content: undefined })],
  ['8-bit content', email({ Content: raw('Subject: ü\r\n\r\n') })],
  ['a bare line feed', email({ Content: raw('Subject: x\n\nx') })],
  ['a line of 999', email({ Content: raw(`Subject: x\r\n\r\n${'x'.repeat(999)}\r\n`) })],
  ['a configuration set with a space', email({ ConfigurationSetName: 'a b' })],
  ['a header beyond ASCII', header('X-A', 'ü')],
  ['an empty header', header('X-A', '')],
  ['a header of 997', header('X-A', 'x'.repeat(994))],
  ['16 headers', template({ Headers: Array.from({ length: 16 }, (_, index) => ({ Name: `X-${index}`, Value: 'x' })) })],
  ['template data of 262,145', template({ TemplateData: `"${'x'.repeat(262_143)}"` })],
  ['template data that is no object', template({ TemplateData: '[]' })],
  ['two templates', template({ TemplateArn: 'arn:x' })],
  ['51 entries', bulk(51)],
  ['no entries', bulk(0)],
])('the strict service refuses %s', async (_, command) => {
  const before = ses.accepted.length;
  await expect(client.send(command as SendEmailCommand)).rejects.toMatchObject({ name: 'BadRequestException' });
  expect(ses.accepted).toHaveLength(before);
});

test('it refuses a member that the API does not have, and a request that is not signed', async () => {
  const post = (headers: Record<string, string>) =>
    fetch(`${ses.endpoint}/v2/email/outbound-emails`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ Content: { Raw: { Data: 'eA==' } }, Tags: [] }),
    });
  expect((await post({})).headers.get('x-amzn-errortype')).toBe('MissingAuthenticationToken');
  const signed = await post({ authorization: 'AWS4-HMAC-SHA256 Credential=a/20261122/eu-west-1/ses/aws4_request, x' });
  expect(await signed.json()).toEqual({ message: 'SendEmail has no member Tags' });
});

test('it takes what keeps to them', async () => {
  for (const command of [email({}), tag('a-b_C', 'x.y@z'), email({ Destination: { ToAddresses: to(50) } }), bulk(50)])
    await client.send(command as SendEmailCommand);
  expect(ses.accepted.map(({ recipients }) => recipients.length).reduce((sum, count) => sum + count)).toBe(102);
});
