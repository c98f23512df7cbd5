import { createTransport, type SendMailOptions } from 'nodemailer';
import type { EmailMessageInit } from '../../../src/model/message-init.ts';
import type { ContractBackend } from '../../../src/testing/contract/subject.ts';
import { sendWith } from './adapter.ts';

/** Nodemailer's SMTP transport, with what it offers for what the contract asks. */
export function nodemailerAdapter(host: string, port: number): ContractBackend & { readonly features: Set<string> } {
  const transport = createTransport({ host, port, ignoreTLS: true });
  return {
    features: new Set(['priority', 'dsn', 'envelopeSender', 'nonAsciiLocalPart']),
    open: () => transport.verify(),
    close: async () => transport.close(),
    sendMessages: sendWith(async (message) => {
      const { messageId, rejected } = await transport.sendMail(translate(message));
      return { id: messageId, refused: rejected };
    }),
  };
}

function translate(message: EmailMessageInit): SendMailOptions {
  const { fromEmail, to, cc, bcc, replyTo, subject, body, htmlBody, headers, attachments, priority, dsn } = message;
  const lists = { to, cc, bcc, replyTo, headers, priority } as SendMailOptions; // its types are of mutable lists
  return {
    ...lists,
    from: typeof fromEmail === 'string' ? fromEmail : { name: fromEmail.name ?? '', address: fromEmail.address },
    subject,
    ...(body !== undefined && { text: body }),
    ...(htmlBody && { html: htmlBody }),
    ...(attachments && {
      attachments: attachments.map(({ filename, content, mimetype, contentId }) => ({
        ...(filename && { filename }),
        ...(mimetype && { contentType: mimetype }),
        ...(contentId && { cid: contentId }),
        content: typeof content === 'string' ? content : Buffer.from(content as Uint8Array), // the contract gives no others
      })),
    }),
    ...(message.envelopeSender && { envelope: { from: String(message.envelopeSender), to: [to].flat() as string[] } }),
    ...(dsn?.notify && { dsn: { id: 'contract', return: 'headers', notify: [dsn.notify].flat(), recipient: '' } }),
  };
}
