import type { EmailError } from '../model/errors.ts';
import type { EmailMessage } from '../model/message.ts';
import type { MessageResult, RecipientStatus } from '../model/status.ts';
import { processState } from '../util/process-state.ts';
import { MailEvent } from './mail-event.ts';

/** What a listener of {@link BeforeSend} sees. */
export interface BeforeSendContext {
  /** The name of the backend that is about to send. */
  readonly backend: string;
  /** Pass on `{...context, message: message.with({...})}` to change it. */
  readonly message: EmailMessage;
  /** Return `{...context, cancelled: 'why'}` to cancel the mail; its recipients become `failed` with the code `cancelled`. */
  readonly cancelled: string | null;
}

/** What a listener of {@link AfterSend} sees. */
export interface AfterSendContext {
  /** The name of the backend that sent. */
  readonly backend: string;
  /** The message as it was sent. */
  readonly message: EmailMessage;
  /** The result. */
  readonly result: MessageResult;
}

/** What a listener of {@link SendFailed} sees. */
export interface SendFailedContext extends AfterSendContext {
  /** Why nothing was sent, or why that is unknown. */
  readonly error: EmailError;
}

/** What a listener of {@link Attempt} sees. */
export interface AttemptContext {
  /** The name of the wrapper. */
  readonly backend: string;
  /** The connection that tried, as in {@link RecipientStatus.via}. */
  readonly via: string;
  /** The message, or as much of it as was still to be sent. */
  readonly message: EmailMessage;
  /** What is known of its recipients after this try. */
  readonly recipients: ReadonlyMap<string, RecipientStatus>;
}

/** Emitted before a message is sent: listeners may change or cancel it. */
export const BeforeSend: MailEvent<BeforeSendContext> = /* @__PURE__ */ processState(
  'BeforeSend',
  () => new MailEvent('BeforeSend'),
);

/** Emitted when a message was sent to at least one recipient. */
export const AfterSend: MailEvent<AfterSendContext> = /* @__PURE__ */ processState(
  'AfterSend',
  () => new MailEvent('AfterSend'),
);

/** Emitted when a message was sent to no recipient, or that is unknown. */
export const SendFailed: MailEvent<SendFailedContext> = /* @__PURE__ */ processState(
  'SendFailed',
  () => new MailEvent('SendFailed'),
);

/**
 * Emitted by a wrapper such as `failover` after each try of one of its connections. It tells only: what listeners return changes
 * nothing, and one that fails is warned of.
 */
export const Attempt: MailEvent<AttemptContext> = /* @__PURE__ */ processState(
  'Attempt',
  () => new MailEvent('Attempt'),
);
