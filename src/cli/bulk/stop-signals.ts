import type { BulkRun } from './bulk-run.ts';
import type { ProgressLine } from './progress-line.ts';

/** Signals that stop a run, and their numbers. */
export const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/** The name of one of {@link SIGNALS}. */
export type StopSignal = keyof typeof SIGNALS;

/** Stops a run at the first signal, after what is under way, and at once at the second. */
export class StopSignals {
  readonly #listeners: readonly (readonly [StopSignal, () => void])[];
  /** The signal that came, if one did. */
  first: StopSignal | null = null;

  constructor(bulk: BulkRun, progress: ProgressLine) {
    this.#listeners = (['SIGINT', 'SIGTERM'] as const).map((signal) => [
      signal,
      () => {
        if (this.first !== null) process.exit(128 + SIGNALS[signal]);
        this.first = signal;
        bulk.stop();
        const { underWay } = bulk;
        const mails = underWay === 1 ? '1 mail is' : `${underWay} mails are`;
        progress.note(`stopping: ${mails} under way; once more ends at once and leaves them in doubt`);
      },
    ]);
    for (const [signal, listener] of this.#listeners) process.on(signal, listener);
  }

  /** Listens no more. */
  end(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
  }
}
