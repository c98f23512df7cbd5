import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigurationError } from '../model/errors.ts';
import type { Environment } from './environment.ts';

/**
 * Reads a `.env` file. `file` is null for none, undefined for `.env` if it exists.
 *
 * @throws {ConfigurationError} `load-failed` for a named file that cannot be read.
 */
export function readEnvFile(file: string | null | undefined, cwd: string): Environment | undefined {
  if (file === null) return undefined;
  const path = resolve(cwd, file ?? '.env');
  try {
    return parseEnv(quoteHashes(readFileSync(path, 'utf8')));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException; // anything thrown may have one
    if (file === undefined && (code === 'ENOENT' || code === 'EISDIR')) return undefined;
    throw new ConfigurationError('load-failed', `the file ${path} cannot be read: ${String(code ?? cause)}`, { cause });
  }
}

const UNQUOTED = /^(\s*(?:export\s+)?(?:AMSDAL|AWS)_[A-Z0-9_]+[ \t]*=[ \t]*)([^'"`\s#][^\r\n]*)/gm;

/**
 * Node starts a comment at any '#' outside quotes, Python's dotenv only at one after a space. Here it is as in Python, so that
 * `PASSWORD=ab#cd` and `AMSDAL_CONTRIBS=amsdal-mail/app#MailAppConfig` keep their values.
 */
function quoteHashes(text: string): string {
  return text.replaceAll(UNQUOTED, (line: string, start: string, rest: string) => {
    const value = rest.replace(/\s#.*$/, '').trimEnd();
    const quote = ["'", '`', '"'].find((candidate) => !value.includes(candidate));
    return (value !== rest || value.includes('#')) && quote !== undefined ? `${start}${quote}${value}${quote}` : line;
  });
}
