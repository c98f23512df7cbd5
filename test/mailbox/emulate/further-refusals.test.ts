import { describe, expect, test } from 'vitest';
import {
  AZURE,
  EMAILS_SEND,
  GMAIL_SEND,
  GRAPH,
  JSON_TYPE,
  KEYS,
  MAILERSEND,
  MAILJET,
  MAILTRAP,
  MANDRILL,
  SPARKPOST,
  testMailbox,
} from './vendor-requests.ts';

const { count, post } = testMailbox();

const PATHS: Readonly<Record<string, string>> = {
  mailjet: '/v3.1/send',
  mailtrap: '/api/send',
  mailersend: '/v1/email',
  sparkpost: '/transmissions',
  mandrill: '/messages/send',
  azure: EMAILS_SEND,
  'gmail-api': GMAIL_SEND,
  'microsoft-graph': '/me/sendMail',
};
const NOBODY = { email: 'nobody' };
const mailjet = (fields: object) => ({ Messages: [{ ...MAILJET.Messages[0], ...fields }] });
const mailjetError = (ErrorCode: string, ...ErrorRelatedTo: string[]) => ({
  Messages: [{ Status: 'error', Errors: [{ ErrorCode, StatusCode: 400, ErrorRelatedTo }] }],
});
const mandrill = (fields: object) => ({ ...MANDRILL, message: { ...MANDRILL.message, ...fields } });
const mandrillError = (what: RegExp) => ({
  status: 'error',
  code: -2,
  name: 'ValidationError',
  message: expect.stringMatching(what),
});
const spark = (fields: object) => ({ ...SPARKPOST, content: { ...SPARKPOST.content, ...fields } });
const sparkError = (code: string, what: RegExp) => ({ errors: [{ code, description: expect.stringMatching(what) }] });
const azureError = (what: RegExp) => ({ error: { code: 'BadRequest', message: expect.stringMatching(what) } });
const gmail = (source: string) => ({ raw: Buffer.from(source).toString('base64url') });
const gmailError = (what: RegExp) => ({
  error: { code: 400, message: expect.stringMatching(what), errors: [{ reason: 'invalidArgument' }] },
});
const graph = (fields: object) => ({ message: { ...GRAPH.message, ...fields } });
const graphError = (code: string, what: RegExp) => ({ error: { code, message: expect.stringMatching(what) } });

