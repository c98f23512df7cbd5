import type { EmailBackend } from '../backend/backend.ts';
import { EmailError } from '../model/errors.ts';
import { reasonOf } from '../util/reason.ts';

/**
 * Opens a connection while a server runs; returns the function that finishes pending mails and closes it.
 *
 * A mail server that is down causes a warning and does not keep the application from starting, except with `verify`.
 *
 * @throws {EmailError} with `verify`, when mail could not be sent.
 */
export async function keepOpen(connection: EmailBackend, verify: boolean): Promise<() => Promise<void>> {
  const attempt = new AbortController();
  const opening = connection.open({ signal: attempt.signal });
  const release = async (): Promise<void> => {
    attempt.abort();
    await opening.catch(() => {});
    await connection.close();
  };
  if (verify) {
    try {
      await opening;
      await connection.verify();
    } catch (error) {
      await release();
      throw error;
    }
  } else opening.catch((error: unknown) => attempt.signal.aborted || warn(connection, error));
  return release;
}

function warn({ name }: EmailBackend, error: unknown): void {
  const reason = reasonOf(error);
  process.emitWarning(`the ${name} connection cannot be opened, mails will fail until it can: ${reason}`, {
    type: 'AmsdalMailWarning',
    code: error instanceof EmailError ? error.code : 'unknown',
  });
}
