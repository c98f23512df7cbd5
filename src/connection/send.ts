import type { EmailBackend, SendOptions } from '../backend/backend.ts';
import { type AddressInput, comparisonKey } from '../model/address.ts';
import { copyError, thrownHere } from '../model/error-copies.ts';
import { MessageError, type MessageIssue } from '../model/errors.ts';
import { deriveKey, isIdempotencyKey } from '../model/idempotency-key.ts';
import { noSuchField } from '../model/message.ts';
import type { AddressList, EmailMessageDraft } from '../model/message-init.ts';
import type { SendStatus } from '../model/status.ts';
import { connectionFor } from './connection.ts';
import type { ConnectionName } from './named.ts';

/** The arguments of {@link sendMail}: the message, its recipients, and how to send it. */
export interface SendMailInit extends Omit<EmailMessageDraft, 'body' | 'htmlBody' | 'to'> {
  /** The plain text. */
  readonly message?: string;
  /** The recipients; may be omitted when there is a `cc` or `bcc`. */
  readonly recipientList?: AddressList;
  /** The text as HTML. */
  readonly htmlMessage?: string | null;
  /** Reports delivery failures in the status instead of throwing them; default false. */
  readonly failSilently?: boolean;
  /** A connection, or `'@name'` for a named one; default: the shared one that the environment configures. */
  readonly connection?: EmailBackend | ConnectionName;
  /** Aborts the call. */
  readonly signal?: AbortSignal;
}

/** The arguments of {@link sendMailSync}. */
export type SendMailSyncInit = Omit<SendMailInit, 'signal'>;

/** The arguments of {@link sendEach}: those of {@link sendMail}, without what would show or send a mail to others. */
export interface SendEachInit
  extends Omit<SendMailInit, 'cc' | 'bcc' | 'messageId' | 'recipientList'>,
    Pick<SendOptions, 'onProgress'> {
  /** Each gets a separate mail. */
  readonly recipientList: readonly AddressInput[];
}

/**
 * Sends one mail; the status says what happened to every recipient.
 *
 * @throws {MessageError} `invalid-message`, `unsupported-feature`: nothing was sent.
 * @throws {ConfigurationError} the environment is wrong: nothing was sent.
 * @throws {EmailConnectionError | SendError} no recipient was sent or queued; `error.status` has what is known.
 */
