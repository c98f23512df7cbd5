import { endedBefore } from '../backend/job.ts';
import { EmailConnectionError, EmailError, SendError } from '../model/errors.ts';
import type { EmailMessage } from '../model/message.ts';
import { type HttpRequest, NoAnswer, type Transport } from '../net/transport.ts';
import { transportOf } from '../net/transport-of.ts';
import { backoffMs, type RetryOptions, resolveRetry } from '../util/backoff.ts';
import { ConcurrencyLimiter } from '../util/concurrency-limiter.ts';
import { Deadline } from '../util/deadline.ts';
import { pause } from '../util/pause.ts';
import { unlessAborted } from '../util/unless-aborted.ts';
import { parseExactJson } from './exact-json.ts';
import { type Refusal, unansweredError, unmadeError } from './failure.ts';
import type { HttpOptions } from './options.ts';
import type { Answer, Carries, Encoded, Failure, Provider, Signed, Signing } from './provider.ts';
import { Redactor } from './redactor.ts';
import { refusedBy, shownAnswer } from './results.ts';

/** A provider, and how the user's options have it used. */
export interface Service {
  readonly name: string;
  /** How long the provider remembers idempotency keys; 0 when it has none. */
  readonly keyMs: number;
  readonly provider: Provider;
  readonly carries: Carries;
  readonly options: HttpOptions;
  readonly maxConnections: number;
  /** What is in no error. */
  readonly secrets: readonly string[];
}

/** What an answer says: what was asked for, or a refusal although its status says yes; null when it cannot be read. */
export type Reading<T> = { readonly said: T } | { readonly refusal: Refusal } | null;

/** An answer that says yes. */
export interface Answered<T> {
  readonly answer: Answer;
  readonly said: T;
  /** Takes out of it what is not shown. */
  readonly redactor: Redactor;
}

/** What is asked. */
interface Question<T> {
  readonly method: HttpRequest['method'];
  /** Where it is asked; default: where mails go. An option of the user's counts for all. */
  readonly baseUrl?: string | undefined;
  /** Below the base URL; or a whole URL, which itself says who asks. */
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
  /** It is not made again after a refusal, whatever `retry` says. */
  readonly isTriedOnce?: true | undefined;
}

/** After a lost answer, what the same request with the same key is answered with says of the first, too. */
const SETTLED: ReadonlySet<string> = new Set(['rejected', 'invalid-recipient', 'template', 'too-large']);

const HEADERS = { accept: 'application/json', 'user-agent': 'amsdal-mail' };

type Sign = Provider['sign'];
const UNSIGNED: Signed = { headers: {}, secrets: [] };

function isWhole(path: string): boolean {
  return /^https?:/i.test(path);
}

/** A whole URL has in its query what says who asks. */
const ownSignature: Sign = async ({ url }, { refused }) =>
  refused === null ? { headers: {}, secrets: [...new URL(url).searchParams.values()] } : null;

/** Makes requests: in their turn, within their time, and again only where that cannot send a mail twice. */
export class Requests {
  /** Takes the secrets out of what is shown. */
  readonly redactor: Redactor;
  readonly #service: Service;
  readonly #timeoutMs: number;
  readonly #retry: Required<RetryOptions>;
  /** The caller's, by lower-case name. */
  readonly #headers: Readonly<Record<string, string>>;
  readonly #turns: ConcurrencyLimiter;
  readonly #transport: Transport;

  constructor(service: Service) {
    const { options, maxConnections, secrets } = service;
    this.redactor = new Redactor(secrets);
    this.#service = service;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#retry = resolveRetry(options.retry);
    const own = Object.entries(options.headers ?? {});
    this.#headers = Object.fromEntries(own.map(([header, value]) => [header.toLowerCase(), value]));
    this.#turns = new ConcurrencyLimiter(maxConnections, () => Number.POSITIVE_INFINITY);
    this.#transport = transportOf(options);
  }

  close(): void {
    this.#transport.close();
  }

