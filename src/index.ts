/// <reference lib="esnext.disposable" preserve="true" />
export type {
  ConfigurationErrorCode,
  ConnectionErrorCode,
  EmailErrorOptions,
  ErrorCode,
  ErrorPhase,
  MessageErrorCode,
  MessageIssue,
  MessageIssueCode,
  Outcome,
  SendErrorCode,
  ServerReply,
} from './errors.ts';
export {
  ConfigurationError,
  EmailConnectionError,
  EmailError,
  MessageError,
  SendError,
  UnsupportedFeatureError,
} from './errors.ts';
export type { DeliveryStatus, MessageResult, RecipientStatus, SendStatusJson } from './status.ts';
export { SendStatus } from './status.ts';
