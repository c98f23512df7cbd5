import { expect } from 'vitest';
import { SesBackend, type SesOptions } from '../../../src/backends/ses.ts';
import { EmailError, MessageError } from '../../../src/model/errors.ts';
import type { EmailMessageInit } from '../../../src/model/message-init.ts';
import type { SendStatus } from '../../../src/model/status.ts';
import type { StrictSes } from '../../servers/strict-ses.ts';

let accounts = 0;
const connections: SesBackend[] = [];

/** A connection to the strict server, with quick retries, for an account of its own. */
export function connectTo(ses: StrictSes, options: SesOptions = {}): SesBackend {
  const keys = { accessKeyId: `AKID${++accounts}`, secretAccessKey: 'k' };
  const connection = new SesBackend({
    endpoint: ses.endpoint,
    ...keys,
    retry: { attempts: 8, baseMs: 1, maxMs: 10 },
    ...options,
  });
  connections.push(connection);
  return connection;
}

/** Closes every connection that was made. */
export async function closeAll(): Promise<void> {
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
}

export const FROM = 'Shop <shop@example.com>';

export function mail(fields: Partial<EmailMessageInit> = {}): EmailMessageInit {
  return { subject: 'Hello', body: 'Thanks.', fromEmail: FROM, to: 'jane@example.org', ...fields };
}

/** What a call threw. @throws when it threw nothing */
export async function errorOf(call: Promise<SendStatus>): Promise<EmailError> {
  const thrown: unknown = await call.then(
    (status) => Promise.reject(new Error(`it was sent: ${JSON.stringify(status)}`)),
    (error: unknown) => error,
  );
  if (thrown instanceof EmailError) return thrown;
  throw thrown;
}

/** The issues of a message that is refused before the wire. */
export async function issuesOf(
  ses: StrictSes,
  fields: Partial<EmailMessageInit>,
  options: SesOptions = {},
): Promise<readonly string[]> {
  const error = await errorOf(connectTo(ses, options).sendMessages([mail(fields)]));
  expect(ses.requests.filter(({ operation }) => operation !== 'GetAccount')).toEqual([]);
  if (!(error instanceof MessageError)) throw error;
  return error.issues.map(({ path, code, message }) => `${path} ${code}: ${message}`);
}

/** Status by address. */
export function statuses(status: SendStatus | null): Readonly<Record<string, string>> {
  return Object.fromEntries([...(status?.recipients ?? [])].map(([address, recipient]) => [address, recipient.status]));
}

export function addresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `user${index}@example.org`);
}
