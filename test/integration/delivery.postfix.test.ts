import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { SmtpBackendOptions } from '../../src/backends/smtp.ts';
import {
  defaultConnection,
  type EmailBackend,
  type EmailMessageInit,
  getConnection,
  type SendStatus,
  sendEach,
  sendMail,
} from '../../src/index.ts';
import { makeCertificates } from '../servers/certificates.ts';
import { type Entrance, Postfix } from '../servers/postfix.ts';
import { type ParsedMail, parseWithAll, parseWithMailparser } from './parsers.ts';

const DIST = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
let postfix: Postfix;

beforeAll(async () => {
  postfix = await Postfix.start(makeCertificates());
});
afterAll(() => postfix?.stop(), 60_000);
afterEach(async () => (await postfix.settled()).clear());

function backend(entrance: Entrance, options: SmtpBackendOptions = {}): EmailBackend {
  return getConnection('smtp', {
    host: '127.0.0.1',
    port: postfix.ports[entrance],
    name: 'client.example',
    ...options,
  });
}

function message(fields: Partial<EmailMessageInit> = {}): EmailMessageInit {
  return { subject: 'Hello', body: 'A line.\n', fromEmail: 'sender@example.com', to: 'user@example.com', ...fields };
}

function facts(status: SendStatus): Record<string, unknown> {
  return Object.fromEntries(
    [...status.recipients].map(([address, { status: state, code, enhancedCode, retryable }]) => [
      address,
      [state, code, enhancedCode, retryable],
    ]),
  );
}

