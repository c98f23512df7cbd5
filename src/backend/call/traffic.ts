import type { DeliveryStatus, RecipientStatus } from '../../model/status.ts';

/** What a connection has done so far. */
export interface BackendStats {
  /** Messages taken and not answered yet. */
  readonly pending: number;
  /** Recipients by their final status. */
  readonly recipients: Readonly<Record<DeliveryStatus, number>>;
}

/** Counts what is under way on a connection, and what came of it. */
export class Traffic {
  readonly #recipients: Record<DeliveryStatus, number> = {
    sent: 0,
    queued: 0,
    invalid: 0,
    rejected: 0,
    failed: 0,
    unknown: 0,
  };
  readonly #whenIdle: (() => void)[] = [];
  #pending = 0;
  #calls = 0;

  get stats(): BackendStats {
    return { pending: this.#pending, recipients: { ...this.#recipients } };
  }

  callStarted(): void {
    this.#calls++;
  }

  callEnded(): void {
    this.#calls--;
    if (this.#calls === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Counts a call that is about to start, until `run` is done. */
  async during<T>(run: () => Promise<T>): Promise<T> {
    this.callStarted();
    try {
      return await run();
    } finally {
      this.callEnded();
    }
  }

  messageTaken(): void {
    this.#pending++;
  }

  messageAnswered(): void {
    this.#pending--;
  }

  count(recipients: Iterable<RecipientStatus>): void {
    for (const { status } of recipients) this.#recipients[status]++;
  }

  /** Waits until no call is under way. */
  async idle(): Promise<void> {
    if (this.#calls > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }
}
