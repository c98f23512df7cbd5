import { describe, expect, test } from 'vitest';
import type { ReceivedMail } from '../../src/smtp-server/hooks.ts';
import type { SmtpServerOptions } from '../../src/smtp-server/options.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { Client } from './client.ts';

async function withServer(
  options: SmtpServerOptions,
  run: (client: Client, mails: readonly ReceivedMail[], server: SmtpServer) => Promise<void>,
): Promise<void> {
  const mails: ReceivedMail[] = [];
  const onMessage: SmtpServerOptions['onMessage'] = (mail) => {
    mails.push(mail);
  };
  await using server = await SmtpServer.start({ onMessage, ...options });
  const client = await Client.open(server.port, options.implicitTls ? (server.certificate ?? '') : undefined);
  expect(await client.read()).toMatch(/^220 localhost (ESMTP|LMTP)\r\n$/);
  await run(client, mails, server);
  client.close();
}

const contentOf = (mail: ReceivedMail | undefined): string => Buffer.from(mail?.bytes ?? []).toString('latin1');

describe('a mail comes in', () => {
  test('by DATA, one command at a time', () =>
    withServer({}, async (client, mails) => {
      expect(await client.command('EHLO client.example')).toBe(
        [
          ...['250-localhost', '250-PIPELINING', '250-SIZE 52428800', '250-8BITMIME', '250-SMTPUTF8', '250-CHUNKING'],
          ...['250-BINARYMIME', '250-DSN', '250 ENHANCEDSTATUSCODES', ''],
        ].join('\r\n'),
      );
      expect(await client.command('MAIL FROM:<a@x.org> SIZE=30 BODY=8BITMIME')).toBe('250 2.1.0 Ok\r\n');
      expect(await client.command('RCPT TO:<b@y.org> NOTIFY=NEVER')).toBe('250 2.1.5 Ok\r\n');
      expect(await client.command('DATA')).toBe('354 End with CRLF dot CRLF\r\n');
      expect(await client.say('Subject: x\r\n\r\n..dot\r\n.\r\n')).toBe('250 2.0.0 Ok: received\r\n');
      expect(mails[0]?.envelope).toEqual({
        mailFrom: 'a@x.org',
        rcptTo: ['b@y.org'],
        parameters: { mail: { SIZE: '30', BODY: '8BITMIME' }, rcpt: [{ NOTIFY: 'NEVER' }] },
      });
      expect(contentOf(mails[0])).toBe('Subject: x\r\n\r\n.dot\r\n');
      expect(await client.command('QUIT')).toBe('221 2.0.0 Bye\r\n');
      expect(await client.readToEnd()).toBe('');
    }));

  test('several mails by BDAT in one write', () =>
    withServer({}, async (client, mails) => {
      await client.command('EHLO client.example');
      const mail = 'RSET\r\nMAIL FROM:<>\r\nRCPT TO:<b@y.org>\r\nBDAT 3\r\nab\rBDAT 5 LAST\r\n\nc.\r\n';
      expect(await client.say(mail.repeat(2), 10)).toMatch(/^(250 2\.[\d.]+ Ok(: received)?\r\n){10}$/);
      expect(mails.map(contentOf)).toEqual(['ab\r\nc.\r\n', 'ab\r\nc.\r\n']);
      expect(mails[0]?.envelope.mailFrom).toBe('');
    }));

  test('over STARTTLS, which forgets what was said before', () =>
    withServer({ tls: 'generate' }, async (client, mails, server) => {
      expect(await client.command('EHLO client.example')).toContain('STARTTLS');
      expect(await client.command('STARTTLS')).toBe('220 2.0.0 Ready to start TLS\r\n');
      await client.startTls(server.certificate ?? '');
      expect(await client.command('MAIL FROM:<a@x.org>')).toMatch(/^503 5\.5\.1/);
      expect(await client.command('EHLO client.example')).not.toContain('STARTTLS');
      await client.say('MAIL FROM:<a@x.org> REQUIRETLS\r\nRCPT TO:<b@y.org>\r\nDATA\r\n', 3);
      expect(await client.say('x\r\n.\r\n')).toMatch(/^250/);
      expect(mails).toHaveLength(1);
    }));

  test('over implicit TLS', () =>
    withServer({ tls: 'generate', implicitTls: true }, async (client) => {
      expect(await client.command('EHLO client.example')).toContain('REQUIRETLS');
    }));

  test('by LMTP, with a reply for each recipient', () =>
    withServer({ lmtp: true, onMessage: () => [undefined, '452 4.2.2 Full'] }, async (client) => {
      expect(await client.command('EHLO x')).toBe('500 5.5.1 Say LHLO\r\n');
      await client.command('LHLO x');
      await client.say('MAIL FROM:<a@x.org>\r\nRCPT TO:<b@y.org>\r\nRCPT TO:<c@y.org>\r\nDATA\r\n', 4);
      expect(await client.say('x\r\n.\r\n', 2)).toBe('250 2.0.0 Ok: received\r\n452 4.2.2 Full\r\n');
    }));
});
