import {
  type AfterSendContext,
  type AttemptContext,
  type BeforeSendContext,
  mailEvents,
  type SendFailedContext,
} from './mail-contexts.ts';
import { MailEvent } from './mail-event.ts';

export type { AfterSendContext, AttemptContext, BeforeSendContext, SendFailedContext } from './mail-contexts.ts';

/** Emitted before a message is sent: listeners may change or cancel it. */
export const BeforeSend: MailEvent<BeforeSendContext> = /* @__PURE__ */ (() => {
  mailEvents.BeforeSend ??= new MailEvent('BeforeSend');
  return mailEvents.BeforeSend;
})();

/** Emitted when a message was sent to at least one recipient. */
export const AfterSend: MailEvent<AfterSendContext> = /* @__PURE__ */ (() => {
  mailEvents.AfterSend ??= new MailEvent('AfterSend');
  return mailEvents.AfterSend;
})();

/** Emitted when a message was sent to no recipient, or that is unknown. */
export const SendFailed: MailEvent<SendFailedContext> = /* @__PURE__ */ (() => {
  mailEvents.SendFailed ??= new MailEvent('SendFailed');
  return mailEvents.SendFailed;
})();

/**
 * Emitted by a wrapper such as `failover` after each try of one of its connections. It tells only: what listeners return changes
 * nothing, and one that fails is warned of.
 */
export const Attempt: MailEvent<AttemptContext> = /* @__PURE__ */ (() => {
  mailEvents.Attempt ??= new MailEvent('Attempt');
  return mailEvents.Attempt;
})();
