import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { pageUrl } from '../../mailbox/mailbox-options.ts';
import { isLoopback } from '../../net/loopback.ts';
import type { Outbox } from '../../outbox/outbox.ts';
import { reasonOf } from '../../util/reason.ts';
import { numberOf } from '../command.ts';
import { UsageError } from '../failure.ts';
import type { Output } from '../output.ts';
import { serve } from './serve.ts';

/** The options of `outbox ui`. */
interface UiValues {
  readonly port?: string;
  readonly host?: string;
  readonly 'password-file'?: string;
  readonly 'read-only'?: true;
}

/** Serves the dashboard until it is interrupted. @throws {UsageError} for an address that others reach, without a password */
export async function runUi(outbox: Outbox, values: UiValues, output: Output): Promise<number> {
  const { host = '127.0.0.1', 'password-file': file, 'read-only': readOnly = false } = values;
  const isOwn = URL.canParse(urlOf(host, 0)) && isLoopback(new URL(urlOf(host, 0)));
  if (!isOwn && file === undefined) {
    const text = `--host ${host} lets other machines read and change the outbox: give --password-file, and put TLS in front of it`;
    throw new UsageError(text);
  }
  const auth = file === undefined ? {} : { auth: { username: 'outbox', password: passwordIn(file) } };
  const { port, close } = await serve(
    outbox.dashboard({ ...auth, readOnly }),
    host,
    numberOf('port', values.port) ?? 8026,
  );
  const url = pageUrl(host, port);
  output.json({ url });
  output.line(`\n  Outbox   ${url}\n\n  Ctrl+C ends it.\n`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await close();
  return 0;
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function passwordIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`--password-file cannot be read: ${reasonOf(error)}`);
  }
  if (text === '') throw new UsageError('--password-file is empty');
  return text;
}
