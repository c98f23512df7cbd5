import { describe, expect, test } from 'vitest';
import { MicrosoftGraphBackend } from '../../../src/backends/microsoft-graph.ts';
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
  SOURCE,
  SPARKPOST,
  testMailbox,
} from './vendor-requests.ts';

const { ask, count, newest, post, url } = testMailbox();

// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of the JSON
const listed = async (): Promise<any[]> => (await (await fetch(`${url()}/api/messages`)).json()).messages.toReversed();
const settle = (chaos: object): Promise<Response> =>
  fetch(`${url()}/api/chaos`, { method: 'PUT', headers: JSON_TYPE, body: JSON.stringify(chaos) });

describe('Mailjet', () => {
  test('a message that is wrong keeps back no other; ids are longer than numbers of JavaScript', async () => {
    const [mail] = MAILJET.Messages;
    const own = { To: [{ Email: 'b@example.org' }, { Email: 'c@example.org' }], CustomID: 'order-17' };
    const headers = { ...KEYS['mailjet'], ...JSON_TYPE };
    const answer = await fetch(`${url()}/api/emulate/mailjet/v3.1/send`, {
      ...{ method: 'POST', headers },
      body: JSON.stringify({ Messages: [{ ...mail, ...own }, { To: [] }] }),
    });
    expect(answer.status).toBe(400);
    const text = await answer.text();
    expect(text).toMatch(/"MessageID":1\d{18},/);
    const [taken, wrong] = JSON.parse(text).Messages;
    expect(taken).toMatchObject({ Status: 'success', CustomID: 'order-17', To: [{}, { Email: 'c@example.org' }] });
    expect(wrong).toMatchObject({ Status: 'error', Errors: [{ ErrorCode: 'mj-0003', ErrorRelatedTo: ['From'] }] });
    const { id, espExtra } = (await newest()).facts;
    expect(text).toContain(`"MessageID":${id},`);
    expect(espExtra).toEqual({ mailjet: { CustomID: 'order-17' } });
  });

  test('what is global, variables in the texts, and the sandbox', async () => {
    const Globals = { ...MAILJET.Messages[0], Subject: 'Hi {{var:name}}', TemplateLanguage: true };
    const Messages = [{ To: [{ Email: 'b@example.org' }], Variables: { name: '$& Bob' } }];
    const told = await post('mailjet', '/v3.1/send', { Globals, Messages, SandboxMode: true });
    expect(told.body.Messages).toMatchObject([{ Status: 'success', To: [{ MessageID: 0, MessageUUID: '' }] }]);
    expect(await newest()).toMatchObject({ subject: 'Hi $& Bob' });
  });
});

test('Mailtrap: a batch whose base the requests override, one id for all in the sandbox', async () => {
  const { from, ...rest } = MAILTRAP;
  const told = await post('mailtrap', '/api/batch', { base: { from, subject: 'base' }, requests: [rest, { to: [] }] });
  expect(told).toMatchObject({
    status: 200,
    body: { success: true, responses: [{ success: true, message_ids: [expect.any(String)] }, { success: false }] },
  });
  expect(await newest()).toMatchObject({ subject: 's' });
  const to = [{ email: 'b@example.org' }, { email: 'c@example.org' }];
  expect((await post('mailtrap', '/api/send', { ...MAILTRAP, to })).body.message_ids).toHaveLength(2);
  expect((await post('mailtrap', '/api/send/17', { ...MAILTRAP, to })).body.message_ids).toHaveLength(1);
});

