import { endedBefore } from '../backend/job.ts';
import { SendError } from '../model/errors.ts';
import { redact } from '../net/oauth-answer.ts';
import { parseProxy } from '../net/proxy-server.ts';
import { backoffMs, type RetryOptions, resolveRetry } from '../util/backoff.ts';
import { ConcurrencyLimiter } from '../util/concurrency-limiter.ts';
import { setDeadline } from '../util/deadline.ts';
import { pause } from '../util/pause.ts';
import { isNode } from '../util/runtime.ts';
import { answeredError, type Refusal, unansweredError, unmadeError } from './failure.ts';
import { FetchTransport } from './fetch-transport.ts';
import { NodeTransport } from './node-transport.ts';
import type { HttpOptions } from './options.ts';
import type { Answer, Encoded, Failure, Provider } from './provider.ts';
import { type HttpRequest, NoAnswer, type Transport } from './transport.ts';

/** What is asked, below the base URL. */
interface Question {
  readonly method: HttpRequest['method'];
  readonly path: string;
  /** Beside those of every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The body, made when its turn has come. */
  encode(): Encoded | null;
}

/** After a lost answer, what the same request with the same key is answered with says of the first, too. */
const SETTLED: ReadonlySet<string> = new Set(['rejected', 'invalid-recipient', 'template', 'too-large']);

/** Makes requests: in their turn, within their time, and again only where that cannot send a mail twice. */
export class Requests {
  readonly #name: string;
  readonly #provider: Provider;
  readonly #options: HttpOptions;
  readonly #timeoutMs: number;
  readonly #retry: Required<RetryOptions>;
  readonly #secrets: readonly string[];
  readonly #turns: ConcurrencyLimiter;
  readonly #transport: Transport;

  /** @param secrets what is in no error */
  constructor(
    name: string,
    provider: Provider,
    options: HttpOptions,
    maxConnections: number,
    secrets: readonly string[],
  ) {
    this.#name = name;
    this.#provider = provider;
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#retry = resolveRetry(options.retry);
    this.#secrets = secrets.filter((secret) => secret.length > 3);
    this.#turns = new ConcurrencyLimiter(maxConnections, () => Number.POSITIVE_INFINITY);
    this.#transport = transportOf(options);
  }

  close(): void {
    this.#transport.close();
  }

  /** The answer that says yes, or why there is none. */
  async run(question: Question, signal: AbortSignal | undefined): Promise<Answer | Failure> {
    let leave: () => void;
    try {
      leave = await this.#turns.acquire(1, signal);
    } catch {
      return { error: endedBefore('its turn came', signal) };
    }
    try {
      if (signal?.aborted) return { error: endedBefore('its turn came', signal) };
      let request: HttpRequest;
      try {
        request = this.#request(question);
      } catch (error) {
        return { error: unmadeError(this.#name, error) };
      }
      return await this.#tries(request, signal);
    } finally {
      leave();
    }
  }

  #request({ method, path, headers, encode }: Question): HttpRequest {
    const { baseUrl, authorization } = this.#provider;
    const own = Object.entries(this.#options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
    const encoded = encode();
    return {
      method,
      url: `${(this.#options.baseUrl ?? baseUrl).replace(/\/+$/, '')}${path}`,
      headers: {
        accept: 'application/json',
        'user-agent': 'amsdal-mail',
        ...Object.fromEntries(own),
        ...(encoded && { 'content-type': encoded.type }),
        ...authorization,
        ...headers,
      },
      body: encoded?.body ?? null,
    };
  }

  async #tries(request: HttpRequest, signal: AbortSignal | undefined): Promise<Answer | Failure> {
    const { keyMs = 0 } = this.#provider;
    const startedAt = performance.now();
    for (let tries = 1; ; tries++) {
      const answer = await this.#try(request, signal);
      if (!('error' in answer)) return answer;
      const { error } = answer;
      if (error.outcome === 'unknown') {
        if (keyMs === 0 || !(await pause(backoffMs(this.#retry, 1), signal))) return answer;
        // Once, while the key certainly lives: only a yes, or a no to the mail itself, tells what became of the first.
        if (performance.now() - startedAt >= keyMs / 2) return answer;
        const second = await this.#try(request, signal);
        if (!('error' in second)) return second;
        return SETTLED.has(second.error.code) ? { ...second, isRepeated: true } : answer;
      }
      // A quota is given back tomorrow, not soon.
      if (!error.retryable || error.code === 'quota' || tries >= this.#retry.attempts) return answer;
      const waitMs = backoffMs(this.#retry, tries, { retryAfterMs: error.retryAfterMs ?? 0 });
      if (!(await pause(waitMs, signal))) return answer;
    }
  }

  async #try(request: HttpRequest, signal: AbortSignal | undefined): Promise<Answer | Failure> {
    const deadline = setDeadline(this.#timeoutMs, signal);
    try {
      const { status, headers, text } = await this.#transport.send(request, deadline.signal);
      const shown = redact(text ?? '', this.#secrets);
      const answer: Answer = { status, headers, body: parseJson(shown), text: shown };
      if (status >= 200 && status < 300) return text === null ? this.#unreadable(status) : answer;
      const said = this.#refusalOf(answer);
      return { error: answeredError(this.#name, answer, said), answer, refusal: said };
    } catch (error) {
      if (error instanceof NoAnswer) return { error: unansweredError(this.#name, error, signal) };
      throw error;
    } finally {
      deadline.clear();
    }
  }

  /** A refusal of another shape than it should have is one all the same. */
  #refusalOf(answer: Answer): Refusal {
    const text = answer.text.slice(0, 200);
    try {
      const said = this.#provider.refusal(answer);
      return typeof said.text === 'string' ? said : { ...said, text };
    } catch {
      return { text };
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
