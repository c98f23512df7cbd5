import { createTransport } from 'nodemailer';
import { describe, expect, test } from 'vitest';
import type { AuthMechanism } from '../../src/smtp-server/auth.ts';
import { parseWithPostalMime } from '../integration/parsers.ts';
import { certificates, SECRET, startReceiver } from './receiver.ts';

describe('Nodemailer delivers to the receiver', () => {
  test.each<AuthMechanism>(['PLAIN', 'LOGIN', 'CRAM-MD5', 'XOAUTH2'])('over STARTTLS with %s', async (mechanism) => {
    await using receiver = await startReceiver([mechanism]);
    const transport = createTransport({
      host: 'localhost',
      port: receiver.port,
      requireTLS: true,
      tls: { ca: certificates().ca },
      auth:
        mechanism === 'XOAUTH2'
          ? { type: 'OAuth2', user: 'jane', accessToken: SECRET }
          : { user: 'jane', pass: SECRET, method: mechanism },
    });
    const content = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 256));
    const { accepted } = await transport.sendMail({
      from: 'Jané <a@example.com>',
      to: 'b@example.com',
      bcc: 'jörg@example.com',
      subject: 'Grüße',
      text: '.\n..\nFrom here\n',
      attachments: [{ filename: 'x.bin', content }],
      dsn: { id: 'x+y', return: 'headers', notify: ['success', 'failure'], recipient: 'a@example.com' },
    });
    transport.close();
    expect(accepted).toEqual(['b@example.com', 'jörg@example.com']);
    expect(receiver.attempts.map((attempt) => attempt.mechanism)).toEqual([mechanism]);
    const [mail] = receiver.mails;
    expect(mail?.envelope).toMatchObject({ mailFrom: 'a@example.com', rcptTo: ['b@example.com', 'jörg@example.com'] });
    expect(mail?.envelope.parameters.mail).toMatchObject({ SMTPUTF8: '', RET: 'HDRS', ENVID: 'x+2By' });
    const parsed = await parseWithPostalMime(Buffer.from(mail?.bytes ?? []));
    expect([parsed.subject, parsed.text?.trimEnd()]).toEqual(['Grüße', '.\n..\nFrom here']);
    expect(parsed.attachments[0]?.content).toBe(content.toString('base64'));
  });

  test('and is told of a wrong password', async () => {
    await using receiver = await startReceiver(['CRAM-MD5']);
    const transport = createTransport({
      host: 'localhost',
      port: receiver.port,
      requireTLS: true,
      tls: { ca: certificates().ca },
      auth: { user: 'jane', pass: 'wrong' },
    });
    await expect(transport.sendMail({ from: 'a@example.com', to: 'b@example.com', text: 'x' })).rejects.toMatchObject({
      code: 'EAUTH',
      responseCode: 535,
    });
    expect(receiver.mails).toEqual([]);
  });
});