describe('MailerSend', () => {
  test('variables of one, of several, and a list of mails', async () => {
    const personalization = [{ email: 'b@example.org', data: { name: 'Bob' } }];
    const mail = { ...MAILERSEND, subject: 'Hi {{ name }}', personalization };
    const told = await post('mailersend', '/v1/email', mail);
    expect(told).toMatchObject({ status: 202, body: '' });
    expect(await newest()).toMatchObject({ subject: 'Hi Bob', facts: { id: told.headers.get('x-message-id') } });
    await post('mailersend', '/v1/email', { ...mail, to: [...mail.to, { email: 'c@example.org' }] });
    expect((await newest()).facts.mergeData).toEqual({ 'b@example.org': { name: 'Bob' } });
    const bulk = await post('mailersend', '/v1/bulk-email', [mail, mail]);
    expect(bulk).toMatchObject({ status: 202, body: { bulk_email_id: expect.any(String) } });
    expect(await count()).toBe(4);
  });

  test('who is suppressed is told with the yes', async () => {
    await settle({ refuse: 100, refuseCode: 550 });
    const told = await post('mailersend', '/v1/email', MAILERSEND);
    expect(told).toMatchObject({
      status: 202,
      body: { warnings: [{ type: 'ALL_SUPPRESSED', recipients: [{ email: 'b@example.org' }] }] },
    });
    expect(told.headers.has('x-message-id')).toBe(false);
  });
});

test('SparkPost: everybody gets a mail of his own, and copies show whom they are copies for', async () => {
  const header_to = 'Ann <a@example.org>, b@example.org';
  const recipients = [
    { address: { email: 'a@example.org', name: 'Ann' }, substitution_data: { name: 'Ann' } },
    { address: 'b@example.org' },
    { address: { email: 'c@example.org', header_to } },
    { address: { email: 'd@example.org', header_to } },
  ];
  const content = { ...SPARKPOST.content, subject: 'Hi {{name}}', headers: { CC: 'Cid <c@example.org>' } };
  const told = await post('sparkpost', '/api/v1/transmissions', { recipients, content });
  expect(told.body.results).toMatchObject({ total_accepted_recipients: 4, total_rejected_recipients: 0 });
  const mails = await listed();
  expect(mails.map(({ subject, to, cc }) => [subject, to.length, cc.length])).toEqual([
    ['Hi Ann', 1, 1],
    ['Hi {{name}}', 1, 1],
    ['Hi {{name}}', 2, 1],
  ]);
  expect(mails.map(({ envelope }) => envelope.to)).toEqual([
    ['a@example.org'],
    ['b@example.org'],
    ['c@example.org', 'd@example.org'],
  ]);
  expect(mails[2]).toMatchObject({ bcc: ['d@example.org'] });
  const raw = { recipients, content: { email_rfc822: SOURCE } };
  expect(await post('sparkpost', '/transmissions', raw)).toMatchObject({ status: 200 });
  expect((await newest()).envelope).toMatchObject({ from: 'a@example.com', to: { length: 4 } });
});

describe('Mandrill', () => {
  const to = [
    { email: 'b@example.org', name: 'Bob' },
    { email: 'c@example.org', type: 'cc' },
  ];

  test('a mail for each with variables of his own, or one for those who see each other', async () => {
    const message = {
      ...MANDRILL.message,
      subject: 'Hi *|NAME|*',
      to,
      global_merge_vars: [{ name: 'name', content: 'you' }],
      merge_vars: [{ rcpt: 'b@example.org', vars: [{ name: 'name', content: 'Bob' }] }],
      important: true,
    };
    const told = await post('mandrill', '/messages/send.json', { ...MANDRILL, message });
    const mails = await listed();
    expect(mails).toMatchObject([
      { subject: 'Hi Bob', to: [{ name: 'Bob' }], facts: { espExtra: { mandrill: { important: true } } } },
      { subject: 'Hi you', to: [], cc: [{ address: 'c@example.org' }] },
    ]);
    expect(told.body).toMatchObject([
      { email: 'b@example.org', status: 'sent', _id: mails[0].facts.id },
      { email: 'c@example.org', status: 'sent', _id: mails[1].facts.id },
    ]);
    const together = { ...MANDRILL.message, to, preserve_recipients: true };
    await post('mandrill', '/messages/send', { ...MANDRILL, message: together, send_at: null });
    expect(await newest()).toMatchObject({ to: [{ name: 'Bob' }], cc: [{ address: 'c@example.org' }] });
  });

  test('who is rejected is told as the others are, and a ping is answered', async () => {
    await settle({ refuse: 100, refuseCode: 550 });
    expect(await post('mandrill', '/messages/send', MANDRILL)).toMatchObject({
      status: 200,
      body: [{ email: 'b@example.org', status: 'rejected' }],
    });
    expect((await post('mandrill', '/api/1.0/users/ping', { key: 'test' })).body).toBe('"PONG!"');
  });
});

