import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { EmailMessage } from '../model/message.ts';
import { isError } from '../util/reason.ts';
import { arrivalOf } from './catch/arrival-of.ts';
import type { PreviewAnswer } from './previews.ts';

void answer();

async function answer(): Promise<void> {
  let result: PreviewAnswer;
  try {
    const { messageId: _, ...arrival } = arrivalOf(await render(String(workerData.file)));
    result = arrival;
  } catch (error) {
    result = { error: describe(error) };
  }
  parentPort?.postMessage(result);
}

/** The error as the author of the preview sees it. */
function describe(error: unknown): string {
  if (!isError(error)) return String(error);
  const isTypeScript = 'code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION';
  if (!isTypeScript) return error.stack ?? error.message;
  return `${error.message}\nNode runs TypeScript from 22.18 and 23.6 on, and this is ${process.version}: use one of these, start the mailbox with a loader (node --import tsx), or write the preview in JavaScript.`;
}

async function render(file: string): Promise<EmailMessage> {
  const module: { readonly preview?: unknown } = await import(pathToFileURL(file).href);
  if (typeof module.preview !== 'function') {
    throw new Error('the file exports no preview: export function preview() { return { subject, htmlBody, body }; }');
  }
  const result: unknown = await module.preview();
  const given = typeof result === 'string' ? { htmlBody: result } : result;
  if (typeof given !== 'object' || given === null) throw new Error('preview() must return a message or its HTML');
  const message = new EmailMessage({
    subject: '',
    fromEmail: 'sender@example.com',
    ...given,
    ...('to' in given || 'cc' in given || 'bcc' in given ? {} : { to: ['reader@example.com'] }),
  });
  return message.materialize();
}
