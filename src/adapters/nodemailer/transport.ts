import type { EmailBackend } from '../../backend/backend.ts';
import { connectionFor } from '../../connection/connection.ts';
import type { ConnectionName } from '../../connection/named.ts';
import { SendError } from '../../model/errors.ts';
import type { RecipientStatus, SendStatus } from '../../model/status.ts';
import type { MailData, NodemailerMail } from './mail.ts';
import { messageOf } from './message.ts';
import { refuseUnsupported } from './refuse.ts';

/** What `transporter.sendMail` resolves to over {@link amsdalTransport}. */
export interface NodemailerInfo {
  /** The sender and the recipients, as Nodemailer determined them. */
  readonly envelope: { readonly from: string | false; readonly to: string[] };
  /** The Message-ID in brackets; the provider's id when the provider replaces it, as SES does. */
  readonly messageId: string;
  /** The recipients that are `sent` or `queued`. */
  readonly accepted: string[];
  /** The recipients that are `rejected`, `invalid` or `failed`; see `status` for which and why. */
  readonly rejected: string[];
  /** The recipients whose outcome is `unknown`. */
  readonly pending: string[];
  /** The server's reply for the first accepted recipient, such as `250 2.0.0 Ok: queued as 1A2B`. */
  readonly response: string;
  /** The full status of every recipient. */
  readonly status: SendStatus;
}

/** A transport for `nodemailer.createTransport`. */
export interface NodemailerTransport {
  /** Its name in Nodemailer's log. */
  readonly name: string;
  /** Its version in Nodemailer's log. */
  readonly version: string;
  /** Tells Nodemailer that the field `signal` of a mail aborts it. */
  readonly supportsAbortSignal: true;
  /** Sends a mail; called by Nodemailer. */
  send(mail: NodemailerMail, callback: (error: Error | null, info?: NodemailerInfo) => void): void;
  /** {@link EmailBackend.verify} of the connection, by promise or callback. */
  verify(callback?: (error: Error | null, success?: true) => void): Promise<true>;
  /** {@link EmailBackend.close} of the connection, which can be used again. */
  close(): Promise<void>;
  /** Whether fewer than 100 mails are under way over this transport; `idle` is emitted when that becomes true again. */
  isIdle(): boolean;
  /** Listens to `idle`, also emitted at the start; there are no other events. */
  on(event: string | symbol, listener: () => void): this;
}

/** Mails under way from which {@link NodemailerTransport.isIdle} is false. */
const BUSY = 100;

/**
 * Makes a Nodemailer transport from a connection, so that calls of `transporter.sendMail` need no change.
 *
 * Nodemailer reads the contents (`path` and `href` too, unless `disableFileAccess` and `disableUrlAccess` forbid it); this
 * library composes and sends. A mail that a message of ours cannot express is refused with MessageError
 * `unsupported-feature`. Every error is one of ours and has the `status`.
 *
 * @param connection A connection, or the `@name` of one; default the process's own, as for `sendMail`.
 * @throws {ConfigurationError} when there is no such connection.
 */
export function amsdalTransport(connection?: EmailBackend | ConnectionName): NodemailerTransport {
  connectionFor(connection); // reports a bad configuration now
  const listeners: (() => void)[] = [];
  let underWay = 0;
  const becomeIdle = () => {
    for (const listener of listeners) listener();
  };
  setImmediate(becomeIdle); // after the caller has had time to listen
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
        // Outside the promise, so that it does not catch what the callback throws.
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

/** Refuses what cannot be sent, and copies the caller's lists, into which Nodemailer would write the contents it reads. */
function prepared(mail: NodemailerMail): MailData {
  const data = mail.data as MailData & Record<string, unknown>; // Nodemailer's own copy of the caller's fields
  for (const field of ['attachments', 'alternatives'] as const) {
    // Nodemailer also accepts a single one without a list.
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
