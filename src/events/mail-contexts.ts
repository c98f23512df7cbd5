import type { EmailError } from '../model/errors.ts';
import type { EmailMessage } from '../model/message.ts';
import type { MessageResult, RecipientStatus } from '../model/status.ts';
import { processState } from '../util/process-state.ts';
import type { MailEvent } from './mail-event.ts';

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

/** The mail events of a process. */
interface MailEvents {
  BeforeSend?: MailEvent<BeforeSendContext>;
  AfterSend?: MailEvent<AfterSendContext>;
  SendFailed?: MailEvent<SendFailedContext>;
  Attempt?: MailEvent<AttemptContext>;
}

/**
 * Those that anything in this process has imported, without which nobody listens. Who sends looks here, so that programs without
 * listeners do without what runs them.
 */
export const mailEvents: MailEvents = /* @__PURE__ */ processState('mail events', () => ({}));
