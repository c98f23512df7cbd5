// The trials in workerd, one request each: a request's sockets are its own.
import { getConnection, sendMail } from 'amsdal-mail';
import { outcome, trials } from './trials.js';

export default {
  async fetch(request, env) {
    const where = JSON.parse(env.WHERE);
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
    /** What is said of a server whose certificate is not to be trusted: nothing may be sent. */
    const untrusted = (port, tls) =>
      getConnection('smtp', { host: 'localhost', port, ...tls }).sendMessages([
        { subject: 'Hello', body: 'Text', fromEmail: 'shop@example.com', to: 'ann@example.org' },
      ]);
    const all = {
      'an untrusted certificate by STARTTLS': () => untrusted(where.untrusted.starttls, { useTls: true }),
      'an untrusted certificate by implicit TLS': () => untrusted(where.untrusted.implicit, { useSsl: true }),
      'a certificate for another host by STARTTLS': () => untrusted(where.otherHost.starttls, { useTls: true }),
      'a certificate for another host by implicit TLS': () => untrusted(where.otherHost.implicit, { useSsl: true }),
      'options of TLS': () => untrusted(25, { useTls: true, tls: { rejectUnauthorized: false } }),
      'the ses backend without keys': () =>
        getConnection('ses', { region: 'eu-west-1' }).sendMessages([
          { subject: 'Hello', body: 'Text', fromEmail: 'shop@example.com', to: 'ann@example.org' },
        ]),
      'the file backend': () => getConnection('file', { path: '/tmp/mails' }),
      ...trials(where),
      async 'five mails by the shared connection'() {
        const mails = Array.from({ length: 5 }, (_, i) =>
          sendMail({
            subject: `Mail ${i}`,
            message: 'Text',
            fromEmail: 'shop@example.com',
            recipientList: ['ann@example.org'],
          }),
        );
        return (await Promise.all(mails)).every(({ isSuccess }) => isSuccess);
      },
      async 'one list by the shared connection'() {
        const mails = Array.from({ length: 5 }, () => ({
          subject: 'Listed',
          body: 'Text',
          fromEmail: 'shop@example.com',
          to: 'ann@example.org',
        }));
        return (await getConnection().sendMessages(mails)).isSuccess;
      },
    };
    return Response.json(await outcome(all[name]));
  },
};