describe('what arrives is what was written', () => {
  test('the monthly report', async () => {
    await using connection = backend('plain');
    const status = await connection.sendMessages([
      {
        subject: 'Monthly Report',
        body: 'Please find the report attached.',
        htmlBody: '<h1>Monthly Report</h1><p>Please find the report attached.</p>',
        fromEmail: 'reports@example.com',
        to: ['manager@example.com'],
        cc: ['team@example.com'],
        bcc: ['archive@example.com'],
        replyTo: ['support@example.com'],
        headers: { 'X-Priority': '1', 'X-Report-Type': 'monthly' },
        tags: ['reports', 'monthly'],
        metadata: { report_id: '12345', department: 'sales' },
      },
    ]);
    expect(status.isSuccess).toBe(true);
    expect(status.results[0]?.ignored).toEqual(['tags', 'metadata']);
    const mails = (await postfix.settled()).read();
    expect(mails.map((mail) => mail.deliveredTo).sort()).toEqual([
      'archive@example.com',
      'manager@example.com',
      'team@example.com',
    ]);
    for (const { source, returnPath } of mails) {
      expect(returnPath).toBe('reports@example.com');
      const parsed = await parseWithAll(source);
      for (const [parser, mail] of Object.entries(parsed)) {
        expect({ parser, ...pick(mail) }).toEqual({
          parser,
          subject: 'Monthly Report',
          from: ['reports@example.com'],
          to: ['manager@example.com'],
          cc: ['team@example.com'],
          replyTo: ['support@example.com'],
          text: 'Please find the report attached.',
          html: '<h1>Monthly Report</h1><p>Please find the report attached.</p>',
          messageId: status.messageId,
        });
      }
      expect(parsed.python.defects).toEqual([]);
      expect(parsed.python.headers).toMatchObject({ 'x-priority': '1', 'x-report-type': 'monthly' });
      expect(source.toString()).not.toMatch(/^bcc:/im);
      expect(source.toString().replace(/^(X-Original-To|Delivered-To|Return-Path|\tfor).*$/gm, '')).not.toContain(
        'archive@',
      );
    }
  });

  test.each(['plain', 'noChunking', 'lockstep', 'ascii'] as const)(
    'non-ASCII everywhere, an inline image and attachments, through the entrance "%s"',
    async (entrance) => {
      const png = randomBytes(3000);
      const pdf = randomBytes(100_000);
      const text = `Grüße, 世界 🌍\n.\n..dots\n\nFrom here\n${'long '.repeat(300)}\n`;
      await using connection = backend(entrance);
      const status = await connection.sendMessages([
        message({
          subject:
            'Prüfung: 日本語の件名 🎉 und ein sehr langer Betreff, der gefaltet werden muss, weil er so lang ist',
          fromEmail: { name: 'Jörg "J." Müller', address: 'joerg@bücher.example' },
          to: ['Zoë <zoe@example.com>', '"Doe, Jane" <jane@example.com>'],
          body: text,
          htmlBody: '<p>Grüße <img src="cid:logo" alt=""></p>\n',
          attachments: [
            { filename: 'logo.png', content: png, mimetype: 'image/png', contentId: 'logo' },
            { filename: 'Übersicht "2026" – 資料.pdf', content: pdf, mimetype: 'application/pdf' },
            { filename: 'empty.txt', content: '', mimetype: 'text/plain' },
          ],
        }),
      ]);
      expect(facts(status)).toEqual({
        'zoe@example.com': ['sent', 250, '2.0.0', false],
        'jane@example.com': ['sent', 250, '2.0.0', false],
      });
      const [mail] = (await postfix.settled()).read('jane@example.com');
      const parsed = await parseWithAll(mail?.source ?? Buffer.alloc(0));
      expect(parsed.python.defects).toEqual([]);
      for (const [parser, { subject, from, to, text: read, html, attachments }] of Object.entries(parsed)) {
        expect({ parser, subject }).toEqual({
          parser,
          subject:
            'Prüfung: 日本語の件名 🎉 und ein sehr langer Betreff, der gefaltet werden muss, weil er so lang ist',
        });
        expect(from[0]?.name).toBe('Jörg "J." Müller');
        expect(['joerg@xn--bcher-kva.example', 'joerg@bücher.example']).toContain(from[0]?.address);
        expect(to).toEqual([
          { name: 'Zoë', address: 'zoe@example.com' },
          { name: 'Doe, Jane', address: 'jane@example.com' },
        ]);
        expect(read?.trimEnd()).toBe(text.trimEnd());
        expect(html?.trimEnd()).toBe('<p>Grüße <img src="cid:logo" alt=""></p>');
        expect(attachments.map(({ filename, mimetype, contentId }) => ({ filename, mimetype, contentId }))).toEqual([
          { filename: 'logo.png', mimetype: 'image/png', contentId: 'logo' },
          { filename: 'Übersicht "2026" – 資料.pdf', mimetype: 'application/pdf', contentId: null },
          { filename: 'empty.txt', mimetype: 'text/plain', contentId: null },
        ]);
        expect(attachments.map(({ content }) => content)).toEqual([png.toString('base64'), pdf.toString('base64'), '']);
      }
    },
  );

  test('a non-ASCII local part with SMTPUTF8, and a refusal where it is not offered', async () => {
    const to = 'jörg@bücher.example';
    await using connection = backend('plain');
    expect(facts(await connection.sendMessages([message({ to })]))).toEqual({ [to]: ['sent', 250, '2.0.0', false] });
    expect((await postfix.settled()).size).toBe(1);
    await using ascii = backend('ascii');
    await expect(ascii.sendMessages([message({ to })])).rejects.toMatchObject({
      code: 'smtputf8-unavailable',
      retryable: false,
    });
    expect((await postfix.settled()).size).toBe(1);
  });
});

