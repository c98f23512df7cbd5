import { afterEach } from 'vitest';
import { SmtpBackend, type SmtpBackendOptions } from '../../src/backends/smtp.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { forgetServers } from '../../src/smtp/session/server-record.ts';
import type { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';

const backends: SmtpBackend[] = [];

afterEach(async () => {
  await Promise.all(backends.splice(0).map((backend) => backend.close()));
  forgetServers();
});

/** A backend for the server; it is closed after the test. */
export function connectTo(server: ScriptedSmtpServer, options: SmtpBackendOptions = {}): SmtpBackend {
  const backend = new SmtpBackend({ host: server.host, port: server.port, name: 'client.example.com', ...options });
  backends.push(backend);
  return backend;
}

/** A small message to these recipients. */
export function mailTo(to: string | readonly string[], changes: Partial<EmailMessageInit> = {}): EmailMessageInit {
  return { subject: 'Hello', body: 'Thanks.', fromEmail: 'shop@example.com', to, ...changes };
}

/** As many messages, each to its own recipient. */
export function mails(count: number): readonly EmailMessageInit[] {
  return Array.from({ length: count }, (_, index) => mailTo(`user${index}@example.com`));
}

/** The first words of the commands of all connections, greeting and goodbye left out. */
export function verbs(server: ScriptedSmtpServer): readonly string[] {
  return server.commands
    .map((command) => command.split(' ', 1)[0] ?? '')
    .filter((verb) => !['EHLO', 'LHLO', 'HELO', 'QUIT'].includes(verb));
}
