import type { Awaitable } from '../../events.ts';
import type { EmailMessageInit } from '../../message-init.ts';
import type { SendStatus } from '../../status.ts';

/** What the contract calls; every EmailBackend has it, and what wraps another library can. */
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

/** One mail as it reached the provider. */
export interface ContractDelivery {
  /** Whom the provider was told to deliver to, bare addresses. */
  readonly recipients: readonly string[];
  /** Headers, an empty line, the body. */
  readonly source: Uint8Array;
}

/** What a test provider can be told to do, for cases that need it; each from now on. */
export interface ContractAbilities {
  /** Refuses this recipient, or the mails to it. */
  refuse(address: string): void;
  /** Fails whatever it is asked, taking nothing. */
  breakDown(): void;
  /** Falls silent. */
  stall(): void;
  /** Takes mails, and breaks off before it says so. */
  loseAnswers(): void;
}

/** A backend under test with the provider it sends to. */
export interface ContractSubject extends Partial<ContractAbilities> {
  /** The backend, not opened. */
  readonly backend: ContractBackend;
  /** What has arrived, in order. */
  received(): Awaitable<readonly ContractDelivery[]>;
  /** Ends what was started for it; the backend itself is closed before. */
  close?(): Awaitable<void>;
}