test('Azure: an operation that is named by the client, and what became of it', async () => {
  const id = '11111111-2222-3333-4444-555555555555';
  const told = await post('azure', EMAILS_SEND, AZURE, { ...KEYS['azure'], ...JSON_TYPE, 'operation-id': id });
  expect(told).toMatchObject({ status: 202, body: { id, status: 'Running' } });
  expect((await newest()).facts.id).toBe(id);
  const location = told.headers.get('operation-location') ?? '';
  expect(location).toMatch(`${url()}/api/emulate/azure/emails/operations/${id}?api-version=`);
  const headers = KEYS['azure'] ?? {};
  expect(await (await fetch(location, { headers })).json()).toMatchObject({ id, status: 'Succeeded' });
});

describe('Gmail', () => {
  const withBcc = SOURCE.replace('Subject', 'bcc: Cid <c@example.org>,\r\n d@example.org\r\nSubject');
  const upload = (type: string, body: string | Buffer) =>
    post('gmail-api', `/upload${GMAIL_SEND}`, body, { ...KEYS['gmail-api'], 'content-type': type });

  test.each([
    [
      'in JSON',
      () => post('gmail-api', GMAIL_SEND, { raw: Buffer.from(withBcc).toString('base64url'), threadId: 't' }),
    ],
    ['uploaded', () => upload('message/rfc822', withBcc)],
    [
      'uploaded beside JSON',
      () =>
        upload(
          'multipart/related; boundary="b"',
          `--b\r\nContent-Type: application/json\r\n\r\n{"threadId":"t"}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n${withBcc}\r\n--b--`,
        ),
    ],
  ])('a mail %s goes without its Bcc to those in it', async (how, send) => {
    const told = await send();
    const mail = await newest();
    expect(told).toMatchObject({ status: 200, body: { id: mail.facts.id, labelIds: ['SENT'] } });
    expect(told.body.threadId).toBe(how === 'uploaded' ? mail.facts.id : 't');
    expect(mail).toMatchObject({
      subject: 's',
      envelope: { from: 'a@example.com', to: ['b@example.org', 'c@example.org', 'd@example.org'] },
      bcc: ['c@example.org', 'd@example.org'],
    });
    const source = await (await fetch(`${url()}/api/messages/${mail.id}/source`)).text();
    expect(source).not.toMatch(/cid/i);
    expect(mail.text.trim()).toBe('x');
  });
});

