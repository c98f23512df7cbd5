import { Attachment, EmailParams, MailerSend, Recipient, Sender } from 'mailersend';
import { getConnection } from '../../src/index.ts';
import { base64, DOCUMENT, LATER, PICTURE } from './messages.ts';
import { describeSdk } from './oracle.ts';

const KEY = 'mlsn.0123456789abcdef';
const mail = () =>
  new EmailParams()
    .setSubject('Hello')
    .setText('Hello')
    .setFrom(new Sender('shop@example.com'))
    .setTo([new Recipient('ann@example.org')]);

describeSdk('mailersend', {
  connect: () => getConnection('mailersend', { apiKey: KEY, maxConnections: 1 }),
  sdk: () => new MailerSend({ apiKey: KEY }).email,
  answer: () => ({ status: 202, headers: { 'x-message-id': 'id-0' }, body: '' }),
  cases: {
    'text and HTML': { send: (email) => email.send(mail().setHtml('<p>Hello</p>')) },
    'all fields': {
      send: (email) =>
        email.send(
          new EmailParams()
            .setSubject('Your order 17')
            .setText('Thank you.')
            .setHtml('<p>Thank you.</p>')
            .setFrom(new Sender('shop@example.com', 'Shop'))
            .setTo([new Recipient('ann@example.org', 'Ann'), new Recipient('bob@example.org')])
            .setCc([new Recipient('cid@example.org', 'Cid')])
            .setBcc([new Recipient('dan@example.org')])
            .setReplyTo(new Recipient('help@example.com', 'Help'))
            .setHeaders([{ name: 'X-Order', value: '17' }])
            .setTags(['receipt'])
            .setSettings({ track_opens: true, track_clicks: true }),
        ),
    },
    'names beyond ASCII': {
      send: (email) =>
        email.send(
          mail()
            .setSubject('Größe 日本')
            .setFrom(new Sender('shop@example.com', 'Müller, Jörg'))
            .setTo([new Recipient('yamada@example.org', '山田 太郎')]),
        ),
    },
    'picture in the text': {
      send: (email) =>
        email.send(
          mail()
            .setHtml('<img src="cid:logo">')
            .setAttachments([new Attachment(base64(PICTURE), 'logo.png', 'inline', 'logo')]),
        ),
    },
    files: {
      send: (email) =>
        email.send(
          mail().setAttachments([
            new Attachment(base64('Grüße'), 'notes.txt'),
            new Attachment(base64(DOCUMENT), 'Übersicht.pdf'),
            new Attachment(base64('id\n17\n'), 'orders.csv'),
          ]),
        ),
    },
    'several to reply to': 'MailerSend takes one address for replies',
    'template for three': {
      send: async (email) => {
        for (const [to, name] of [
          [new Recipient('ann@example.org', 'Ann'), 'Ann'],
          [new Recipient('bob@example.org'), 'Bob'],
          [new Recipient('cid@example.org'), 'Cid'],
        ] as const) {
          await email.send(
            new EmailParams()
              .setFrom(new Sender('shop@example.com'))
              .setTo([to])
              .setTemplateId('welcome')
              .setPersonalization([{ email: to.email, data: { shop: 'Books', name } }]),
          );
        }
      },
    },
    'three mails': {
      send: async (email) => {
        await email.send(mail().setSubject('One'));
        await email.send(
          new EmailParams()
            .setSubject('Two')
            .setHtml('<p>Two</p>')
            .setFrom(new Sender('shop@example.com'))
            .setTo([new Recipient('bob@example.org')]),
        );
        await email.send(
          mail()
            .setSubject('Three')
            .setHtml('<p>Three</p>')
            .setTo([new Recipient('cid@example.org')]),
        );
      },
    },
    'idempotency key': 'MailerSend has no such keys',
    schedule: { send: (email) => email.send(mail().setSendAt(LATER.getTime() / 1_000)) },
  },
});
