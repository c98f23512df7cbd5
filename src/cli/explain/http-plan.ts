import type { EmailBackend } from '../../backend/backend.ts';
import type { EmailMessageInit } from '../../model/message-init.ts';
import type { MessageResult } from '../../model/status.ts';
import { shownBody } from './shown-body.ts';

/** A request to a provider, safe to print. */
interface HttpCall {
  readonly method: string;
  readonly url: string;
  /** `***` for what may be a secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** As JSON; of a form the fields. Long texts and files are cut short. */
  readonly body: unknown;
}

/** What a provider would be asked. */
export interface HttpPlan {
  readonly calls: readonly HttpCall[];
  /** Where several messages of one call go together; null where each is a request. */
  readonly batch: string | null;
  readonly result: MessageResult;
}

/** Headers without secrets; any other may be one. */
const OPEN = new Set([
  ...['accept', 'content-type', 'user-agent', 'idempotency-key', 'x-batch-validation', 'operation-id'],
  ...['x-amz-date', 'x-ms-date', 'host'],
]);

/**
 * The requests that a backend makes for a mail, recorded by a function that makes none.
 *
 * The backend itself sends, so that the plan cannot differ from what it does.
 *
 * @param connect makes the connection with that function as its `fetch`
 * @param secrets what is not shown
 * @throws {EmailError} what the backend throws for a mail that it cannot send
 */
export async function planHttp(
  message: EmailMessageInit,
  connect: (fetch: typeof globalThis.fetch) => EmailBackend,
  secrets: readonly string[],
): Promise<HttpPlan> {
  const one = await record([message], connect, secrets);
  const [result] = one.results;
  if (result === undefined) throw new Error('the mail has no result');
  if (one.calls.length === 0 && result.error !== null) throw result.error;
  const two = await record([message, message], connect, secrets);
  const [call] = two.calls;
  const isBatch = two.calls.length < 2 * one.calls.length;
  return { calls: one.calls, batch: isBatch && call !== undefined ? new URL(call.url).pathname : null, result };
}

async function record(
  messages: readonly EmailMessageInit[],
  connect: (fetch: typeof globalThis.fetch) => EmailBackend,
  secrets: readonly string[],
): Promise<{ readonly calls: readonly HttpCall[]; readonly results: readonly MessageResult[] }> {
  const calls: HttpCall[] = [];
  const connection = connect(async (input, init) => {
    const request = new Request(input, init);
    const body = Buffer.from(await request.arrayBuffer());
    const headers = [...request.headers].map(([name, value]) => [name, OPEN.has(name) ? value : hidden(value)]);
    calls.push({
      method: request.method,
      url: hide(request.url, secrets),
      headers: Object.fromEntries(headers),
      body: await shownBody(body, request.headers.get('content-type') ?? '', (text) => hide(text, secrets)),
    });
    // A key that is refused is the answer after which nothing is asked again.
    return new Response('{}', { status: 401 });
  });
  const results: MessageResult[] = [];
  try {
    for await (const result of connection.stream(messages)) results[result.index] = result;
  } finally {
    await connection.close();
  }
  return { calls, results };
}

/** Without its last word: the scheme stays. */
function hidden(value: string): string {
  return value.replace(/\S+$/, '***');
}

function hide(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
}
