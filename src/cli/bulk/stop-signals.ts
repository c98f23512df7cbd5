import type { BulkRun } from './bulk-run.ts';
import type { ProgressLine } from './progress-line.ts';

/** The signals that stop a run, and their numbers. */
export const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/** The name of one of {@link SIGNALS}. */
export type StopSignal = keyof typeof SIGNALS;

/** Stops a run: at the first signal after the mails under way, at the second at once. */
export class StopSignals {
  readonly #listeners: readonly (readonly [StopSignal, () => void])[];
  /** The first signal received. */
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

  /** Stops listening. */
  end(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
  }
}
