import { reasonOf } from '../util/reason.ts';
import { storeWaitMs } from './store-wait.ts';

/** A store that fails so often in a row is away for more than a moment. */
const TOLD_AFTER = 3;

/** Says in the log that a worker sends nothing as its store fails, and that it goes on: nobody would notice for hours. */
export class StoreWatch {
  #failures = 0;

  /** It failed once more. Returns how long to wait before it is asked again, in milliseconds. */
  failed(error: unknown): number {
    if (this.#failures === TOLD_AFTER - 1) {
      warn(`the outbox sends nothing until its store works again: ${reasonOf(error)}`, 'store-fails');
    }
    return storeWaitMs(this.#failures++);
  }

  works(): void {
    if (this.#failures >= TOLD_AFTER) warn('the store of the outbox works again, and mails go on', 'store-works');
    this.#failures = 0;
  }
}

function warn(text: string, code: string): void {
  process.emitWarning(text, { type: 'AmsdalMailWarning', code });
}
