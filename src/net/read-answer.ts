import type { Duplex } from 'node:stream';
import { addAbortListener, removeAbortListener } from '../util/abort-listeners.ts';

/**
 * Reads an answer byte by byte, for as long as `isWhole` says no; what comes behind it stays in the stream, since a mail
 * server may greet in the same packet.
 *
 * @throws what `isWhole` throws, what the stream fails with, an error when it ends before, and the signal's reason
 */
export function readAnswer(
  stream: Duplex,
  isWhole: (bytes: readonly number[]) => boolean,
  signal: AbortSignal,
): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    const bytes: number[] = [];
    const stop = (): void => {
      removeAbortListener(signal, onAbort);
      stream.off('readable', onReadable).off('error', onError).off('end', onEnd).off('close', onEnd);
    };
    const onError = (error: unknown): void => {
      stop();
      reject(error);
    };
    const onAbort = (): void => onError(signal.reason);
    const onEnd = (): void => onError(new HungUp());
    const onReadable = (): void => {
      try {
        for (;;) {
          const chunk: Uint8Array | null = stream.read(1);
          if (chunk === null) return;
          bytes.push(...chunk);
          if (!isWhole(bytes)) continue;
          stop();
          resolve(bytes);
          return;
        }
      } catch (error) {
        onError(error);
      }
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    addAbortListener(signal, onAbort);
    stream.on('error', onError).on('end', onEnd).on('close', onEnd).on('readable', onReadable);
    // What has arrived already is announced by nobody again.
    onReadable();
  });
}

/** The other side closed the connection instead of an answer. */
export class HungUp extends Error {
  override readonly name = 'HungUp';

  constructor() {
    super('it hung up');
  }
}
