import type { Awaitable } from '../../events/mail-event.ts';
import type { EmailMessageInit } from '../../model/message-init.ts';
import type { SendStatus } from '../../model/status.ts';

/** The methods that the contract calls: those of an EmailBackend, or of a wrapper of another library. */
export interface ContractBackend {
  /** As of an EmailBackend. */
  sendMessages(
    messages: Iterable<EmailMessageInit> | AsyncIterable<EmailMessageInit>,
    options?: { readonly signal?: AbortSignal; readonly failSilently?: boolean },
  ): Promise<SendStatus>;
  /** As of an EmailBackend. */
  open(): Promise<unknown>;
  /** As of an EmailBackend. */
  close(): Promise<void>;
}

/** One mail that reached the provider. */
export interface ContractDelivery {
  /** The recipients that the provider was to deliver to, as bare addresses. */
  readonly recipients: readonly string[];
  /** Headers, an empty line, the body. */
  readonly source: Uint8Array;
}

/** Misbehaviour of the test provider, for cases that need it; each applies from now on. */
export interface ContractAbilities {
  /** Refuses this recipient, or the mails to it. */
  refuse(address: string): void;
  /** Fails every request, accepting nothing. */
  breakDown(): void;
  /** Stops answering; may return a promise that resolves once a request waits for its answer. */
  stall(): Awaitable<void>;
  /** Accepts mails, but disconnects before it says so. */
  loseAnswers(): void;
}

/** A backend under test with the provider it sends to. */
export interface ContractSubject extends Partial<ContractAbilities> {
  /** The backend, not opened. */
  readonly backend: ContractBackend;
  /** The mails that have arrived, in order. */
  received(): Awaitable<readonly ContractDelivery[]>;
  /** Releases what was started for it, after the backend has been closed. */
  close?(): Awaitable<void>;
}
