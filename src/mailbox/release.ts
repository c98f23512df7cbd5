import type { EmailBackend } from '../backend/backend.ts';
import { messageFromEml } from '../mime/read/message-from-eml.ts';
import { comparisonKey, isMailboxInput } from '../model/address.ts';
import { ConfigurationError, EmailError } from '../model/errors.ts';
import { EmailMessage } from '../model/message.ts';
import type { SendStatusJson } from '../model/status.ts';
import { reasonOf } from '../util/reason.ts';

/** Where caught mails may be sent on to, and how. */
export interface ReleaseOptions {
  /** The addresses a mail may be sent on to: `me@example.com`, or `*@example.com` for all of a domain. */
  readonly to: readonly string[];
  /** The connection that sends it on. */
  readonly connection: EmailBackend;
}

/** Sends caught mails on, to allowed addresses only. */
export class MailRelease {
  readonly #connection: EmailBackend;
  /** The allowed addresses and `*@domain` patterns. */
  readonly allowed: readonly string[];

  /** @throws {ConfigurationError} `conflicting-options` when it would send into the mailbox again. */
  constructor({ to, connection }: ReleaseOptions) {
    if (connection.name === 'mailbox') {
      throw new ConfigurationError(
        'conflicting-options',
        'release: the mailbox backend would catch the mail again; give a connection that sends',
      );
    }
    this.allowed = to;
    this.#connection = connection;
  }

  /** Sends a mail on to this address only, not to its own recipients. */
  async send(bytes: Uint8Array, to: string, signal: AbortSignal): Promise<ReleaseResult> {
    if (!this.allowed.some((pattern) => isMatch(pattern.trim(), to.trim()))) {
      return { isSent: false, message: `${to} is not among the allowed addresses`, status: null };
    }
    try {
      const status = await this.#connection.sendMessages([readMessage(bytes, to)], { signal });
      const [recipient] = status.recipients.values();
      const error = status.error ?? recipient?.error;
      const message = status.isSuccess ? `sent to ${to}` : (error?.message ?? `not sent to ${to}`);
      return { isSent: status.isSuccess, message, status: status.toJSON() };
    } catch (error) {
      const status = error instanceof EmailError ? (error.status?.toJSON() ?? null) : null;
      return { isSent: false, message: reasonOf(error), status };
    }
  }
}

function isMatch(pattern: string, address: string): boolean {
  if (!pattern.startsWith('*@')) return comparisonKey(address) === comparisonKey(pattern);
  return isMailboxInput(address) && domainKey(address) === domainKey(`postmaster${pattern.slice(1)}`);
}

function domainKey(address: string): string {
  const key = comparisonKey(address);
  return key.slice(key.lastIndexOf('@') + 1);
}

/** The outcome of a release. */
export interface ReleaseResult {
  readonly isSent: boolean;
  readonly message: string;
  readonly status: SendStatusJson | null;
}

/** The mail for one recipient, with a Date and Message-ID of its own. */
function readMessage(bytes: Uint8Array, to: string): EmailMessage {
  const caught = messageFromEml(bytes);
  return new EmailMessage({ ...caught, to: [to], cc: [], bcc: [], date: null, messageId: null });
}
