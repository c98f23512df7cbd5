export { MailboxBackend, type MailboxBackendOptions } from '../backends/mailbox.ts';
export type { Certificate } from '../smtp-server/certificate.ts';
export type { ChaosSettings } from './chaos.ts';
export { type Mailbox, startMailbox } from './mailbox.ts';
export type { MailboxOptions } from './mailbox-options.ts';
export type { SmtpAddress } from './receiver.ts';
export type { ReleaseOptions } from './release.ts';
