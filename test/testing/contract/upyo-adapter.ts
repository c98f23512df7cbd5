import { createMessage, type MessageConstructor } from '@upyo/core';
import { SmtpTransport } from '@upyo/smtp';
import type { AddressList, EmailMessageInit } from '../../../src/model/message-init.ts';
import type { ContractBackend } from '../../../src/testing/contract/subject.ts';
import { sendWith } from './adapter.ts';

/** The SMTP transport of Upyo, with what it offers for what the contract asks. */
export function upyoAdapter(host: string, port: number): ContractBackend & { readonly features: Set<string> } {
  const transport = new SmtpTransport({ host, port, secure: false });
  return {
    features: new Set(['priority']),
    open: () => Promise.resolve(), // it connects when it sends
    close: () => transport.closeAllConnections(),
    sendMessages: sendWith(async (message, signal) => {
      const receipt = await transport.send(createMessage(translate(message)), { ...(signal && { signal }) });
      if (!receipt.successful) throw new Error(receipt.errorMessages.join('; '));
      return { id: receipt.messageId };
    }),
  };
}

type Addresses = Extract<MessageConstructor['to'], readonly unknown[]>;

function translate(message: EmailMessageInit): MessageConstructor {
  const { fromEmail, subject, body, htmlBody, headers, attachments, priority, tags } = message;
  const content = { text: body ?? '', ...(htmlBody && { html: htmlBody }) };
  return {
    from: fromEmail as MessageConstructor['from'], // a literal type for addresses, which only it can check
    to: addresses(message.to),
    cc: addresses(message.cc),
    bcc: addresses(message.bcc),
    replyTo: addresses(message.replyTo),
    subject,
    content,
    ...(headers && { headers: { ...headers } }),
    ...(priority && { priority }),
    ...(tags && { tags: [...tags] }),
    ...(attachments && {
      attachments: attachments.map(({ filename, content: file, mimetype, contentId }) => ({
        filename: filename ?? '',
        content: typeof file === 'string' ? new TextEncoder().encode(file) : (file as Uint8Array<ArrayBuffer>), // no others
        contentType: (mimetype ?? 'application/octet-stream') as `${string}/${string}`,
        inline: contentId != null,
        contentId: contentId ?? '',
      })),
    }),
  };
}

function addresses(list: AddressList | undefined): Addresses {
  return (list === undefined ? [] : [list].flat()) as unknown as Addresses; // as above
}
