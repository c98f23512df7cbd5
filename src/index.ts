export type { AddressInput, Group, Mailbox } from './address.ts';
export { AddressSyntaxError } from './address.ts';
export type {
  AttachmentContent,
  AttachmentInit,
  BlobLike,
  FromFileOptions,
  JsonBuffer,
  ReadableStreamLike,
} from './attachment.ts';
export { Attachment } from './attachment.ts';
export type {
  BackendOptions,
  BackendStats,
  SendOptions,
  SyncSendOptions,
  UrlSchemes,
  Verification,
} from './backend.ts';
export { BACKEND_OPTIONS, EmailBackend, RETRY_OPTION } from './backend.ts';
export type { ConsoleOptions } from './backends/console.ts';
export { ConsoleBackend } from './backends/console.ts';
export type { DummyOptions } from './backends/dummy.ts';
export { DummyBackend } from './backends/dummy.ts';
export type { FileOptions } from './backends/file.ts';
export { FileBackend } from './backends/file.ts';
export type {
  DecodedEmailTags,
  SesClientLike,
  SesCredentials,
  SesListManagement,
  SesOptions,
  SesQuota,
  SesStats,
} from './backends/ses.ts';
export { decodeEmailTags, SesBackend } from './backends/ses.ts';
export type {
  AuthMethod,
  OAuth2ClientOptions,
  OAuth2Options,
  OAuth2RefreshOptions,
  SmtpBackendOptions,
  SmtpOptions,
  SmtpSecurity,
  SmtpSocket,
  SmtpTarget,
  SmtpTimeouts,
  SmtpTlsOptions,
} from './backends/smtp.ts';
export { SmtpBackend } from './backends/smtp.ts';
export type { CallOptions, SendProgress } from './call-options.ts';
export { defaultConnection, getConnection, type NamedBackend, setDefaultConnection } from './connection.ts';
export type { DeliverOne } from './deliver-each.ts';
export { deliverEach, deliverEachSync } from './deliver-each.ts';
export type { DeliveryContext, DeliveryResult, Job } from './delivery.ts';
export { failedDelivery, sameForAll } from './delivery.ts';
export type { DeliveryFilter } from './delivery-filter.ts';
export type {
  ConfigurationErrorCode,
  ConfigurationErrorOptions,
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
export type { Awaitable, ErrorStrategy, Listener, ListenerOptions, Next } from './events.ts';
export { MailEvent } from './events.ts';
export type { AdvisoryFeature, EssentialFeature, Feature, IgnoredReasons } from './features.ts';
export { ALL_FEATURES } from './features.ts';
export { loadBackend } from './load-backend.ts';
export { LocalBackend } from './local-backend.ts';
export type { AfterSendContext, BeforeSendContext, SendFailedContext } from './mail-events.ts';
export { AfterSend, BeforeSend, SendFailed } from './mail-events.ts';
export type { ParsedAddresses } from './message.ts';
export { EmailMessage } from './message.ts';
export type {
  AddressList,
  Alternative,
  DsnRequest,
  EmailMessageDraft,
  EmailMessageInit,
  ListUnsubscribe,
  MergeData,
  Priority,
} from './message-init.ts';
export type { AttachmentJson, MessageJson } from './message-json.ts';
export type { Messages } from './message-source.ts';
export type { ConnectionDefinition, ConnectionName } from './named-connections.ts';
export { defineConnections } from './named-connections.ts';
export type {
  AnyOptionTable,
  OptionDeclaration,
  OptionPart,
  OptionSpec,
  OptionTable,
  OptionType,
  OptionVariable,
} from './options.ts';
export type { PresetName } from './presets.ts';
export type { MessageInput } from './read-input.ts';
export type { BackendClass, BuiltInBackends } from './registry.ts';
export { registerBackend } from './registry.ts';
export type { SendEachInit, SendMailInit, SendMailSyncInit } from './send.ts';
export { sendEach, sendMail, sendMailSync } from './send.ts';
export type {
  DeliveryStatus,
  ErrorJson,
  MessageResult,
  RecipientFacts,
  RecipientStatus,
  SendStatusJson,
} from './status.ts';
export { recipientStatus, SendStatus } from './status.ts';
export type { RetryOptions } from './util/backoff.ts';
