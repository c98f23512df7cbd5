import type { InspectOptionsStylized } from 'node:util';
import type { EmailError } from './errors.ts';

type Inspect = (value: unknown, options: object) => string;

/** Further recipients are only counted. */
const SHOWN_RECIPIENTS = 3;
const SHOWN_REPLY = 200;

/**
 * What `console.log` prints for an error: its stack, then its facts in a few lines, without the dialogue with the server.
 */
export function inspectError(
  this: EmailError,
  depth: number,
  options: InspectOptionsStylized,
  inspect: Inspect,
): string {
  if (depth < 0) return options.stylize(`[${this.name}: ${this.code}]`, 'special');
  return `${this.stack ?? String(this)} ${inspect(shownFacts(this), { ...options, depth })}`;
}

function shownFacts(error: EmailError): object {
  const { phase, outcome, retryable, reply, status, cause } = error;
  const named = ['option', 'variable'].map((name) => [name, Reflect.get(error, name) ?? null]);
  const facts = {
    ...error, // its code, and what a user's subclass adds
    phase,
    outcome,
    retryable,
    ...Object.fromEntries(named),
    reply: !reply ? null : wordsOf(reply.code, reply.enhancedCode, reply.text.slice(0, SHOWN_REPLY)),
    recipients: !status || status.recipients.size === 0 ? null : recipientsOf(status.recipients),
    cause: cause ?? null,
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => (value ?? null) !== null));
}

function recipientsOf(recipients: NonNullable<EmailError['status']>['recipients']): readonly string[] {
  const all = [...recipients.values()];
  const shown = all
    .slice(0, SHOWN_RECIPIENTS)
    .map(({ address, status, code, enhancedCode }) => `${address}: ${wordsOf(status, code, enhancedCode)}`);
  return all.length > shown.length ? [...shown, `and ${all.length - shown.length} more`] : shown;
}

function wordsOf(...parts: readonly (string | number | null)[]): string {
  return parts.filter((part) => part !== null).join(' ');
}
