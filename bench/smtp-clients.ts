import { createMessage } from '@upyo/core';
import { SmtpTransport } from '@upyo/smtp';
import { createTransport } from 'nodemailer';
import { SmtpBackend } from '../src/backends/smtp.ts';
import type { EmailMessageInit } from '../src/model/message-init.ts';

/** How a library is set up for a case. */
export interface ClientOptions {
  readonly port: number;
  readonly connections: number;
  readonly maxInFlight?: number;
  /** Recipients of each mail; 1 by default. */
  readonly recipients?: number;
}

/** A library, sending to one server. */
export interface Client {
  /** Sends one mail after the other, waiting for each. */
  awaited(count: number): Promise<void>;
  /** Sends many as fast as the library can. */
  bulk(count: number): Promise<void>;
  close(): Promise<void>;
}

export const FROM = 'shop@example.com';
let serial = 0;

/** What a mail has that no other one has. */
export function fresh(recipients: number): { readonly subject: string; readonly text: string; readonly to: string[] } {
  const number = ++serial;
  return {
    subject: `Your order ${number}`,
    text: `Thank you for order number ${number}.\n`,
    to: Array.from({ length: recipients }, (_, at) => `customer${number}.${at}@example.com`),
  };
}

function* freshMails(count: number, recipients: number): Generator<EmailMessageInit, void, undefined> {
  for (let sent = 0; sent < count; sent++) {
    const { subject, text, to } = fresh(recipients);
    yield { subject, body: text, fromEmail: FROM, to };
  }
}

/** amsdal-mail: `sendMessages` for one, `stream` for many. */
export function ours({ port, connections, maxInFlight = 8, recipients = 1 }: ClientOptions): Client {
  const backend = new SmtpBackend({ host: '127.0.0.1', port, maxConnections: connections, maxInFlight });
  return {
    async awaited(count) {
      for (const mail of freshMails(count, recipients)) await backend.sendMessages([mail]);
    },
    async bulk(count) {
      for await (const { error } of backend.stream(freshMails(count, recipients))) if (error) throw error;
    },
    close: () => backend.close(),
  };
}

/** nodemailer with its pool, which is how it is fastest. */
export function nodemailer({ port, connections, recipients = 1 }: ClientOptions): Client {
  const transport = createTransport({
    host: '127.0.0.1',
    port,
    pool: true,
    maxConnections: connections,
    maxMessages: Number.POSITIVE_INFINITY,
    ignoreTLS: true,
  });
  const send = () => transport.sendMail({ ...fresh(recipients), from: FROM });
  return {
    async awaited(count) {
      for (let sent = 0; sent < count; sent++) await send();
    },
    async bulk(count) {
      await Promise.all(Array.from({ length: count }, send));
    },
    close: async () => transport.close(),
  };
}

/** @upyo/smtp with its pool. */
export function upyo({ port, connections, recipients = 1 }: ClientOptions): Client {
  const transport = new SmtpTransport({ host: '127.0.0.1', port, secure: false, pool: true, poolSize: connections });
  const message = () => {
    const { subject, text, to } = fresh(recipients);
    // The type asks for literal addresses.
    return createMessage({ from: FROM, to: to as `${string}@${string}`[], subject, content: { text } });
  };
  const send = async () => {
    const receipt = await transport.send(message());
    if (!receipt.successful) throw new Error(receipt.errorMessages.join());
  };
  return {
    async awaited(count) {
      for (let sent = 0; sent < count; sent++) await send();
    },
    async bulk(count) {
      let left = count;
      const worker = async () => {
        while (left-- > 0) await send();
      };
      await Promise.all(Array.from({ length: connections }, worker));
    },
    close: () => transport.closeAllConnections(),
  };
}
