import { EmailError } from '../errors.ts';
import { printable } from './output.ts';
import { UsageError } from './usage-error.ts';

/** An error as a command ends with it: its line on stderr, its object in JSON, its exit code. */
export interface Failure {
  readonly line: string;
  readonly json: { readonly code: string; readonly message: string; readonly retryable: boolean };
  readonly exitCode: number;
}

/** What an error means for the user; null when it is none of ours, but a fault of the program. */
export function failureOf(error: unknown): Failure | null {
  if (!(error instanceof UsageError || error instanceof EmailError)) return null;
  const message = printable(error.message.replace(/:\n- /, ': ').replaceAll('\n- ', '; '));
  const [code, retryable, exitCode] =
    error instanceof UsageError ? ['usage', false, 2] : [error.code, error.retryable, error.retryable ? 75 : 1];
  return { line: `amsdal-mail: ${message}`, json: { code, message, retryable }, exitCode };
}
