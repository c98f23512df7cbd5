const { join } = require('node:path');
const {
  Attachment,
  ConfigurationError,
  EmailConnectionError,
  EmailError,
  EmailMessage,
  getConnection,
  MessageError,
  SendError,
  sendMail,
  sendMailSync,
} = require('amsdal-mail');
const { composeMessage } = require('amsdal-mail/mime');
const { expectMail, links, ScriptedSmtpServer, useInbox } = require('amsdal-mail/testing');
const { mailMatchers, mailSnapshotSerializer } = require('amsdal-mail/testing/jest');

expect.extend(mailMatchers);
expect.addSnapshotSerializer(mailSnapshotSerializer);

const SERVER = { host: '127.0.0.1', port: Number(process.env.SMTP_PORT) };
const CALL = { subject: 'Hello', message: 'Hi', fromEmail: 'a@example.com', recipientList: ['b@example.org'] };
const MAIL = { subject: 'Hello', body: 'Hi', fromEmail: 'a@example.com', to: ['b@example.org'] };

test('the runner has a realm of its own', () => {
  let thrown;
  try {
    require('node:fs').readFileSync('there is no such file');
  } catch (error) {
    thrown = error;
  }
  expect(thrown instanceof Error).toBe(false);
});

test('an inbox and the matchers', async () => {
  const inbox = useInbox();
  const status = await sendMail({ ...CALL, message: 'https://example.com/' });
  expect(status.isSuccess).toBe(true);
  expect(inbox).toHaveSent({ to: 'b@example.org' });
  expect(inbox).not.toHaveSent({ to: 'c@example.org' });
  expect(inbox.last).toHaveSubject('Hello');
  expect(links(inbox.last)).toEqual(['https://example.com/']);
  expectMail(inbox).toHaveSentTimes(1);
});

test('errors are instances of their classes', async () => {
  const inbox = useInbox();
  inbox.refuse('b@example.org', 550);
  await expect(sendMail(CALL)).rejects.toThrow(EmailError);
  await expect(sendMail(CALL)).rejects.toThrow(SendError);
  await expect(sendMail(CALL)).rejects.toMatchObject({ code: 'invalid-recipient', reply: { code: 550 } });
  await expect(sendMail({ ...CALL, recipientList: ['nobody'] })).rejects.toThrow(MessageError);
  expect(() => getConnection('smtp', { hots: 'localhost' })).toThrow(ConfigurationError);
});

test('a mail over SMTP', async () => {
  const connection = getConnection('smtp', SERVER);
  const status = await sendMail({ ...CALL, connection });
  expect(status.recipients.get('b@example.org')).toMatchObject({ status: 'sent', code: 250 });
  await connection.close();
});

test('a blocking call over SMTP', () => {
  expect(sendMailSync({ ...CALL, connection: getConnection('smtp', SERVER) }).isSuccess).toBe(true);
});

test('a server made by the test', async () => {
  const server = await ScriptedSmtpServer.start();
  server.on('RCPT', () => '550 5.1.1 No such user');
  const connection = getConnection('smtp', { host: '127.0.0.1', port: server.port });
  await expect(connection.sendMessages([MAIL])).rejects.toThrow(SendError);
  await connection.close();
  await server.close();
});

test('errors of Node are told by their codes, with their causes', async () => {
  const server = await ScriptedSmtpServer.start();
  const { port } = server;
  await server.close();
  const refused = await getConnection('smtp', { host: '127.0.0.1', port })
    .sendMessages([MAIL])
    .catch((error) => error);
  expect(refused).toBeInstanceOf(EmailConnectionError);
  expect(refused).toMatchObject({ code: 'refused', cause: { code: 'ECONNREFUSED' } });

  expect(() => Attachment.fromFile(join(__dirname, 'missing.pdf'))).toThrow(MessageError);
  expect(() => Attachment.fromFile(join(__dirname, 'missing.pdf'))).toThrow(/ENOENT/);
  const dkim = { domain: 'example.com', selector: 'main', privateKey: 'no key' };
  expect(() => getConnection('smtp', { ...SERVER, dkim })).toThrow(ConfigurationError);
});

test('a mail is composed and read back', async () => {
  const read = await EmailMessage.fromEml(composeMessage(new EmailMessage({ ...MAIL, subject: 'Grüße' })));
  expect(read).toBeInstanceOf(EmailMessage);
  expect(read.subject).toBe('Grüße');
});

test('every other entry point can be required', () => {
  const { exports } = require('amsdal-mail/package.json');
  const optional = ['./testing/vitest']; // Vitest runs its own
  const names = Object.keys(exports).filter((name) => !name.endsWith('.json') && !optional.includes(name));
  for (const name of names) expect(Object.keys(require(join('amsdal-mail', name)))).not.toEqual([]);
});
