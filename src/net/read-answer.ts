import type { Duplex } from 'node:stream';
import { addAbortListener, removeAbortListener } from '../util/abort-listeners.ts';

/**
 * Reads byte by byte until `isWhole` returns true. Later bytes stay in the stream: the mail server's greeting may arrive in
 * the same packet.
 *
 * @throws {HungUp} when the stream ends before.
 * @throws What `isWhole` throws, the stream's error, and the signal's reason.
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
    // Bytes that have already arrived cause no further `readable` event.
    onReadable();
  });
}

/** The other side closed the connection instead of answering. */
export class HungUp extends Error {
  override readonly name = 'HungUp';

  constructor() {
    super('it hung up');
  }
}
