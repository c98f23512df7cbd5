export type { AuthMechanism } from '../smtp-server/auth.ts';
export type { Certificate } from '../smtp-server/certificate.ts';
export type { Parameters } from '../smtp-server/command-parser.ts';
export type { Extension } from '../smtp-server/extensions.ts';
export type { Envelope, ReceivedMail, Reply } from '../smtp-server/hooks.ts';
export type { SmtpServerSettings } from '../smtp-server/options.ts';
export { codes, links } from './codes.ts';
export {
  backendContract,
  type ContractCase,
  type ContractFactory,
  type ContractOptions,
  type DescribeOptions,
  describeBackend,
} from './contract/backend-contract.ts';
export type { ContractAbilities, ContractBackend, ContractDelivery, ContractSubject } from './contract/subject.ts';
export { EnqueuedMessage, enqueued } from './inbox/enqueued.ts';
export { expectMail, type MailExpectation } from './inbox/expect-mail.ts';
export { createInbox, type Inbox, type WaitOptions } from './inbox/inbox.ts';
export type { InboxAttachment, InboxMessage } from './inbox/inbox-message.ts';
export { type MailSnapshotSerializer, mailSnapshot, mailSnapshotSerializer } from './inbox/mail-snapshot.ts';
export {
  type AttachmentMatch,
  type MailMatcher,
  type MailMatchers,
  type MatcherResult,
  mailMatchers,
} from './inbox/matchers.ts';
export type { EnqueuedFields, EnqueuedMatch, MessageFields, MessageMatch } from './inbox/message-match.ts';
export type { PlannedFailure } from './inbox/planned-failure.ts';
export { useInbox } from './inbox/use-inbox.ts';
export type { Cut, ScriptedConnection } from './server/scripted-connection.ts';
export type { Act, Fault, ScriptedSmtpServerOptions, Step, StepContext } from './server/scripted-smtp-server.ts';
export { ScriptedSmtpServer } from './server/scripted-smtp-server.ts';
