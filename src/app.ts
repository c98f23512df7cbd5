export { AppConfig } from './app/app-config.ts';
export type { SetupOptions } from './app/contribs.ts';
export { setupContribs } from './app/contribs.ts';
export type { MailAppConfigOptions } from './app/mail-app-config.ts';
export { MailAppConfig } from './app/mail-app-config.ts';
export type { MailService, MailServiceOptions } from './app/mail-service.ts';
export { startMail } from './app/mail-service.ts';
export type { ServerShutdownContext, ServerStartupContext } from './server-events.ts';
export { ServerShutdown, ServerStartup } from './server-events.ts';