describe('the status tells the truth for every recipient', () => {
  test.each(['plain', 'noChunking', 'lockstep'] as const)(
    'one good, one unknown, one deferred, through "%s"',
    async (entrance) => {
      await using connection = backend(entrance);
      const status = await connection.sendMessages([
        message({
          to: ['good@example.com', 'unknown@example.com'],
          cc: 'later@example.com',
          bcc: 'blocked@example.com',
        }),
      ]);
      expect(facts(status)).toEqual({
        'good@example.com': ['sent', 250, '2.0.0', false],
        'unknown@example.com': ['invalid', 550, '5.1.1', false],
        'later@example.com': ['failed', 450, '4.2.0', true],
        'blocked@example.com': ['rejected', 554, '5.7.1', false],
      });
      expect(status.hasFailures).toBe(true);
      expect(status.recipients.get('unknown@example.com')?.response).toContain('User unknown');
      expect((await postfix.settled()).read().map((mail) => mail.deliveredTo)).toEqual(['good@example.com']);
    },
  );

  test('all refused is a SendError that carries the status', async () => {
    await using connection = backend('plain');
    const failure = connection.sendMessages([message({ to: ['unknown@example.com', 'later@example.com'] })]);
    await expect(failure).rejects.toMatchObject({ name: 'SendError', status: { hasFailures: true, isSuccess: false } });
    expect((await postfix.settled()).size).toBe(0);
  });

  test('a refused mail does not leak into the next one on the same connection', async () => {
    await using connection = backend('plain', { maxConnections: 1 });
    const status = await connection.sendMessages(
      ['unknown1', 'a', 'unknown2', 'unknown3', 'b', 'later1', 'c'].map((name) =>
        message({ subject: name, fromEmail: `${name}@example.org`, to: `${name}@example.com` }),
      ),
    );
    expect(status.results.map((result) => [...result.recipients.values()][0]?.status)).toEqual([
      ...['invalid', 'sent', 'invalid', 'invalid', 'sent', 'failed', 'sent'],
    ]);
    const mails = (await postfix.settled()).read();
    expect(mails.map(({ deliveredTo, returnPath }) => `${returnPath} ${deliveredTo}`).sort()).toEqual([
      ...['a@example.org a@example.com', 'b@example.org b@example.com', 'c@example.org c@example.com'],
    ]);
  });

  test.each(['plain', 'noChunking'] as const)(
    '1,000 mails over one connection: each arrives once, through "%s"',
    async (entrance) => {
      const before = postfix.connections(entrance);
      await using connection = backend(entrance, { maxConnections: 1 });
      const messages = Array.from({ length: 1000 }, (_, i) =>
        message({ subject: `mail ${i}`, to: `user${i}@example.com` }),
      );
      const status = await connection.sendMessages(messages);
      expect(status.isSuccess).toBe(true);
      expect(status.recipients.size).toBe(1000);
      const mails = (await postfix.settled()).read();
      expect(mails.map((mail) => mail.deliveredTo).sort()).toEqual(
        messages.map((_, i) => `user${i}@example.com`).sort(),
      );
      for (const { deliveredTo, source } of mails)
        expect(source.toString()).toContain(`Subject: mail ${/\d+/.exec(deliveredTo)}\n`);
      expect(postfix.connections(entrance) - before).toBe(1);
    },
    60_000,
  );

  test('more recipients than the server takes at once are sent in several transactions', async () => {
    const to = Array.from({ length: 95 }, (_, i) => `user${i}@example.com`);
    await using connection = backend('fewRecipients');
    const status = await connection.sendMessages([message({ to: [...to, 'unknown@example.com'] })]);
    expect(status.getSuccessfulRecipients()).toEqual(to);
    expect(facts(status)['unknown@example.com']).toEqual(['invalid', 550, '5.1.1', false]);
    expect(
      (await postfix.settled())
        .read()
        .map((mail) => mail.deliveredTo)
        .sort(),
    ).toEqual([...to].sort());
  });
});

describe('connections', () => {
  test('the pooling loop uses one', async () => {
    const before = postfix.connections('plain');
    await using connection = backend('plain');
    for (let i = 0; i < 100; i += 1) {
      const status = await connection.sendMessages([message({ to: `user${i}@example.com` })]);
      expect(status.isSuccess).toBe(true);
    }
    expect((await postfix.settled()).size).toBe(100);
    expect(postfix.connections('plain') - before).toBe(1);
  });

  test('a server that hung up while the connection was idle costs nothing', async () => {
    await using connection = backend('impatient', { idleMs: 60_000 });
    expect((await connection.sendMessages([message()])).isSuccess).toBe(true);
    await expect.poll(() => postfix.log()).toMatch(/impatient\/smtpd.*timeout after/);
    expect((await connection.sendMessages([message()])).isSuccess).toBe(true);
    expect((await postfix.settled()).size).toBe(2);
    expect(postfix.connections('impatient')).toBe(2);
  });

  test('one that idles longer than idleMs is given up before the server hangs up', async () => {
    await using connection = backend('plain', { idleMs: 50 });
    await connection.sendMessages([message()]);
    await expect
      .poll(() =>
        postfix
          .log()
          .split('\n')
          .findLast((line) => line.includes('postfix/plain')),
      )
      .toMatch(/disconnect from .* quit=1/);
  });
});