describe('a mistake is told in the shape of the vendor, and nothing is caught', () => {
  test.each<[what: string, vendor: string, body: unknown, status: number, answer: object]>([
    ['a field that does not exist', 'mailjet', mailjet({ Text: 'x' }), 400, mailjetError('mj-0002', 'Text')],
    ['a wrong type', 'mailjet', mailjet({ To: 'b@example.org' }), 400, mailjetError('mj-0004', 'To')],
    ['no recipients', 'mailjet', mailjet({ To: undefined }), 400, mailjetError('mj-0003', 'To')],
    ['no text', 'mailjet', mailjet({ TextPart: undefined }), 400, mailjetError('send-0003', 'HTMLPart')],
    ['a bad address', 'mailjet', mailjet({ To: [{ Email: 'x' }] }), 400, mailjetError('mj-0013', 'To[0].Email')],
    ['51 mails', 'mailjet', { Messages: new Array(51).fill(MAILJET.Messages[0]) }, 413, { ErrorCode: 'mj-0011' }],

    ['a field that does not exist', 'mailtrap', { ...MAILTRAP, tag: 'x' }, 400, { errors: [/^'tag'/] }],
    ['no subject', 'mailtrap', { ...MAILTRAP, subject: undefined }, 400, { errors: [/^'subject' is required/] }],
    ['a bad address', 'mailtrap', { ...MAILTRAP, to: [NOBODY] }, 400, { errors: [/^'to\[0\]'/] }],
    ['a subject beside a template', 'mailtrap', { ...MAILTRAP, template_uuid: 'u' }, 400, { errors: [/^'subject'/] }],

    ['a field that does not exist', 'mailersend', { ...MAILERSEND, body: 'x' }, 422, { errors: { body: [/body/] } }],
    ['no text', 'mailersend', { ...MAILERSEND, text: undefined }, 422, { errors: { text: [/required/] } }],
    ['a bad address', 'mailersend', { ...MAILERSEND, to: [NOBODY] }, 422, { errors: { 'to.0.email': [/valid/] } }],

    ['a field that does not exist', 'sparkpost', spark({ body: 'x' }), 422, sparkError('1300', /^content\.body/)],
    ['no sender', 'sparkpost', spark({ from: undefined }), 422, sparkError('1400', /^content\.from/)],
    ['a bad sender', 'sparkpost', spark({ from: 'nobody' }), 422, sparkError('1300', /^content\.from/)],
    ['a bad address', 'sparkpost', { ...SPARKPOST, recipients: [{ address: NOBODY }] }, 400, sparkError('5002', /0/)],

    ['a field that does not exist', 'mandrill', mandrill({ body: 'x' }), 500, mandrillError(/"message\.body"/)],
    ['no sender', 'mandrill', mandrill({ from_email: undefined }), 500, mandrillError(/"message\.from_email"/)],
    ['a bad address', 'mandrill', mandrill({ to: [NOBODY] }), 500, mandrillError(/"message\.to\[0\]"/)],

    ['a field that does not exist', 'azure', { ...AZURE, subject: 'x' }, 400, azureError(/^subject/)],
    ['a name of the sender', 'azure', { ...AZURE, senderAddress: 'A <a@b.org>' }, 400, azureError(/^senderAddress/)],
    [
      'a bad address',
      'azure',
      { ...AZURE, recipients: { to: [{ address: 'x' }] } },
      400,
      azureError(/^recipients\.to/),
    ],

    ['a field that does not exist', 'gmail-api', { ...gmail('x'), to: 'x' }, 400, gmailError(/^to/)],
    ['no recipient', 'gmail-api', gmail('From: a@example.com\r\n\r\nx'), 400, gmailError(/^Invalid To header/)],
    ['a bad address', 'gmail-api', gmail('To: nobody\r\n\r\nx'), 400, gmailError(/^Invalid To header/)],

    ['a field that does not exist', 'microsoft-graph', graph({ to: [] }), 400, graphError('RequestBodyRead', /\.to /)],
    ['no message', 'microsoft-graph', {}, 400, graphError('ErrorInvalidRequest', /^Message/)],
    [
      'a header without x-',
      'microsoft-graph',
      graph({ internetMessageHeaders: [{ name: 'List-Id', value: 'x' }] }),
      400,
      graphError('ErrorInvalidRequest', /'List-Id' should start with 'x-'/),
    ],
    [
      'a bad address',
      'microsoft-graph',
      graph({ toRecipients: [{ emailAddress: { address: 'x' } }] }),
      400,
      graphError('ErrorInvalidRecipients', /^toRecipients\[0\]/),
    ],
  ])('%s, to %s', async (_, vendor, body, status, answer) => {
    const told = await post(vendor, PATHS[vendor] ?? '', body);
    expect(told).toMatchObject({ status, body: matching(answer) });
    expect(await count()).toBe(0);
  });

  test('a mail that is no base64, to microsoft-graph', async () => {
    const headers = { ...KEYS['microsoft-graph'], 'content-type': 'text/plain' };
    expect(await post('microsoft-graph', '/me/sendMail', 'From: a@example.com', headers)).toMatchObject({
      status: 400,
      body: graphError('ErrorMimeContentInvalidBase64String', /base64/),
    });
  });

  test('an address without its version, to azure', async () => {
    expect(await post('azure', '/emails:send', AZURE)).toMatchObject({ status: 400, body: azureError(/api-version/) });
    expect(await count()).toBe(0);
  });

  test.each<[vendor: string, body: object, answer: object]>([
    ['mailjet', MAILJET, { ErrorCode: 'mj-0015', StatusCode: 401 }],
    ['mailtrap', MAILTRAP, { success: false, errors: ['Unauthorized'] }],
    ['mailersend', MAILERSEND, { message: 'Unauthenticated.' }],
    ['sparkpost', SPARKPOST, { errors: [{ message: 'Unauthorized.' }] }],
    ['azure', AZURE, { error: { code: 'Denied' } }],
    ['gmail-api', gmail('x'), { error: { code: 401, status: 'UNAUTHENTICATED' } }],
    ['microsoft-graph', GRAPH, { error: { code: 'InvalidAuthenticationToken' } }],
  ])('no key, to %s', async (vendor, body, answer) => {
    expect(await post(vendor, PATHS[vendor] ?? '', body, JSON_TYPE)).toMatchObject({ status: 401, body: answer });
    expect(await count()).toBe(0);
  });

  test('no key, to mandrill', async () => {
    expect(await post('mandrill', '/messages/send', { message: MANDRILL.message })).toMatchObject({
      status: 500,
      body: mandrillError(/specify a key/),
    });
  });

  test('a signature without what it signs, to azure', async () => {
    const { authorization = '' } = KEYS['azure'] ?? {};
    expect(await post('azure', EMAILS_SEND, AZURE, { ...JSON_TYPE, authorization })).toMatchObject({ status: 401 });
  });

  test.each(Object.entries(PATHS))('what cannot be read, to %s', async (vendor, path) => {
    const { status, body } = await post(vendor, path, 'no json');
    expect({ status, body }).toEqual({ status: vendor === 'mandrill' ? 500 : 400, body: expect.any(Object) });
  });
});

/** With patterns where texts are. */
function matching(answer: unknown): unknown {
  if (answer instanceof RegExp) return expect.stringMatching(answer);
  if (Array.isArray(answer)) return answer.map(matching);
  if (typeof answer !== 'object' || answer === null || 'asymmetricMatch' in answer) return answer;
  return Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, matching(value)]));
}
