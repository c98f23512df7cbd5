export type {
  BackendOptions,
  BackendStats,
  SendOptions,
  SyncSendOptions,
  UrlSchemes,
  Verification,
} from './backend/backend.ts';
export { BACKEND_OPTIONS, EmailBackend, RETRY_OPTION } from './backend/backend.ts';
export type { CallOptions, SendProgress } from './backend/call/call-options.ts';
export type { Messages } from './backend/call/message-source.ts';
export type { MessageInput } from './backend/call/read-input.ts';
export { askToCommit } from './backend/commit.ts';
export type { DeliverOne } from './backend/deliver-each.ts';
export { deliverEach } from './backend/deliver-each.ts';
export { deliverEachSync } from './backend/deliver-each-sync.ts';
export type { DeliveryFilter } from './backend/filter.ts';
export type { DeliveryContext, DeliveryResult, Job } from './backend/job.ts';
export { failedDelivery, sameForAll } from './backend/job.ts';
export { LocalBackend } from './backend/local-backend.ts';
export type { AzureOptions } from './backends/azure.ts';
export { AzureBackend } from './backends/azure.ts';
export type { BrevoOptions } from './backends/brevo.ts';
export { BrevoBackend } from './backends/brevo.ts';
export type { CloudflareOptions } from './backends/cloudflare.ts';
export { CloudflareBackend } from './backends/cloudflare.ts';
export type { ConsoleOptions } from './backends/console.ts';
export { ConsoleBackend } from './backends/console.ts';
export type { DummyOptions } from './backends/dummy.ts';
export { DummyBackend } from './backends/dummy.ts';
export type { FileOptions } from './backends/file.ts';
export { FileBackend } from './backends/file.ts';
export type { GmailApiOptions } from './backends/gmail-api.ts';
export { GmailApiBackend } from './backends/gmail-api.ts';
export type { MailerSendOptions } from './backends/mailersend.ts';
export { MailerSendBackend } from './backends/mailersend.ts';
export type { MailgunOptions } from './backends/mailgun.ts';
export { MailgunBackend } from './backends/mailgun.ts';
export type { MailjetOptions } from './backends/mailjet.ts';
export { MailjetBackend } from './backends/mailjet.ts';
export type { MailtrapOptions } from './backends/mailtrap.ts';
export { MailtrapBackend } from './backends/mailtrap.ts';
export type { MandrillOptions } from './backends/mandrill.ts';
export { MandrillBackend } from './backends/mandrill.ts';
export type { MicrosoftGraphOptions } from './backends/microsoft-graph.ts';
export { MicrosoftGraphBackend } from './backends/microsoft-graph.ts';
export type { PostmarkOptions } from './backends/postmark.ts';
export { PostmarkBackend } from './backends/postmark.ts';
export type { ResendOptions } from './backends/resend.ts';
export { ResendBackend } from './backends/resend.ts';
export type { SendGridOptions } from './backends/sendgrid.ts';
export { SendGridBackend } from './backends/sendgrid.ts';
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
  AccessToken,
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
export type { SparkPostOptions } from './backends/sparkpost.ts';
export { SparkPostBackend } from './backends/sparkpost.ts';
export { defaultConnection, getConnection, type NamedBackend, setDefaultConnection } from './connection/connection.ts';
export { loadBackend } from './connection/load-backend.ts';
export type { ConnectionDefinition, ConnectionName } from './connection/named.ts';
export { defineConnections } from './connection/named.ts';
export type { BackendClass, BuiltInBackends } from './connection/registry.ts';
export { registerBackend } from './connection/registry.ts';
export type { SendEachInit, SendMailInit, SendMailSyncInit } from './connection/send.ts';
export { sendEach, sendMail, sendMailSync } from './connection/send.ts';
export type { Weighted, WrapperSettings } from './connection/wrappers.ts';
export { failover, mirror, rateLimit, retry, roundRobin, route, weighted } from './connection/wrappers.ts';
export type { Awaitable, ErrorStrategy, Listener, ListenerOptions, Next } from './events/mail-event.ts';
export { MailEvent } from './events/mail-event.ts';
export type { AfterSendContext, AttemptContext, BeforeSendContext, SendFailedContext } from './events/mail-events.ts';
export { AfterSend, Attempt, BeforeSend, SendFailed } from './events/mail-events.ts';
export type { HttpBackend } from './http/http-backend.ts';
export type { HttpOptions } from './http/options.ts';
export type { Carries, HttpFeature } from './http/provider.ts';
export type { AddressInput, Group, Mailbox } from './model/address.ts';
export { AddressSyntaxError } from './model/address.ts';
export type {
  AttachmentContent,
  AttachmentInit,
  BlobLike,
  FromFileOptions,
  JsonBuffer,
  ReadableStreamLike,
} from './model/attachment.ts';
export { Attachment } from './model/attachment.ts';
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
} from './model/errors.ts';
export {
  ConfigurationError,
  EmailConnectionError,
  EmailError,
  MessageError,
  SendError,
  UnsupportedFeatureError,
} from './model/errors.ts';
export type { AdvisoryFeature, EssentialFeature, Feature, IgnoredReasons } from './model/features.ts';
export { ALL_FEATURES } from './model/features.ts';
export type { ParsedAddresses } from './model/message.ts';
export { EmailMessage } from './model/message.ts';
export type {
  AddressList,
  Alternative,
  DsnRequest,
  EmailMessageDraft,
  EmailMessageInit,
  EspExtra,
  ListUnsubscribe,
  MergeData,
  Priority,
} from './model/message-init.ts';
export type { AttachmentJson, MessageJson } from './model/message-json.ts';
export type {
  DeliveryStatus,
  ErrorJson,
  MessageResult,
  RecipientFacts,
  RecipientStatus,
  SendStatusJson,
  Try,
} from './model/status.ts';
export { recipientStatus, SendStatus } from './model/status.ts';
export type { PresetName } from './net/presets.ts';
export type {
  AnyOptionTable,
  OptionDeclaration,
  OptionPart,
  OptionSpec,
  OptionTable,
  OptionType,
  OptionVariable,
} from './options/option-table.ts';
export type { RateOptions } from './options/rate-options.ts';
export type { RetryOptions } from './util/backoff.ts';
export type { Clock } from './util/clock.ts';
export type { AccountRates, Rates } from './util/rates.ts';
export type { FailoverOptions } from './wrappers/choosing.ts';
export type { FailoverBackend } from './wrappers/failover.ts';
export type { MirrorBackend, MirrorStats } from './wrappers/mirror.ts';
export type { RateLimitBackend, RateLimitOptions, RateLimitStats } from './wrappers/rate-limit.ts';
export type { RetryBackend, RetryBackendOptions } from './wrappers/retry.ts';
export type { RoundRobinBackend } from './wrappers/round-robin.ts';
export type { RouteBackend, RouteOptions } from './wrappers/route.ts';
export type { WeightedBackend, WeightedOptions } from './wrappers/weighted.ts';
export type { WrapperBackend, WrapperClock, WrapperStats, WrapperVerification } from './wrappers/wrapper-backend.ts';
export type { Connection, WrapperOptions } from './wrappers/wrapper-options.ts';
