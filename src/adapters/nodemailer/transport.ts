import type { EmailBackend } from '../../backend.ts';
import { connectionFor } from '../../connection.ts';
import { SendError } from '../../errors.ts';
import type { ConnectionName } from '../../named-connections.ts';
import type { RecipientStatus, SendStatus } from '../../status.ts';
import type { MailData, NodemailerMail } from './mail.ts';
import { messageOf } from './message.ts';
import { refuseUnsupported } from './refuse.ts';

/** What `transporter.sendMail` resolves to over {@link amsdalTransport}. */
export interface NodemailerInfo {
  /** Who the mail is from and for, as Nodemailer sees it. */
  readonly envelope: { readonly from: string | false; readonly to: string[] };
  /** The Message-ID in brackets; of a provider that replaces it, such as SES, the provider's id. */
  readonly messageId: string;
  /** The recipients that are `sent` or `queued`. */
  readonly accepted: string[];
  /** The recipients that are `rejected`, `invalid` or `failed`; `status` tells which and why. */
  readonly rejected: string[];
  /** The recipients whose outcome is `unknown`. */
  readonly pending: string[];
  /** The server's reply to the first recipient that was accepted, as `250 2.0.0 Ok: queued as 1A2B`. */
  readonly response: string;
  /** Everything that is known of every recipient. */
  readonly status: SendStatus;
}

/** A transport for `nodemailer.createTransport`. */
export interface NodemailerTransport {
  /** Its name in Nodemailer's log. */
  readonly name: string;
  /** Its version in Nodemailer's log. */
  readonly version: string;
  /** That the field `signal` of a mail ends it at once. */
  readonly supportsAbortSignal: true;
  /** Sends a mail; called by Nodemailer. */
  send(mail: NodemailerMail, callback: (error: Error | null, info?: NodemailerInfo) => void): void;
  /** {@link EmailBackend.verify} of the connection, by promise or callback. */
  verify(callback?: (error: Error | null, success?: true) => void): Promise<true>;
  /** {@link EmailBackend.close} of the connection, which can be used again. */
  close(): Promise<void>;
  /** Whether fewer than 100 mails are under way over this transport; the event `idle` tells when it is so again. */
  isIdle(): boolean;
  /** Listens to `idle`, which is emitted at the start, too; there are no other events. */
  on(event: string | symbol, listener: () => void): this;
}

/** Mails under way above which {@link NodemailerTransport.isIdle} says no. */
const BUSY = 100;

/**
 * A connection as a transport of Nodemailer, so that calls of `transporter.sendMail` stay as they are.
 *
 * Nodemailer reads the contents (`path` and `href` too, unless its `disableFileAccess` and `disableUrlAccess` forbid it), this
 * library composes and sends. A mail that Nodemailer could send and a message of ours cannot say is refused with a MessageError
 * (`unsupported-feature`); every error is one of ours, and has the `status`.
 *
 * @param connection A connection, or the `@name` of one; default: the process's own, as for `sendMail`.
 * @throws {ConfigurationError} when there is no such connection.
 */
export function amsdalTransport(connection?: EmailBackend | ConnectionName): NodemailerTransport {
  connectionFor(connection); // what is wrong with the configuration is told now
  const listeners: (() => void)[] = [];
  let underWay = 0;
  const becomeIdle = () => {
    for (const listener of listeners) listener();
  };
  setImmediate(becomeIdle); // when the caller has had time to listen
  return {
    name: 'amsdal-mail',
    version: '1',
    supportsAbortSignal: true,
    send(mail, callback) {
      underWay++;
      send(mail, connection)
        .finally(() => {
          if (underWay-- === BUSY) becomeIdle();
        })
        // Outside the promise: what the callback throws is none of its business.
        .then(
          (info) => setImmediate(callback, null, info),
          (error: Error) => setImmediate(callback, error),
        );
    },
    verify(callback) {
      const verified = connectionFor(connection)
        .verify()
        .then(() => true as const);
      if (callback) verified.then((success) => callback(null, success), callback);
      return verified;
    },
    close: () => connectionFor(connection).close(),
    isIdle: () => underWay < BUSY,
    on(event, listener) {
      if (event === 'idle') listeners.push(listener);
      return this;
    },
  };
}

async function send(mail: NodemailerMail, target: EmailBackend | ConnectionName | undefined): Promise<NodemailerInfo> {
  const { message } = mail;
  if (message === null)
    throw new SendError('source', 'Nodemailer gave a mail that it has not compiled', { phase: 'queue' });
  const { signal } = prepared(mail);
  const data = await normalize(mail);
  const status = await connectionFor(target).sendMessages([messageOf(data, message)], signal ? { signal } : {});
  const addresses = (...known: readonly RecipientStatus['status'][]) =>
    [...status.recipients.values()]
      .filter((recipient) => known.includes(recipient.status))
      .map(({ address }) => address);
  const given = message.messageId();
  const ids = [status.messageId ?? given].flatMap((id) => (typeof id === 'string' ? id : [...id]));
  const accepted = addresses('sent', 'queued');
  return {
    envelope: message.getEnvelope(),
    messageId: ids.map((id) => (`<${id}>` === given ? given : id)).join(', '),
    accepted,
    rejected: addresses('rejected', 'invalid', 'failed'),
    pending: addresses('unknown'),
    response: responseOf(status.recipients.get(accepted[0] ?? '')),
    status,
  };
}

/** Refuses what cannot be sent, and keeps Nodemailer from writing what it reads into the caller's own lists. */
function prepared(mail: NodemailerMail): MailData {
  const data = mail.data as MailData & Record<string, unknown>; // Nodemailer's own copy of what it was given
  for (const field of ['attachments', 'alternatives'] as const) {
    // A single one needs no list for Nodemailer.
    const list = [data[field] || []].flat();
    Object.assign(data, { [field]: list.map((part) => ({ ...part, isNameless: part.filename === false })) });
  }
  const mailer = 'mailer' in mail ? mail.mailer : null;
  refuseUnsupported(data, typeof mailer === 'object' && mailer !== null ? mailer : {});
  return data;
}

function normalize(mail: NodemailerMail): Promise<MailData> {
  return new Promise((resolve, reject) => {
    mail.normalize((error, data) => {
      if (error) reject(unreadable(error));
      else resolve(data ?? {});
    });
  });
}

function unreadable(cause: Error): SendError {
  return new SendError('source', `a content could not be read: ${cause.message}`, { phase: 'content', cause });
}

function responseOf(recipient: RecipientStatus | undefined): string {
  if (recipient === undefined) return '';
  const { code, enhancedCode, response } = recipient;
  return [code, enhancedCode, response].filter((part) => part !== null).join(' ');
}