  /**
   * The answer that says yes, or why there is none.
   *
   * @param commit asks, when its turn has come, for what may be sent: why nothing may, or what is asked then
   */
  async run<T>(
    given: Question<T>,
    signal: AbortSignal | undefined,
    commit?: () => Promise<Question<T> | Failure>,
  ): Promise<Answered<T> | Failure> {
    const { before } = given;
    if (before !== undefined && !(await this.#waitAfter(before.error, 1, given, signal))) return before;
    const stopped = (): Failure => ({ error: endedBefore('its turn came', signal) });
    const make = async (): Promise<Answered<T> | Failure> => {
      if (signal?.aborted) return stopped();
      const question = commit === undefined ? given : await unlessAborted(commit(), signal).catch(stopped);
      if ('error' in question) return question;
      let request: HttpRequest;
      try {
        request = this.#request(question);
      } catch (error) {
        return { error: unmadeError(this.#service.name, error) };
      }
      return this.#tries(request, question, signal, before === undefined ? 1 : 2);
    };
    return this.#turns.run(1, signal, make, stopped);
  }

  /**
   * A name for a request as it goes out: another body, address or account has another one. Undefined when it cannot be made.
   */
  nameOf(question: Question<unknown>): string | undefined {
    return readOr(undefined, () => {
      const { method, url, headers, body } = this.#request(question);
      const hash = process.getBuiltinModule('node:crypto').createHash('sha256');
      hash.update(JSON.stringify([this.#service.name, method, url, headers]));
      for (const piece of typeof body === 'string' ? [body] : (body ?? [])) hash.update(piece);
      return hash.digest('base64url');
    });
  }

  /** False when there is no further try, or the call has ended. */
  async #waitAfter(
    error: EmailError,
    tries: number,
    { isTriedOnce }: Question<unknown>,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    // A quota is given back tomorrow, not soon.
    if (!error.retryable || error.code === 'quota') return false;
    if (tries >= (isTriedOnce ? 1 : this.#retry.attempts)) return false;
    return pause(backoffMs(this.#retry, tries, { retryAfterMs: error.retryAfterMs ?? 0 }), signal);
  }

  #request({ method, path, headers, encode, ...question }: Question<unknown>): HttpRequest {
    const { authorization } = this.#service.provider;
    const baseUrl = this.#service.options.baseUrl ?? question.baseUrl ?? this.#service.provider.baseUrl;
    const encoded = encode();
    const isElsewhere = isWhole(path); // where the key and the caller's headers are not for
    return {
      method,
      url: isElsewhere ? path : `${baseUrl.replace(/\/+$/, '')}${path}`,
      headers: {
        ...HEADERS,
        ...(!isElsewhere && this.#headers),
        ...(encoded && { 'content-type': encoded.type }),
        ...(!isElsewhere && authorization),
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
    const keyMs = this.#service.keyMs;
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
      if (!(await this.#waitAfter(error, tries, question, signal))) return answer;
    }
  }

  /** What is refused for who sends it was not carried out: it goes once more where there is something else to sign it with. */
  async #try<T>(
    request: HttpRequest,
    question: Question<T>,
    signal: AbortSignal | undefined,
  ): Promise<Answered<T> | Failure> {
    const deadline = new Deadline(this.#timeoutMs, signal);
    const sign = isWhole(question.path) ? ownSignature : this.#service.provider.sign;
    try {
      const signed = (await this.#sign(request, sign, deadline, null)) ?? UNSIGNED;
      const answer = await this.#exchange(request, signed, question, deadline);
      if (!('error' in answer) || answer.error.code !== 'auth' || answer.answer === undefined) return answer;
      const again = await this.#sign(request, sign, deadline, { headers: signed.headers, answer: answer.answer });
      return again === null ? answer : await this.#exchange(request, again, question, deadline);
    } catch (error) {
      if (error instanceof NoAnswer) return { error: unansweredError(this.#service.name, error, signal) };
      if (error instanceof EmailError) return { error };
      throw error;
    } finally {
      deadline.clear();
    }
  }

  /** @throws {NoAnswer | EmailError} which says that nothing was sent */
  async #sign(
    request: HttpRequest,
    sign: Sign,
    deadline: Deadline,
    refused: Signing['refused'],
  ): Promise<Signed | null> {
    if (sign === undefined) return null;
    const { signal } = deadline;
    try {
      return await unlessAborted(
        (async () => sign(request, { signal, refused }))(), // it may also throw synchronously
        signal,
      );
    } catch (cause) {
      if (signal.aborted) throw new NoAnswer(signal.reason, false);
      if (cause instanceof EmailError) throw cause;
      // Its text may hold what it was to be signed with.
      throw new EmailConnectionError('auth', `the request to ${this.#service.name} could not be signed`, {
        phase: 'auth',
        cause,
      });
    }
  }

  async #exchange<T>(
    request: HttpRequest,
    signed: Signed,
    { read, messages }: Question<T>,
    deadline: Deadline,
  ): Promise<Answered<T> | Failure> {
    const whole = { ...request, headers: { ...request.headers, ...signed.headers } };
    const { status, headers, text } = await this.#transport.send(whole, deadline);
    const redactor = this.redactor.and(signed.secrets);
    const answer: Answer = { status, headers, body: parseExactJson(text ?? ''), text: text ?? '' };
    const isYes = (status >= 200 && status < 300) || this.#service.provider.tellsOfEach?.(answer) === true;
    // Whom a no of several messages is for cannot be seen then: others may have been taken.
    const isOfEach = messages.length > 1 && this.#service.provider.tellsOfEach !== undefined;
    if (text === null && (isYes || isOfEach)) return { error: this.#doubt(status, 'broke off') };
    if (isOfEach && isBrokenJson(answer)) return this.unreadable(answer, messages, redactor);
    const reading = isYes ? readOr(null, () => read(answer)) : { refusal: this.#refusalOf(answer) };
    if (reading === null) return this.unreadable(answer, messages, redactor);
    if ('said' in reading) return { answer, said: reading.said, redactor };
    return refusedBy(this.#service.name, answer, reading.refusal, redactor, messages);
  }

  /** A refusal of another shape than it should have is one all the same. */
  #refusalOf(answer: Answer): Refusal {
    const text = answer.text.slice(0, 200);
    return readOr<Refusal>({ text }, () => {
      const said = this.#service.provider.refusal(answer);
      return typeof said.text === 'string' ? said : { ...said, text };
    });
  }

  /** What is said of messages when their part of an answer cannot be read. */
  unreadable(answer: Answer, messages: readonly EmailMessage[], redactor: Redactor): Failure {
    const espResponse = shownAnswer(answer, undefined, redactor, messages);
    return { error: this.#doubt(answer.status, 'cannot be read'), answer, espResponse };
  }

  #doubt(status: number, what: string): SendError {
    const text = `it is not known whether ${this.#service.name} took the mail: its answer ${status} ${what}`;
    return new SendError('uncertain', text, { phase: 'request', outcome: 'unknown' });
  }
}

/** Whether a body begins as JSON and is none, as when a part of it is missing; pages of gateways do not. */
function isBrokenJson({ body, text }: Answer): boolean {
  return body === undefined && /^\s*[[{]/.test(text);
}

/** An answer of another shape than it should have makes the reading fail: it cannot be read then. */
export function readOr<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
