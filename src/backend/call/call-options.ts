import type { MessageResult } from '../../model/status.ts';

/** How far a call has come, told after each message. */
export interface SendProgress {
  /** Messages that have a result. */
  readonly done: number;
  /** Messages of the call when they were given as an array, else null. */
  readonly total: number | null;
  /** The latest result. */
  readonly latest: MessageResult;
}

/** The settings of a stream of messages. */
export interface CallOptions {
  /** Stops the call: messages not handed over become `failed` (`aborted`), those in doubt `unknown`. */
  readonly signal?: AbortSignal;
  /** Told after every message. */
  readonly onProgress?: (progress: SendProgress) => void;
  /** Asked by backends that do so themselves, as in {@link Job}; `index` is the message's place in the call. @internal */
  readonly beforeCommit?: (index: number, request?: string) => Promise<boolean>;
}