export function sendMail(init: SendMailInit): Promise<SendStatus> {
  // Not an async function: a hundred thousand calls may be pending, and each would hold a frame.
  try {
    const { signal, failSilently } = init;
    const connection = connectionFor(init.connection);
    const options =
      signal || failSilently ? { ...(signal && { signal }), failSilently: failSilently === true } : undefined;
    return connection.sendMessages([toDraft(init)], options).catch(sendMailFailed);
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * {@link sendMail} that blocks the thread until it is done; for scripts, migrations and command-line tools.
 *
 * @throws {ConfigurationError} `not-blocking` when the connection cannot be used from a worker thread.
 */
export function sendMailSync(init: SendMailSyncInit): SendStatus {
  const connection = connectionFor(init.connection);
  const draft = toDraft(init);
  try {
    return connection.sendMessagesSync([draft], { failSilently: init.failSilently ?? false });
  } catch (error) {
    throw thrownHere(withCallerNames(error, ARGUMENT_OF));
  }
}

/**
 * Sends one mail to each recipient, so that nobody sees the others; each mail has only its recipient's `mergeData`,
 * and an `idempotencyKey` of its own, made from the one given and the address.
 *
 * @throws As {@link sendMail}, when none of the mails was sent or queued.
 */
export async function sendEach(init: SendEachInit): Promise<SendStatus> {
  const { connection, failSilently = false, signal, onProgress, recipientList, ...mail } = init;
  const forbidden = (['cc', 'bcc', 'messageId'] as const).filter((field) => Reflect.get(mail, field) !== undefined);
  if (forbidden.length > 0) {
    throw new MessageError(
      forbidden.map((path) => ({
        path,
        code: 'unknown-field',
        message: 'it cannot be the same in every mail; leave it out',
      })),
    );
  }
  if (!Array.isArray(recipientList) || recipientList.length === 0) {
    throw new MessageError([
      { path: 'recipientList', code: 'required', message: 'give an array of at least one recipient' },
    ]);
  }
  const data = Object.entries(mail.mergeData ?? {}).map(
    ([address, own]) => [comparisonKey(address), { [address]: own }] as const,
  );
  const mergeData = mail.mergeData ? new Map(data) : null;
  const messages = recipientList.map((recipient: AddressInput) =>
    toDraft({
      ...mail,
      recipientList: [recipient],
      ...(isKey(mail.idempotencyKey) && { idempotencyKey: deriveKey(mail.idempotencyKey, comparisonKey(recipient)) }),
      ...(mergeData && { mergeData: mergeData.get(comparisonKey(recipient)) ?? {} }),
    }),
  );
  const used = connectionFor(connection);
  const options = { failSilently, ...(signal && { signal }), ...(onProgress && { onProgress }) };
  try {
    return await used.sendMessages(messages, options);
  } catch (error) {
    const index = error instanceof MessageError ? error.status?.results.find((result) => result.error)?.index : 0;
    throw thrownHere(withCallerNames(error, { ...ARGUMENT_OF, 'to[0]': `recipientList[${index}]` }));
  }
}

/** An invalid key is refused in every mail. */
function isKey(key: string | null | undefined): key is string {
  return typeof key === 'string' && isIdempotencyKey(key);
}

/** Arguments that are not fields of the message. */
const CALL_ARGUMENTS: ReadonlySet<string> = new Set(['connection', 'failSilently', 'signal']);
const FIELD_OF: Readonly<Record<string, string>> = { message: 'body', recipientList: 'to', htmlMessage: 'htmlBody' };
const ARGUMENT_OF: Readonly<Record<string, string>> = { body: 'message', to: 'recipientList', htmlBody: 'htmlMessage' };

function sendMailFailed(error: unknown): never {
  throw thrownHere(withCallerNames(error, ARGUMENT_OF));
}

function toDraft(init: SendMailInit): EmailMessageDraft {
  const given = init as unknown as Readonly<Record<string, unknown>>; // an object has members under strings
  const draft: Record<string, unknown> = {};
  for (const argument of Object.keys(given)) {
    const value = given[argument];
    if (CALL_ARGUMENTS.has(argument) || value === undefined) continue;
    const rightName = ARGUMENT_OF[argument];
    if (rightName !== undefined) {
      throw new MessageError([{ path: argument, code: 'unknown-field', message: `sendMail calls it ${rightName}` }]);
    }
    draft[FIELD_OF[argument] ?? argument] = value;
  }
  return draft as unknown as EmailMessageDraft; // the fields of SendMailInit under their names in a message
}

/** A message's faults under the caller's names for the fields. */
function withCallerNames(error: unknown, names: Readonly<Record<string, string>>): unknown {
  if (!(error instanceof MessageError) || error.code !== 'invalid-message') return error;
  const issues = error.issues.map((issue) => {
    if (issue.code === 'unknown-field' && !/[.[]/.test(issue.path))
      return { ...issue, message: noSuchField(issue.path, ARGUMENT_OF) };
    const [field = ''] = /^[a-z]+/i.exec(issue.path) ?? [];
    const path = names[issue.path] ?? issue.path.replace(field, names[field] ?? field);
    return { ...issue, path };
  });
  const isSame = ({ path, message: text }: MessageIssue, index: number): boolean =>
    path === error.issues[index]?.path && text === error.issues[index].message;
  if (issues.every(isSame)) return error;
  const { message } = new MessageError(issues);
  return copyError(error, { issues, message });
}
