import { endedBefore } from '../backend/job.ts';
import { SendError } from '../model/errors.ts';
import { redact } from '../net/oauth-answer.ts';
import { parseProxy } from '../net/proxy-server.ts';
import { backoffMs, type RetryOptions, resolveRetry } from '../util/backoff.ts';
import { ConcurrencyLimiter } from '../util/concurrency-limiter.ts';
import { setDeadline } from '../util/deadline.ts';
import { pause } from '../util/pause.ts';
import { isNode } from '../util/runtime.ts';
import { answeredError, type Refusal, unansweredError } from './failure.ts';
import { FetchTransport } from './fetch-transport.ts';
import { NodeTransport } from './node-transport.ts';
import type { HttpOptions } from './options.ts';
import type { Answer, Failure } from './provider.ts';
import { type HttpRequest, NoAnswer, type Transport } from './transport.ts';

/** What a provider's answer that is no yes means. */
export type ReadRefusal = (answer: Answer) => Refusal;

/** After a lost answer, what the same request with the same key is answered with says of the first, too. */
const SETTLED: ReadonlySet<string> = new Set(['rejected', 'invalid-recipient', 'template', 'too-large']);

/** Makes requests: in their turn, within their time, and again only where that cannot send a mail twice. */
export class Requests {
  readonly #name: string;
  readonly #timeoutMs: number;
  readonly #retry: Required<RetryOptions>;
  readonly #secrets: readonly string[];
  readonly #turns: ConcurrencyLimiter;
  readonly #transport: Transport;

  /** @param secrets what is in no error */
  constructor(name: string, options: HttpOptions, maxConnections: number, secrets: readonly string[]) {
    this.#name = name;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#retry = resolveRetry(options.retry);
    this.#secrets = secrets.filter((secret) => secret.length > 3);
    this.#turns = new ConcurrencyLimiter(maxConnections, () => Number.POSITIVE_INFINITY);
    this.#transport = transportOf(options);
  }

  close(): void {
    this.#transport.close();
  }

  /**
   * The answer that says yes, or why there is none.
   *
   * @param make the request, made when its turn has come
   * @param keyMs for how long the provider carries it out only once however often it comes, in milliseconds
   */
  async run(
    make: () => HttpRequest,
    refusal: ReadRefusal,
    signal: AbortSignal | undefined,
    keyMs: number,
  ): Promise<Answer | Failure> {
    let leave: () => void;
    try {
      leave = await this.#turns.acquire(1, signal);
      signal?.throwIfAborted();
    } catch {
      return { error: endedBefore('its turn came', signal) };
    }
    try {
      return await this.#tries(make(), refusal, signal, keyMs);
    } finally {
      leave();
    }
  }

  async #tries(
    request: HttpRequest,
    refusal: ReadRefusal,
    signal: AbortSignal | undefined,
    keyMs: number,
  ): Promise<Answer | Failure> {
    const startedAt = performance.now();
    for (let tries = 1; ; tries++) {
      const answer = await this.#try(request, refusal, signal);
      if (!('error' in answer)) return answer;
      const { error } = answer;
      if (error.outcome === 'unknown') {
        if (keyMs === 0 || !(await pause(backoffMs(this.#retry, 1), signal))) return answer;
        // Once, while the key certainly lives: only a yes, or a no to the mail itself, tells what became of the first.
        if (performance.now() - startedAt >= keyMs / 2) return answer;
        const second = await this.#try(request, refusal, signal);
        return !('error' in second) || SETTLED.has(second.error.code) ? second : answer;
      }
      // A quota is given back tomorrow, not soon.
      if (!error.retryable || error.code === 'quota' || tries >= this.#retry.attempts) return answer;
      const waitMs = backoffMs(this.#retry, tries, { retryAfterMs: error.retryAfterMs ?? 0 });
      if (!(await pause(waitMs, signal))) return answer;
    }
  }

  async #try(request: HttpRequest, refusal: ReadRefusal, signal: AbortSignal | undefined): Promise<Answer | Failure> {
    const deadline = setDeadline(this.#timeoutMs, signal);
    try {
      const { status, headers, text } = await this.#transport.send(request, deadline.signal);
      const shown = redact(text ?? '', this.#secrets);
      const answer: Answer = { status, headers, body: parseJson(shown), text: shown };
      if (status >= 200 && status < 300) return text === null ? this.#unreadable(status) : answer;
      const said = refusal(answer);
      return { error: answeredError(this.#name, answer, said), answer, refusal: said };
    } catch (error) {
      if (error instanceof NoAnswer) return { error: unansweredError(this.#name, error, signal) };
      throw error;
    } finally {
      deadline.clear();
    }
  }

  #unreadable(status: number): Failure {
    const text = `it is not known whether ${this.#name} took the mail: its answer ${status} broke off`;
    return { error: new SendError('uncertain', text, { phase: 'request', outcome: 'unknown' }) };
  }
}

/** The way of requests that the options and the runtime ask for. */
function transportOf({ fetch, proxy }: HttpOptions): Transport {
  if (fetch !== undefined || !isNode()) return new FetchTransport(fetch ?? globalThis.fetch);
  return new NodeTransport(proxy ? parseProxy(proxy) : null);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
