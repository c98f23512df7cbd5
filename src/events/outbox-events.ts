import { processState } from '../util/process-state.ts';
import { MailEvent } from './mail-event.ts';

/** What a listener of {@link OutboxChange} sees. */
export interface OutboxChangeContext {
  /** The mail's id in the outbox. */
  readonly id: string;
  /** Its lane. */
  readonly lane: string;
  /** What became of it; `queued`, it is tried again. */
  readonly state: 'queued' | 'sent' | 'failed' | 'in-doubt';
  /** Its Message-ID, if it has one. */
  readonly messageId: string | null;
  /** Its recipients. */
  readonly recipients: readonly string[];
}

/**
 * Emitted by a worker of an outbox when it has written down what became of a mail. It tells only: what listeners return changes
 * nothing, and one that fails is warned of.
 */
export const OutboxChange: MailEvent<OutboxChangeContext> = /* @__PURE__ */ processState(
  'OutboxChange',
  () => new MailEvent('OutboxChange'),
);
