import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { EmailBackend } from '../../../src/backend/backend.ts';
import { ConsoleBackend } from '../../../src/backends/console.ts';
import { DummyBackend } from '../../../src/backends/dummy.ts';
import { FileBackend } from '../../../src/backends/file.ts';
import { SmtpBackend } from '../../../src/backends/smtp.ts';
import { AfterSend, BeforeSend, sendEach } from '../../../src/index.ts';
import { composer } from '../../../src/mime/composer.ts';
import { ConfigurationError } from '../../../src/model/errors.ts';
import { EmailMessage } from '../../../src/model/message.ts';
import type { EmailMessageInit } from '../../../src/model/message-init.ts';
import { ScriptedSmtpServer } from '../../../src/testing/server/scripted-smtp-server.ts';

const PNG = Buffer.from('the bytes of an image');
const DATA = `data:image/png;base64,${PNG.toString('base64')}`;
const MAIL: EmailMessageInit = {
  subject: 's',
  fromEmail: 'a@example.com',
  to: 'b@example.org',
  htmlBody: `<p><img src="${DATA}"> <img src="logo.gif"></p>`,
  attachments: [{ filename: 'logo.gif', content: 'GIF89a' }],
  inlineImages: true,
};
/** The HTML as it goes out. */
const HTML = /^<p><img src="cid:([0-9a-f]{32}@inline)"> <img src="cid:([0-9a-f]{32}@inline)"><\/p>$/;

const unsubscribe: (() => void)[] = [];
afterEach(() => {
  for (const end of unsubscribe.splice(0)) end();
});

type Send = (connection: EmailBackend, message: EmailMessageInit | EmailMessage) => Promise<unknown>;
const ways: [string, Send][] = [
  ['sendMessages', (connection, message) => connection.sendMessages([message])],
  ['sendMessagesSync', async (connection, message) => connection.sendMessagesSync([message])],
];

describe.each(ways)('%s: a backend gets ordinary HTML and inline attachments', (_, send) => {
  test('in the dummy', async () => {
    const connection = new DummyBackend({ store: true });
    await send(connection, MAIL);
    const [sent] = connection.messages;
    const [, data, logo] = HTML.exec(sent?.htmlBody ?? '') ?? [];
    expect(sent?.attachments).toMatchObject([
      { filename: 'logo.gif', contentId: logo, content: 'GIF89a' },
      { filename: 'image-1.png', contentId: data, content: PNG, mimetype: 'image/png' },
    ]);
    expect(sent?.inlineImages).toBe(false);
  });

  test('on the console', async () => {
    const printed: string[] = [];
    await send(new ConsoleBackend({ stream: { write: (text: string) => printed.push(text) } }), MAIL);
    expect(printed.join('')).toMatch(/- image-1\.png \(image\/png, 21 bytes, inline as cid:[0-9a-f]{32}@inline\)/);
    expect(printed.join('')).not.toContain('data:');
  });

  test('in a file', async () => {
    const path = mkdtempSync(join(tmpdir(), 'inline-images-'));
    try {
      await send(new FileBackend({ path }), MAIL);
      const source = readFileSync(join(path, readdirSync(path)[0] ?? ''));
      const { htmlBody, attachments } = await EmailMessage.fromEml(source);
      const [, data, logo] = HTML.exec(htmlBody?.trim() ?? '') ?? [];
      expect(attachments.map(({ contentId, content }) => [contentId, Buffer.from(content as Uint8Array)])).toEqual([
        [logo, Buffer.from('GIF89a')],
        [data, PNG],
      ]);
    } finally {
      rmSync(path, { recursive: true });
    }
  });

  test('what a listener of BeforeSend makes of the message counts; AfterSend has it as its sender wrote it', async () => {
    const seen: string[] = [];
    unsubscribe.push(
      BeforeSend.subscribe((context, next) => {
        seen.push(`before: ${context.message.htmlBody}`);
        return next({ ...context, message: context.message.with({ htmlBody: `<img src=${DATA}>` }) });
      }),
      AfterSend.subscribe((context, next) => {
        seen.push(`after: ${context.message.htmlBody}`);
        return next(context);
      }),
    );
    const connection = new DummyBackend({ store: true });
    await send(connection, MAIL);
    expect(connection.messages[0]?.htmlBody).toMatch(/^<img src=cid:[0-9a-f]{32}@inline>$/);
    expect(seen).toEqual([`before: ${MAIL.htmlBody}`, `after: <img src=${DATA}>`]);
  });
});