describe('the short ways', () => {
  const mail = { subject: 'Welcome!', message: 'Thanks.', fromEmail: 'noreply@example.com' };

  test('sendMail with nothing but the environment, and sendEach', async () => {
    vi.stubEnv('AMSDAL_EMAIL_URL', `smtp://127.0.0.1:${postfix.ports.plain}?name=client.example`);
    const status = await sendMail({ ...mail, recipientList: ['user@example.com'] });
    expect([status.isSuccess, facts(status)]).toEqual([true, { 'user@example.com': ['sent', 250, '2.0.0', false] }]);
    const each = await sendEach({ ...mail, recipientList: ['a@example.com', 'unknown@example.com', 'b@example.com'] });
    expect(each.getFailedRecipients()).toEqual(['unknown@example.com']);
    await defaultConnection().close();
    vi.unstubAllEnvs();
    const arrived = (await postfix.settled()).read();
    expect(arrived.map((one) => [one.deliveredTo, /^To: (.*)$/m.exec(one.source.toString())?.[1]]).sort()).toEqual([
      ['a@example.com', 'a@example.com'],
      ['b@example.com', 'b@example.com'],
      ['user@example.com', 'user@example.com'],
    ]);
  });

  test('sendMailSync blocks until the server has answered', async () => {
    const script = `
      import { getConnection, sendMailSync } from ${JSON.stringify(DIST)};
      const connection = getConnection('smtp', { host: '127.0.0.1', port: ${postfix.ports.plain}, name: 'client.example' });
      const mail = { ...${JSON.stringify(mail)}, connection };
      const status = sendMailSync({ ...mail, recipientList: ['user@example.com', 'later@example.com'] });
      const codes = [...status.recipients.values()].map(({ status, code }) => status + ' ' + code);
      try { sendMailSync({ ...mail, recipientList: ['unknown@example.com'] }); }
      catch (error) { codes.push(error.name + ' ' + error.code); }
      connection.closeSync();
      console.log(codes.join());`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
    expect(stdout).toBe('sent 250,failed 450,SendError invalid-recipient\n');
    expect((await postfix.settled()).read().map((one) => one.deliveredTo)).toEqual(['user@example.com']);
  });

  test('a stream of 1,000 mails over five connections: each result once, each mail once', async () => {
    await using connection = backend('plain', { maxConnections: 5 });
    const before = postfix.connections('plain');
    const seen = new Set<number>();
    async function* messages(): AsyncGenerator<EmailMessageInit> {
      for (let i = 0; i < 1000; i += 1)
        yield message({ to: i % 10 === 3 ? `unknown${i}@example.com` : `user${i}@example.com` });
    }
    for await (const { index, recipients } of connection.stream(messages())) {
      expect(seen.has(index)).toBe(false);
      seen.add(index);
      expect([...recipients.values()][0]?.status).toBe(index % 10 === 3 ? 'invalid' : 'sent');
    }
    expect(seen.size).toBe(1000);
    const arrived = (await postfix.settled()).read().map((one) => one.deliveredTo);
    const expected = Array.from({ length: 1000 }, (_, i) => `user${i}@example.com`).filter((_, i) => i % 10 !== 3);
    expect(arrived.sort()).toEqual(expected.sort());
    expect(postfix.connections('plain') - before).toBeLessThanOrEqual(5);
  });
});

describe('a mail that is too big', () => {
  test('60 MB against a smaller SIZE is refused before it is sent', async () => {
    await using connection = backend('small');
    const big = message({ attachments: [{ filename: 'big.bin', content: new Uint8Array(60_000_000) }] });
    await expect(connection.sendMessages([big])).rejects.toMatchObject({
      name: 'SendError',
      code: 'too-large',
      outcome: 'not-sent',
      retryable: false,
      message: expect.stringContaining('1000000'),
    });
    expect((await postfix.settled()).size).toBe(0);
    expect((await connection.sendMessages([message()])).isSuccess).toBe(true);
  });

  test('20 MB arrives byte for byte where it may', async () => {
    const content = randomBytes(20_000_000);
    await using connection = backend('plain');
    const status = await connection.sendMessages([message({ attachments: [{ filename: 'big.bin', content }] })]);
    expect(status.isSuccess).toBe(true);
    const [mail] = (await postfix.settled()).read();
    const parsed = await parseWithMailparser(mail?.source ?? Buffer.alloc(0));
    expect(parsed.attachments[0]?.content === content.toString('base64')).toBe(true);
  });
});

function pick(mail: ParsedMail): Record<string, unknown> {
  const addresses = (list: ParsedMail['to']): string[] => list.map(({ address }) => address);
  return {
    subject: mail.subject,
    from: addresses(mail.from),
    to: addresses(mail.to),
    cc: addresses(mail.cc),
    replyTo: addresses(mail.replyTo),
    text: mail.text?.trimEnd(),
    html: mail.html?.trimEnd(),
    messageId: mail.messageId,
  };
}
