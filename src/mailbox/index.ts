export type { Certificate } from '../smtp-server/certificate.ts';
export type { ChaosSettings } from './catch/chaos.ts';
export { MailboxBackend, type MailboxBackendOptions } from './catch/mailbox-backend.ts';
export type { SmtpAddress } from './catch/receiver.ts';
export { type Mailbox, startMailbox } from './mailbox.ts';
export type { MailboxOptions } from './mailbox-options.ts';
export type { ReleaseOptions } from './release.ts';
