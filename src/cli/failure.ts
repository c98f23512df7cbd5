import { EmailError } from '../model/errors.ts';
import { printable } from './output.ts';

/** The command line, or a file it names, is wrong; the message is for the user. */
export class UsageError extends Error {}

/** What a command needs is not there; the message is for the user. */
export class UnavailableError extends Error {}

/** How a command reports an error: a line on stderr, an object in JSON, and an exit code. */
export interface CliFailure {
  readonly line: string;
  readonly json: { readonly code: string; readonly message: string; readonly retryable: boolean };
  readonly exitCode: number;
}

/** The report of an error of this library; null for any other, which is a bug. */
export function failureOf(error: unknown): CliFailure | null {
  if (error instanceof UnavailableError) {
    const { message } = error;
    return { line: `amsdal-mail: ${message}`, json: { code: 'unavailable', message, retryable: false }, exitCode: 69 };
  }
  if (!(error instanceof UsageError || error instanceof EmailError)) return null;
  const message = printable(error.message.replace(/:\n- /, ': ').replaceAll('\n- ', '; '));
  const [code, retryable, exitCode] =
    error instanceof UsageError ? ['usage', false, 2] : [error.code, error.retryable, error.retryable ? 75 : 1];
  return { line: `amsdal-mail: ${message}`, json: { code, message, retryable }, exitCode };
}
