// What a mail library is asked to do, in whatever runtime this is: a name and what it gives when it works.
import { Attachment, getConnection } from 'amsdal-mail';
import { composeMessage, lint } from 'amsdal-mail/mime';

const draft = { subject: 'Hello', body: 'Text', fromEmail: 'shop@example.com', to: 'ann@example.org' };
const plain = (port) => ({ host: '127.0.0.1', port, useTls: false });
const login = { username: 'shop', password: 'secret' };

async function sent(connection, ...mails) {
  const status = await connection.sendMessages(mails);
  await connection.close();
  return status.isSuccess;
}

/** @param where the ports of the servers, and the CA to trust where a runtime takes one from the program */
export const trials = (where) => ({
  async console() {
    let printed = '';
    const stream = { write: (text) => (printed += text) };
    await getConnection('console', { stream }).sendMessages([draft]);
    return printed.includes('Subject: Hello');
  },
  async compose() {
    const { EmailMessage } = await import('amsdal-mail');
    const eml = new TextDecoder().decode(composeMessage(new EmailMessage({ ...draft, subject: 'Grüße' })));
    return /^Subject: =\?utf-8\?/im.test(eml);
  },
  async lint() {
    const { EmailMessage } = await import('amsdal-mail');
    return Array.isArray(lint(new EmailMessage({ ...draft, htmlBody: '<img src="http://x.example/a.png">' })));
  },
  async 'partial refusal'() {
    const connection = getConnection('smtp', plain(where.plain));
    const { recipients } = await connection.sendMessages([
      { ...draft, to: ['ann@example.org', 'unknown@example.org'] },
    ]);
    await connection.close();
    const statuses = [...recipients.values()].map(({ status }) => status);
    return statuses.join() === 'sent,invalid';
  },
  async 'lost answer'() {
    const connection = getConnection('smtp', plain(where.lossy));
    const { results } = await connection.sendMessages([draft], { failSilently: true });
    await connection.close();
    return results[0].error.code === 'uncertain' && results[0].error.outcome === 'unknown';
  },
  'STARTTLS and login': () =>
    sent(
      getConnection('smtp', { host: 'localhost', port: where.starttls, useTls: true, ...login, ...where.trust }),
      draft,
    ),
  'implicit TLS and login': () =>
    sent(
      getConnection('smtp', { host: 'localhost', port: where.implicit, useSsl: true, ...login, ...where.trust }),
      draft,
    ),
  '20 pooled': () => sent(getConnection('smtp', plain(where.plain)), ...Array.from({ length: 20 }, () => draft)),
  async 'a stream of 3 MB'() {
    async function* content() {
      for (let i = 0; i < 48; i++) yield new Uint8Array(65_536).fill(i);
    }
    const attachment = new Attachment({ filename: 'big.bin', content: content() });
    return sent(getConnection('smtp', plain(where.plain)), { ...draft, attachments: [attachment] });
  },
  blocking: async () => getConnection('smtp', plain(where.plain)).sendMessagesSync([draft]).isSuccess,
  dummy: () => sent(getConnection('dummy'), draft),
  mailbox: () => sent(getConnection('mailbox', { port: 0, smtpPort: 0 }), draft),
});

/** What became of one: true, or what was thrown. */
export async function outcome(trial) {
  try {
    return await trial();
  } catch (error) {
    return `${error.name} ${error.code}: ${error.message}`;
  }
}
