import { fstatSync, readFileSync } from 'node:fs';
import { UsageError } from './usage-error.ts';

/** The bytes of the file that an option names; `-` is what comes in by stdin. @throws {UsageError} when it cannot be read */
export function readBytes(option: string, path: string): Uint8Array {
  try {
    return readFileSync(path === '-' ? 0 : path);
  } catch (error) {
    throw new UsageError(`${option} ${path} cannot be read: ${error instanceof Error ? error.message : error}`);
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

/** Whether something is piped into this process, or a file redirected; a terminal or /dev/null is not. */
export function isPiped(): boolean {
  try {
    const stdin = fstatSync(0);
    return stdin.isFIFO() || stdin.isFile() || stdin.isSocket();
  } catch {
    return false; // it is closed
  }
}
