/** The built-in backends, one per line: each class exported under its name for `getConnection` and variables, `gmailApi` for `gmail-api`. */
export { AzureBackend as azure } from '../backends/azure.ts';
export { BrevoBackend as brevo } from '../backends/brevo.ts';
export { CloudflareBackend as cloudflare } from '../backends/cloudflare.ts';
export { ConsoleBackend as console } from '../backends/console.ts';
export { DummyBackend as dummy } from '../backends/dummy.ts';
export { FileBackend as file } from '../backends/file.ts';
export { GmailApiBackend as gmailApi } from '../backends/gmail-api.ts';
export { MailerSendBackend as mailersend } from '../backends/mailersend.ts';
export { MailgunBackend as mailgun } from '../backends/mailgun.ts';
export { MailjetBackend as mailjet } from '../backends/mailjet.ts';
export { MailtrapBackend as mailtrap } from '../backends/mailtrap.ts';
export { MandrillBackend as mandrill } from '../backends/mandrill.ts';
export { MicrosoftGraphBackend as microsoftGraph } from '../backends/microsoft-graph.ts';
export { PostmarkBackend as postmark } from '../backends/postmark.ts';
export { ResendBackend as resend } from '../backends/resend.ts';
export { SendGridBackend as sendgrid } from '../backends/sendgrid.ts';
export { SesBackend as ses } from '../backends/ses.ts';
export { SmtpBackend as smtp } from '../backends/smtp.ts';
export { SparkPostBackend as sparkpost } from '../backends/sparkpost.ts';
export { MailboxBackend as mailbox } from '../mailbox/catch/mailbox-backend.ts';
export { OutboxBackend as outbox } from '../outbox/outbox-backend.ts';
export { FailoverBackend as failover } from '../wrappers/failover.ts';
export { MirrorBackend as mirror } from '../wrappers/mirror.ts';
export { RateLimitBackend as rateLimit } from '../wrappers/rate-limit.ts';
export { RetryBackend as retry } from '../wrappers/retry.ts';
export { RoundRobinBackend as roundRobin } from '../wrappers/round-robin.ts';
export { RouteBackend as route } from '../wrappers/route.ts';
export { WeightedBackend as weighted } from '../wrappers/weighted.ts';

/** `gmail-api` for `gmailApi`: TypeScript before 5.6 reads no other names of exports than identifiers. */
export type Dashed<Name> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `-${Lowercase<First>}`}${Dashed<Rest>}`
  : Name;
