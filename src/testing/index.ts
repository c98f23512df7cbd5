export type { AuthMechanism } from '../smtp-server/auth.ts';
export type { Certificate } from '../smtp-server/certificate.ts';
export type { Parameters } from '../smtp-server/command-parser.ts';
export type { Extension } from '../smtp-server/extensions.ts';
export type { Envelope, ReceivedMail, Reply } from '../smtp-server/hooks.ts';
export type { SmtpServerSettings } from '../smtp-server/options.ts';
export type { Cut, ScriptedConnection } from './scripted-connection.ts';
export type { Act, Fault, ScriptedSmtpServerOptions, Step, StepContext } from './scripted-smtp-server.ts';
export { ScriptedSmtpServer } from './scripted-smtp-server.ts';
