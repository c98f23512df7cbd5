import { endedBefore } from '../backend/job.ts';
import { type EmailError, SendError } from '../model/errors.ts';
import type { EmailMessage } from '../model/message.ts';
import { parseProxy } from '../net/proxy-server.ts';
import { backoffMs, type RetryOptions, resolveRetry } from '../util/backoff.ts';
import { ConcurrencyLimiter } from '../util/concurrency-limiter.ts';
import { setDeadline } from '../util/deadline.ts';
import { pause } from '../util/pause.ts';
import { isNode } from '../util/runtime.ts';
import { type Refusal, unansweredError, unmadeError } from './failure.ts';
import { FetchTransport } from './fetch-transport.ts';
import { NodeTransport } from './node-transport.ts';
import type { HttpOptions } from './options.ts';
import type { Answer, Encoded, Failure, Provider } from './provider.ts';
import type { Redactor } from './redactor.ts';
import { refusedBy, shownAnswer } from './results.ts';
import { type HttpRequest, NoAnswer, type Transport } from './transport.ts';

/** What an answer says: what was asked for, or a refusal although its status says yes; null when it cannot be read. */
export type Reading<T> = { readonly said: T } | { readonly refusal: Refusal } | null;

/** An answer that says yes. */
export interface Answered<T> {
  readonly answer: Answer;
  readonly said: T;
}

/** What is asked, below the base URL. */
interface Question<T> {
  readonly method: HttpRequest['method'];
  readonly path: string;
  /** Beside those of every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The body, made when its turn has come. */
  encode(): Encoded | null;
  /** Reads a 2xx; what it throws means that it cannot be read. */
  read(answer: Answer): Reading<T>;
  /** The messages that it is about; none when it is about none. */
  readonly messages: readonly EmailMessage[];
  /** How the first try ended, where it was made together with other messages. */
  readonly before?: Failure;
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
  readonly #redactor: Redactor;
  readonly #turns: ConcurrencyLimiter;
  readonly #transport: Transport;

  constructor(name: string, provider: Provider, options: HttpOptions, maxConnections: number, redactor: Redactor) {
    this.#name = name;
    this.#provider = provider;
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#retry = resolveRetry(options.retry);
    this.#redactor = redactor;
    this.#turns = new ConcurrencyLimiter(maxConnections, () => Number.POSITIVE_INFINITY);
    this.#transport = transportOf(options);
  }

  close(): void {
    this.#transport.close();
  }

  /** The answer that says yes, or why there is none. */
  async run<T>(question: Question<T>, signal: AbortSignal | undefined): Promise<Answered<T> | Failure> {
    const { before } = question;
    if (before !== undefined && !(await this.#waitAfter(before.error, 1, signal))) return before;
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
      return await this.#tries(request, question, signal, before === undefined ? 1 : 2);
    } finally {
      leave();
    }
  }

  /** False when there is no further try, or the call has ended. */
  async #waitAfter(error: EmailError, tries: number, signal: AbortSignal | undefined): Promise<boolean> {
    // A quota is given back tomorrow, not soon.
    if (!error.retryable || error.code === 'quota' || tries >= this.#retry.attempts) return false;
    return pause(backoffMs(this.#retry, tries, { retryAfterMs: error.retryAfterMs ?? 0 }), signal);
  }

  #request({ method, path, headers, encode }: Question<unknown>): HttpRequest {
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

  async #tries<T>(
    request: HttpRequest,
    question: Question<T>,
    signal: AbortSignal | undefined,
    first: number,
  ): Promise<Answered<T> | Failure> {
    const { keyMs = 0 } = this.#provider;
    const startedAt = performance.now();
    for (let tries = first; ; tries++) {
      const answer = await this.#try(request, question, signal);
      if (!('error' in answer)) return answer;
      const { error } = answer;
      if (error.outcome === 'unknown') {
        if (keyMs === 0 || !(await pause(backoffMs(this.#retry, 1), signal))) return answer;
        // Once, while the key certainly lives: only a yes, or a no to the mail itself, tells what became of the first.
        if (performance.now() - startedAt >= keyMs / 2) return answer;
        const second = await this.#try(request, question, signal);
        if (!('error' in second)) return second;
        return SETTLED.has(second.error.code) ? { ...second, isRepeated: true } : answer;
      }
      if (!(await this.#waitAfter(error, tries, signal))) return answer;
    }
  }

  async #try<T>(
    request: HttpRequest,
    { read, messages }: Question<T>,
    signal: AbortSignal | undefined,
  ): Promise<Answered<T> | Failure> {
    const deadline = setDeadline(this.#timeoutMs, signal);
    try {
      const { status, headers, text } = await this.#transport.send(request, deadline.signal);
      const answer: Answer = { status, headers, body: parseJson(text ?? ''), text: text ?? '' };
      const isYes = status >= 200 && status < 300;
      if (isYes && text === null) return { error: this.#doubt(status, 'broke off') };
      const reading = isYes ? readOrNull(() => read(answer)) : { refusal: this.#refusalOf(answer) };
      if (reading === null) return this.unreadable(answer, messages);
      if ('said' in reading) return { answer, said: reading.said };
      return refusedBy(this.#name, answer, reading.refusal, this.#redactor, messages);
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

  /** What is said of messages when their part of an answer cannot be read. */
  unreadable(answer: Answer, messages: readonly EmailMessage[]): Failure {
    const espResponse = shownAnswer(answer, undefined, this.#redactor, messages);
    return { error: this.#doubt(answer.status, 'cannot be read'), answer, espResponse };
  }

  #doubt(status: number, what: string): SendError {
    const text = `it is not known whether ${this.#name} took the mail: its answer ${status} ${what}`;
    return new SendError('uncertain', text, { phase: 'request', outcome: 'unknown' });
  }
}

/** The way of requests that the options and the runtime ask for. */
function transportOf({ fetch, proxy }: HttpOptions): Transport {
  if (fetch !== undefined || !isNode()) return new FetchTransport(fetch ?? globalThis.fetch);
  return new NodeTransport(proxy ? parseProxy(proxy) : null);
}

/** An answer of another shape than it should have makes the reading fail. */
function readOrNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
