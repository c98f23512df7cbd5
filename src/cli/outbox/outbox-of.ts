import type { Outbox } from '../../outbox/outbox.ts';
import { OutboxBackend } from '../../outbox/outbox-backend.ts';
import type { OptionValues } from '../command.ts';
import { CONNECTION_OPTIONS, connectionOf } from '../connection-options.ts';
import { UsageError } from '../failure.ts';

const { emulate: _, ...OPTIONS } = CONNECTION_OPTIONS;

/** The options of commands for an outbox. */
export const OUTBOX_CONNECTION: Omit<typeof CONNECTION_OPTIONS, 'emulate'> = OPTIONS;

/** The outbox that the options or the environment name. @throws {UsageError} when they name another connection */
export async function outboxOf(values: OptionValues<typeof OUTBOX_CONNECTION>, isJson: boolean): Promise<Outbox> {
  const connection = await connectionOf(values, isJson);
  if (connection instanceof OutboxBackend) return connection.outbox();
  const example = "AMSDAL_EMAIL_URL='outbox:sqlite:./mail.db?via=smtps://user:password@host'";
  throw new UsageError(`the connection is ${connection.name} and no outbox: set ${example}, or give --url`);
}