describe('Microsoft Graph', () => {
  const graph = 'microsoft-graph';
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of the JSON
  const sizeOf = async ({ id, files }: any, index: number): Promise<number> =>
    (await (await fetch(`${url()}/api/messages/${id}/parts/${files[index].path}?download`)).arrayBuffer()).byteLength;
  const mime = { ...KEYS[graph], 'content-type': 'text/plain' };

  test('a mail in its own words', async () => {
    const attachments = [
      { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.txt', contentBytes: 'SGk=', contentId: 'x' },
    ];
    const message = { ...GRAPH.message, importance: 'High', attachments, categories: null };
    expect(await post(graph, '/v1.0/me/sendMail', { message, saveToSentItems: 'false' })).toMatchObject({
      status: 202,
      body: '',
    });
    expect(await newest()).toMatchObject({
      from: { address: 'a@example.com' },
      facts: { vendor: graph, priority: 'high' },
      files: [{ filename: 'a.txt', size: 2, isInline: false }],
    });
  });

  test('a request of more than 4 MB is refused', async () => {
    const large = await post(graph, '/me/sendMail', 'x'.repeat(4_200_000), mime);
    expect(large).toMatchObject({ status: 413, body: { error: { code: 'ErrorMessageSizeExceeded' } } });
    expect(await count()).toBe(0);
  });

  test('a larger mail of our own backend arrives, files and all, by a draft', async () => {
    const backend = new MicrosoftGraphBackend({ accessToken: 'a.b.c', baseUrl: `${url()}/api/emulate/${graph}` });
    const content = Buffer.alloc(4_000_000, 'x');
    await using _ = backend;
    await backend.sendMessages([
      {
        ...{ subject: 'Large', body: 'b', htmlBody: '<img src="cid:logo">', bcc: 'c@example.org' },
        ...{ fromEmail: 'a@example.com', to: 'b@example.org', headers: { 'X-Order': '17' } },
        attachments: [
          { filename: 'large.bin', content },
          { filename: 'small.txt', content: 'Hi' },
          { filename: 'logo.png', content: new Uint8Array([1, 2, 3]), contentId: 'logo' },
        ],
      },
    ]);
    const mail = await newest();
    expect(mail).toMatchObject({ subject: 'Large', bcc: ['c@example.org'] });
    expect(mail.headers).toContainEqual(expect.objectContaining({ name: 'X-Order', value: '17' }));
    const files = mail.files.map(({ filename, contentId }: Record<string, unknown>) => [filename, contentId]);
    expect(files).toEqual([
      ['logo.png', 'logo'],
      ['large.bin', null],
      ['small.txt', null],
    ]);
    expect(await sizeOf(mail, 1)).toBe(content.length);
  });

  test('a draft is there until it is sent or deleted, and parts of its files come in order', async () => {
    const { id } = (await post(graph, '/me/messages', GRAPH.message)).body;
    const item = { attachmentType: 'file', name: 'large.bin', size: 4_000_000 };
    const gone = { status: 404, body: { error: { code: 'ErrorItemNotFound' } } };
    const open = (draft: string, size = 4_000_000) =>
      post(graph, `/me/messages/${draft}/attachments/createUploadSession`, { AttachmentItem: { ...item, size } });
    expect(await open('other')).toMatchObject(gone);
    expect(await open(id, 1_000)).toMatchObject({ status: 400 });
    const { uploadUrl } = (await open(id)).body;
    const put = (range: string, size: number) =>
      fetch(uploadUrl, { method: 'PUT', headers: { 'content-range': range }, body: Buffer.alloc(size) });
    expect((await put('bytes 1-2/4000000', 2)).status).toBe(400);
    const first = await put('bytes 0-2999999/4000000', 3_000_000);
    expect(await first.json()).toEqual({ nextExpectedRanges: ['3000000'] });
    // As Microsoft's SDK for JavaScript writes an address without TLS.
    const last = { ...KEYS[graph], 'content-range': 'bytes 3000000-3999999/4000000' };
    expect(await ask('PUT', graph, `/v1.0/${uploadUrl}`, Buffer.alloc(1_000_000), last)).toMatchObject({ status: 201 });
    expect((await put('bytes 0-1/4000000', 2)).status).toBe(404);
    expect(await count()).toBe(0);
    expect(await post(graph, `/me/messages/${id}/send`, null)).toMatchObject({ status: 202, body: '' });
    expect(await sizeOf(await newest(), 0)).toBe(4_000_000);
    expect(await post(graph, `/me/messages/${id}/send`, null)).toMatchObject(gone);

    const draft = (await post(graph, '/users/a@example.com/messages', Buffer.from(SOURCE).toString('base64'), mime))
      .body;
    expect(await ask('DELETE', graph, `/me/messages/${draft.id}`, null)).toMatchObject({ status: 204 });
    expect(await post(graph, `/me/messages/${draft.id}/send`, null)).toMatchObject(gone);
    expect(await count()).toBe(1);
  });
});
