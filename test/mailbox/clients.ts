import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { startMailbox } from '../../src/mailbox/mailbox.ts';

const run = promisify(execFile);

/** Runs another program against a mailbox, with SMTP's port as PORT in its arguments, and gives back the mail that came. */
// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of the JSON
export async function catchFrom(program: string, args: readonly string[], input = ''): Promise<any> {
  const mailbox = await startMailbox({ port: 0, smtpPort: 0 });
  onTestFinished(() => mailbox.close());
  const port = String(mailbox.smtp?.port);
  const running = run(
    program,
    args.map((argument) => argument.replaceAll('PORT', port)),
    { timeout: 60_000 },
  );
  running.child.stdin?.on('error', () => {}); // a program that reads nothing closes it
  running.child.stdin?.end(input);
  await running;
  return (await fetch(`${mailbox.url}/api/messages/wait?timeout=1`)).json();
}
