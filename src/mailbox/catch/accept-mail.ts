import { SendError } from '../../model/errors.ts';
import type { Arrival } from '../store/caught-mail.ts';
import type { MailStore } from '../store/mail-store.ts';
import type { Chaos } from './chaos.ts';

/** The outcome of a mail from the mailbox backend. */
export interface Acceptance {
  /** The id it is kept under; null when every recipient was refused. */
  readonly id: string | null;
  /** The recipients that chaos refused, with the reply code. */
  readonly refused: Readonly<Record<string, 450 | 550>>;
  /** Whether chaos cut the connection, so that nothing was kept. */
  readonly isDropped: boolean;
  /** How long chaos delays the answer, in milliseconds. */
  readonly delayMs: number;
}

/**
 * Stores a mail as the SMTP receiver would, chaos included.
 *
 * @throws {SendError} `too-large`
 */
export function acceptMail(store: MailStore, chaos: Chaos, arrival: Arrival): Acceptance {
  const size = arrival.bytes.length;
  if (size > store.maxSize) {
    const text = `the mail has ${size} bytes, and this mailbox takes ${store.maxSize}: raise its maxSize`;
    throw new SendError('too-large', text, { phase: 'content' });
  }
  const refused: Record<string, 450 | 550> = {};
  const accepted: string[] = [];
  let delayMs = 0;
  for (const address of arrival.envelope.to) {
    const verdict = chaos.draw();
    if (verdict.kind === 'drop') return { id: null, refused: {}, isDropped: true, delayMs };
    if (verdict.kind === 'refuse') refused[address] = verdict.code;
    else accepted.push(address);
    if (verdict.kind === 'delay') delayMs += verdict.ms;
  }
  if (accepted.length === 0 && arrival.envelope.to.length > 0) return { id: null, refused, isDropped: false, delayMs };
  const { id } = store.add({ ...arrival, envelope: { ...arrival.envelope, to: accepted } });
  return { id, refused, isDropped: false, delayMs };
}