test.each([
  ['without a listener', false],
  ['with a listener of BeforeSend', true],
])(
  '%s, a composer that cannot be loaded is the error of the mails that need it, and of no others',
  async (_, listens) => {
    const missing = new ConfigurationError('load-failed', 'a part cannot be loaded');
    vi.spyOn(composer, 'load').mockRejectedValue(missing);
    vi.spyOn(composer, 'loaded', 'get').mockReturnValue(null);
    vi.spyOn(composer, 'loadNow').mockImplementation(() => {
      throw missing;
    });
    unsubscribe.push(() => vi.restoreAllMocks());
    if (listens) unsubscribe.push(BeforeSend.subscribe((context, next) => next(context)));
    for (const [name, send] of [...ways]) {
      const connection = new DummyBackend({ store: true });
      await expect(send(connection, MAIL), name).rejects.toMatchObject({
        name: 'ConfigurationError',
        code: 'load-failed',
        status: { recipients: new Map([['b@example.org', expect.objectContaining({ status: 'failed' })]]) },
      });
    }
    const connection = new DummyBackend({ store: true });
    const plain = { ...MAIL, inlineImages: false };
    for (const status of [await connection.sendMessages([MAIL, plain]), connection.sendMessagesSync([MAIL, plain])]) {
      expect(status.results.map(({ error }) => error?.code ?? null)).toEqual(['load-failed', null]);
    }
  },
);

test('over SMTP', async () => {
  const server = await ScriptedSmtpServer.start({ extensions: ['PIPELINING'] });
  const connection = new SmtpBackend({ host: '127.0.0.1', port: server.port });
  try {
    await connection.sendMessages([MAIL]);
    const { htmlBody, attachments } = await EmailMessage.fromEml(server.messages[0]?.bytes ?? new Uint8Array());
    expect(htmlBody?.trim()).toMatch(HTML);
    expect(attachments).toHaveLength(2);
  } finally {
    await connection.close();
    await server.close();
  }
});

test('every mail of sendEach has them', async () => {
  const connection = new DummyBackend({ store: true });
  const { to, htmlBody: htmlMessage = null, ...mail } = MAIL;
  await sendEach({ ...mail, htmlMessage, connection, recipientList: ['b@example.org', 'c@example.org'] });
  expect(connection.messages.map(({ htmlBody }) => HTML.test(htmlBody ?? ''))).toEqual([true, true]);
});

test('a queue carries the message as it was written, and it is still to do', async () => {
  const message = EmailMessage.fromJSON(JSON.parse(JSON.stringify(new EmailMessage(MAIL))));
  expect(message).toMatchObject({ inlineImages: true, htmlBody: MAIL.htmlBody });
  const connection = new DummyBackend({ store: true });
  await connection.sendMessages([message]);
  expect(connection.messages[0]?.htmlBody).toMatch(HTML);
});

test('a template of the provider is left alone', async () => {
  const connection = new DummyBackend({ store: true });
  await connection.sendMessages([{ ...MAIL, templateId: 'welcome' }]);
  expect(connection.messages[0]).toMatchObject({ htmlBody: MAIL.htmlBody, attachments: [{ contentId: null }] });
});

test('the name that Nodemailer has for it is told', () => {
  expect(() => new EmailMessage({ ...MAIL, attachDataUrls: true } as EmailMessageInit)).toThrow(/'inlineImages'/);
});
