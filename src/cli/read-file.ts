import { fstatSync, readFileSync, readSync } from 'node:fs';
import { reasonOf } from '../util/reason.ts';
import { UsageError } from './failure.ts';

/** The bytes of the file that an option names; `-` is stdin. @throws {UsageError} when it cannot be read */
export function readBytes(option: string, path: string): Uint8Array {
  try {
    return path === '-' ? readStdin() : readFileSync(path);
  } catch (error) {
    throw new UsageError(`${option} ${path} cannot be read: ${reasonOf(error)}`);
  }
}

/** All of stdin. Importing from node:process makes a pipe non-blocking: EAGAIN means that nothing has arrived yet. */
function readStdin(): Uint8Array {
  const chunks: Uint8Array[] = [];
  const buffer = Buffer.alloc(65_536);
  for (;;) {
    try {
      const length = readSync(0, buffer);
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(Buffer.from(buffer.subarray(0, length)));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException; // any error may have a code
      if (code === 'EOF') return Buffer.concat(chunks); // a pipe's end on Windows
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

/** {@link readBytes} as text. @throws {UsageError} when it is not UTF-8 */
export function readText(option: string, path: string): string {
  const bytes = readBytes(option, path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${option} ${path} is not UTF-8: convert it, for example with iconv -t UTF-8`);
  }
}

/** Whether stdin is a pipe or a file, rather than a terminal or /dev/null. */
export function isPiped(): boolean {
  try {
    const stdin = fstatSync(0);
    return stdin.isFIFO() || stdin.isFile() || stdin.isSocket();
  } catch {
    return false; // closed
  }
}
