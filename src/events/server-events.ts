import { processState } from '../util/process-state.ts';
import { MailEvent } from './mail-event.ts';

/** What a listener of {@link ServerStartup} sees. */
export interface ServerStartupContext {
  /** The framework's own application (a Fastify instance, the app given to another adapter, Nest's module), or null. */
  readonly server: unknown;
}

/** What a listener of {@link ServerShutdown} sees. */
export interface ServerShutdownContext extends ServerStartupContext {
  /** The signal that ends the process, or null when the server is closed by code. */
  readonly signal: string | null;
}

/** Emitted before a server accepts requests: an error of a listener keeps it from starting. */
export const ServerStartup: MailEvent<ServerStartupContext> = /* @__PURE__ */ processState(
  'ServerStartup',
  () => new MailEvent('ServerStartup'),
);

/** Emitted when a server has stopped accepting requests: plugins finish their work. */
export const ServerShutdown: MailEvent<ServerShutdownContext> = /* @__PURE__ */ processState(
  'ServerShutdown',
  () => new MailEvent('ServerShutdown'),
);
