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
export { expectMail, type MailExpectation } from './expect-mail.ts';
export { createInbox, type Inbox, type WaitOptions } from './inbox.ts';
export type { InboxAttachment, InboxMessage } from './inbox-message.ts';
export { type MailSnapshotSerializer, mailSnapshot, mailSnapshotSerializer } from './mail-snapshot.ts';
export {
  type AttachmentMatch,
  type MailMatcher,
  type MailMatchers,
  type MatcherResult,
  mailMatchers,
} from './matchers.ts';
export type { MessageFields, MessageMatch } from './message-match.ts';
export type { PlannedFailure } from './planned-failure.ts';
export type { Cut, ScriptedConnection } from './scripted-connection.ts';
export type { Act, Fault, ScriptedSmtpServerOptions, Step, StepContext } from './scripted-smtp-server.ts';
export { ScriptedSmtpServer } from './scripted-smtp-server.ts';
export { useInbox } from './use-inbox.ts';
