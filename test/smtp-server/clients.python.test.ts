import { expect, test } from 'vitest';
import { run } from '../servers/process.ts';
import { certificates, SECRET, startReceiver } from './receiver.ts';

const SCRIPT = `
import json, smtplib, ssl, sys
task = json.load(sys.stdin)
context = ssl.create_default_context(cadata=task['ca'])
with smtplib.SMTP('localhost', task['port']) as smtp:
    smtp.starttls(context=context)
    smtp.ehlo()
    smtp.user, smtp.password = 'jane', task['secret']
    methods = {'PLAIN': smtp.auth_plain, 'LOGIN': smtp.auth_login, 'CRAM-MD5': smtp.auth_cram_md5}
    smtp.auth(task['mechanism'], methods[task['mechanism']])
    refused = smtp.sendmail('a@example.com', ['b@example.com', 'nobody@example.com'], 'Subject: x\\n\\n.\\n..\\nlast\\n')
    json.dump({address: code for address, (code, text) in refused.items()}, sys.stdout)
`;

test.each(['PLAIN', 'LOGIN', 'CRAM-MD5'] as const)(
  "Python's smtplib delivers to the receiver with %s",
  async (mechanism) => {
    await using receiver = await startReceiver([mechanism], {
      onRcpt: (address) => (address.startsWith('nobody@') ? '550 5.1.1 No such user' : undefined),
    });
    const task = { port: receiver.port, ca: certificates().ca, mechanism, secret: SECRET };
    expect(JSON.parse(await run('/usr/bin/python3', ['-c', SCRIPT], JSON.stringify(task)))).toEqual({
      'nobody@example.com': 550,
    });
    expect(receiver.mails[0]?.envelope.rcptTo).toEqual(['b@example.com']);
    expect(Buffer.from(receiver.mails[0]?.bytes ?? []).toString()).toBe('Subject: x\r\n\r\n.\r\n..\r\nlast\r\n');
  },
  60_000,
);
