import type { MessageResult } from '../../src/model/status.ts';
import { Random } from '../faults/random.ts';
import { type HttpCall, type HttpReply, ScriptedHttp } from '../servers/scripted-http.ts';
import { FaultProxy } from './fault-proxy.ts';
import { type PlainOptions, PlainProvider } from './plain-provider.ts';

/** What a server says, and whether it takes the mails of the request. */
const MOODS: readonly (readonly [reply: HttpReply | null, takes: boolean])[] = [
  ...Array.from({ length: 12 }, () => [null, true] as const),
  [{ cut: 'unanswered' }, true],
  [{ cut: 'unanswered' }, false],
  [{ cut: 'silent' }, true],
  [{ cut: 'head' }, true],
  [{ cut: 'body' }, true],
  [{ status: 500 }, true],
  [{ status: 500 }, false],
  [{ status: 429 }, false],
  [{ status: 422 }, false],
  [{ body: 'nonsense' }, true],
  [{ body: { error: 'later', code: 'temporary' } }, false],
];
const MAILS_A_CALL = 25;
const CALLS_AT_ONCE = 6;

/** How a trial went. */
export interface TrialReport {
  readonly mails: number;
  /** Recipients by what was said of them. */
  readonly statuses: Readonly<Record<string, number>>;
  /** What was said of a mail, and is not true. */
  readonly lies: readonly string[];
}

/** Sends mails through a proxy that ends, resets and stalls, to a provider that drops and lies; judges what is told of each. */
export async function runTrial(options: PlainOptions, seed: number, mails: number): Promise<TrialReport> {
  const random = new Random(seed);
  const server = await ScriptedHttp.start();
  const proxy = await FaultProxy.start(server.port, random, 0.2);
  const taken = serveAtRandom(server, random);
  const retry = { attempts: 3, baseMs: 1, maxMs: 4 };
  const backend = new PlainProvider({ baseUrl: proxy.url, retry, timeoutMs: 500, ...options });
  const results: MessageResult[] = [];
  try {
    const calls = Array.from({ length: Math.ceil(mails / MAILS_A_CALL) }, (_, call) => call).values();
    const sendOn = async (): Promise<void> => {
      for (const call of calls) {
        const count = Math.min(MAILS_A_CALL, mails - call * MAILS_A_CALL);
        results.push(...(await sendCall(backend, random, call, count)));
      }
    };
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, sendOn));
  } finally {
    await backend.close();
    await proxy.close();
    await server.close();
  }
  const statuses: Record<string, number> = {};
  for (const { recipients } of results)
    for (const { status } of recipients.values()) statuses[status] = (statuses[status] ?? 0) + 1;
  return { mails: results.length, statuses, lies: results.flatMap((result) => liesOf(result, taken)) };
}

/** Sends some mails together; one call of ten is aborted soon. */
async function sendCall(
  backend: PlainProvider,
  random: Random,
  call: number,
  count: number,
): Promise<readonly MessageResult[]> {
  const controller = new AbortController();
  const timer = random.chance(0.1) ? setTimeout(() => controller.abort(), random.integer(0, 60)) : undefined;
  const messages = Array.from({ length: count }, (_, index) => ({
    subject: random.chance(0.1) ? 'alone' : 's',
    body: 'b'.repeat(random.integer(1, 400)),
    fromEmail: 'a@x.org',
    to: `u${call}-${index}@x.org`,
  }));
  const { signal } = controller;
  const status = await backend.sendMessages(messages, { signal, failSilently: true });
  clearTimeout(timer);
  return status.results;
}

/** How often the mail to each address was taken. */
function serveAtRandom(server: ScriptedHttp, random: Random): ReadonlyMap<string, number> {
  const taken = new Map<string, number>();
  const answers = new Map<string, unknown>();
  server.scriptUnread = () => (random.chance(0.03) ? 'unread' : undefined);
  server.script = ({ body, headers }: HttpCall) => {
    server.calls.length = 0; // nobody reads them, and there are many
    if (random.chance(0.01)) server.drop(random.chance(0.5) ? 'end' : 'reset');
    const [reply, takes] = random.pick(MOODS);
    const key = headers['idempotency-key'];
    const before = key === undefined ? undefined : answers.get(key);
    // A provider says of a key what it said of it before.
    if (before !== undefined) return reply === null || reply.status === 422 ? { body: before } : reply;
    const asked: unknown = JSON.parse(body.toString());
    const mails = (Array.isArray(asked) ? asked : [asked]) as readonly { readonly to: readonly string[] }[];
    const ids = mails.map(({ to: [address = ''] }) => {
      // Of a batch one or the other is refused, for good or for the moment.
      if (Array.isArray(asked) && random.chance(0.1))
        return { error: 'no', ...(random.chance(0.5) && { code: 'throttled' }) };
      if (takes) taken.set(address, (taken.get(address) ?? 0) + 1);
      return { id: address };
    });
    const answer = Array.isArray(asked) ? ids : ids[0];
    if (takes && key !== undefined) answers.set(key, answer);
    return reply ?? { body: answer };
  };
  return taken;
}

function liesOf({ recipients }: MessageResult, taken: ReadonlyMap<string, number>): readonly string[] {
  return [...recipients.values()].flatMap(({ address, status, retryable }) => {
    const count = taken.get(address) ?? 0;
    const isSent = status === 'sent' || status === 'queued';
    const isTrue = isSent ? count === 1 : status === 'unknown' ? count <= 1 : count === 0;
    return isTrue && !(retryable && count > 0) ? [] : [`${address} is ${status} and was taken ${count} times`];
  });
}
