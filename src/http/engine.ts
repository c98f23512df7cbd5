import type { Verification } from '../backend/backend.ts';
import { askingOnce } from '../backend/commit.ts';
import { deliverEach } from '../backend/deliver-each.ts';
import {
  type DeliveryResult,
  endedBefore,
  failedDelivery,
  type Job,
  toEmailError,
  whileReading,
  withheldError,
} from '../backend/job.ts';
import { textFromHtml } from '../mime/compose/auto-text.ts';
import { EmailConnectionError, type EmailError, MessageError, UnsupportedFeatureError } from '../model/errors.ts';
import type { Feature } from '../model/features.ts';
import { type EmailMessage, withContentRead } from '../model/message.ts';
import { ConcurrencyLimiter } from '../util/concurrency-limiter.ts';
import { randomToken } from '../util/random.ts';
import { unlessAborted } from '../util/unless-aborted.ts';
import { Batcher } from './batcher.ts';
import { committing, letGo } from './commit.ts';
import { mailForEach } from './each-mail.ts';
import { type Refusal, unmadeError, unpreparedError } from './failure.ts';
import { encodeJson, JsonList, jsonOf } from './json.ts';
import { hasVariables, withExtra } from './payload.ts';
import {
  type Accepted,
  type Answer,
  type Batch,
  type Built,
  type Encoded,
  type Failure,
  isAccepted,
  type Prepared,
  type Verdict,
} from './provider.ts';
import { type Answered, type Reading, Requests, readOr, type Service } from './requests.ts';
import { acceptedResult, failedResult, joinResults, refusedBy } from './results.ts';

/** A message that is built and waits for its batch. */
interface Waiting {
  readonly job: Job;
  readonly built: Built;
  readonly body: object;
  readonly resolve: (result: DeliveryResult) => void;
}

/** Refusals of a request with several messages that may be for the fault of one. */
const OF_A_MAIL: ReadonlySet<string> = new Set(['rejected', 'invalid-recipient', 'template', 'too-large']);

type Batches = Batcher<Waiting> | null;

/** The part of a provider's backend that is loaded when it is first used: checks, requests, batches, one mail for each recipient. */
export class HttpEngine {
  readonly #service: Service;
  readonly #requests: Requests;
  readonly #large: ConcurrencyLimiter;
  /** Requests that take away what was not sent. */
  readonly #discarding = new Set<Promise<unknown>>();

  constructor(service: Service) {
    this.#service = service;
    this.#requests = new Requests(service);
    this.#large = new ConcurrencyLimiter(service.maxConnections, () => Number.POSITIVE_INFINITY);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#discarding);
    this.#requests.close();
  }

  /** @throws {EmailConnectionError | SendError} */
  async verify(signal: AbortSignal | undefined): Promise<Verification['details']> {
    const { check } = this.#service.provider;
    const { baseUrl, path, body } = check;
    const method = body === undefined ? 'GET' : 'POST';
    const encode = (): Encoded | null => (body === undefined ? null : encodeJson(jsonOf(body)));
    const read = (said: Answer): Reading<Answer> => ({ said });
    const answered = await this.#requests.run({ method, baseUrl, path, encode, read, messages: [] }, signal);
    const { answer } = answered;
    const details = answer === undefined ? null : readOr(null, () => check.read(answer));
    const redactor = 'said' in answered ? answered.redactor : this.#requests.redactor;
    if (details !== null) return redactor.value(details, []) as Verification['details']; // of the same shape
    throw 'error' in answered ? answered.error : this.#strangeError(answered);
  }

  /** The error of a yes to a harmless request that is none. */
  #strangeError({ answer, redactor }: Answered<unknown>): EmailError {
    const said = readOr<Refusal>({ text: '' }, () => this.#service.provider.refusal(answer));
    if (said.code !== undefined) return refusedBy(this.#service.name, answer, said, redactor, []).error;
    const text = `${this.#service.name} answers ${answer.status}, and not as it should: check baseUrl`;
    return new EmailConnectionError('protocol', text, { phase: 'request' });
  }

  deliver(jobs: AsyncIterable<Job>): AsyncIterable<DeliveryResult> {
    const { batch } = this.#service.provider;
    const connections = this.#service.maxConnections;
    if (batch === undefined) return deliverEach(jobs, (job) => this.#deliverOne(job, null, connections), connections);
    const flush = (path: string, entries: readonly Waiting[], list: JsonList) =>
      void this.#deliverBatch(batch, path, entries, list);
    const batches = new Batcher(batch, flush);
    // Enough to fill batches while others are under way.
    const width = connections + batch.max * Math.min(connections, 4);
    return deliverEach(jobs, (job) => this.#deliverOne(job, batches, width), width);
  }

  /** Where many wait for batches, large contents would all be in memory, twice. */
  async #deliverOne(given: Job, batches: Batches, width: number): Promise<DeliveryResult> {
    if (batches === null || !isLarge(given.message)) return this.#deliverRead(given, batches, width);
    const deliver = () => this.#deliverRead(given, batches, this.#service.maxConnections);
    const stopped = () => failedDelivery(given, endedBefore('its content was read', given.signal));
    return this.#large.run(1, given.signal, deliver, stopped);
  }

  async #deliverRead(given: Job, batches: Batches, width: number): Promise<DeliveryResult> {
    const message = withText(await whileReading(withContentRead(given.message, given.signal), given.signal));
    const job = askingOnce({ ...given, message });
    this.#check(message);
    if (message.mergeData === null || this.#mergesItself(message)) return this.#deliverMail(job, batches);
    const results: DeliveryResult[] = [];
    const each = deliverEach(mailForEach(unnamed(job)), (mail) => this.#deliverMail(mail, batches), width);
    for await (const result of each) results[result.index] = result;
    return joinResults(job, results);
  }

  #mergesItself(message: EmailMessage): boolean {
    const { mergesItself = false } = this.#service.provider;
    return typeof mergesItself === 'function' ? mergesItself(message) : mergesItself;
  }

  /** @throws {MessageError} `unsupported-feature` for what the provider lacks beside the features that every backend decides on */
  #check(message: EmailMessage): void {
    const { alternatives, attachments, parsed, templateId, mergeData } = message;
    const { templateMakes = ['body', 'htmlBody'], mergesTexts } = this.#service.provider;
    const isInline = attachments.some(({ contentId }) => contentId !== null);
    const missing = [
      ...(alternatives.length > 0 && !this.#service.carries.alternatives ? ['alternatives'] : []),
      ...(isInline && !this.#service.carries.inlineAttachments ? ['inlineAttachments'] : []),
      ...(parsed.replyTo.length > 1 && !this.#service.carries.severalReplyTo ? ['severalReplyTo'] : []),
    ];
    if (missing.length > 0) throw new UnsupportedFeatureError(missing, this.#service.name);
    if (this.#service.provider.needsTo && parsed.to.length === 0) {
      const text = `${this.#service.name} needs a recipient in to: give one, such as your own address, or send one mail to each (sendEach)`;
      throw new MessageError([{ path: 'to', code: 'required', message: text }]);
    }
    if (templateId !== null) {
      const given = templateMakes.filter((field) => (message[field] ?? '') !== '');
      if (given.length === 0) return;
      const text = `the template stored at ${this.#service.name} makes it: leave it out ('' for a subject), or leave templateId out`;
      throw unsupported(given, text);
    }
    if (!hasVariables(message) || mergesTexts === 'always' || (mergesTexts && mergeData !== null)) return;
    const text = mergesTexts
      ? `${this.#service.name} puts variables into texts with mergeData only: give templateId, or that, too`
      : `${this.#service.name} puts variables into its stored templates only: give templateId, or write them into the texts`;
    throw unsupported([mergeData === null ? 'mergeGlobalData' : 'mergeData'], text);
  }

  async #deliverMail(job: Job, batches: Batches): Promise<DeliveryResult> {
    const { message } = job;
    // Without a key that was given a random one lets a lost answer be asked for again.
    const key = this.#service.keyMs === 0 ? null : (message.idempotencyKey ?? job.key ?? randomToken());
    const { built, body } = this.#build(message, key);
    const ignored = Object.keys(built.ignored ?? {}) as Feature[]; // the keys of IgnoredReasons
    if (ignored.length > 0 && this.#service.options.onUnsupported === 'error')
      throw new UnsupportedFeatureError(ignored, this.#service.name);
    const facts = ignored.length === 0 ? {} : { ignored, ignoredReasons: built.ignored ?? {} };
    if (batches !== null && built.batch !== undefined && message.idempotencyKey === null) {
      const path = built.batch;
      const delivered = await new Promise<DeliveryResult>((resolve) => {
        batches.add(path, { job, built, body, resolve }, jsonOf(body));
      });
      return { ...delivered, ...facts };
    }
    return { ...(await this.#send(job, built, () => this.#encodeOne(built, body))), ...facts };
  }

  #encodeOne({ path }: Built, body: object): Encoded {
    const { batch, encode } = this.#service.provider;
    if (encode !== undefined) return encode(body);
    const list = new JsonList(batch?.around(path) ?? ['', '']);
    list.add(jsonOf(body));
    return list.encode(batch?.holdsOne !== true);
  }

  #build(message: EmailMessage, key: string | null): { readonly built: Built; readonly body: object } {
    try {
      const built = this.#service.provider.build(message, key);
      return { built, body: withExtra(this.#service.name, built.body, message, this.#service.provider.fixed) };
    } catch (error) {
      throw unmadeError(this.#service.name, error);
    }
  }

  async #send(job: Job, built: Built, encode: () => Encoded, before?: Failure): Promise<DeliveryResult> {
    const { message, signal, isTriedOnce, key = message.idempotencyKey } = job;
    const { headers, prepare } = built;
    const prepared = prepare === undefined ? null : await this.#prepare(job, prepare);
    if (prepared !== null && 'error' in prepared)
      return failedResult(job, { ...prepared, error: unpreparedError(this.#service.name, prepared.error) });
    const path = prepared?.path ?? built.path;
    const messages = [message];
    const read = (answer: Answer): Reading<Accepted> => readingOf(this.#service.provider.parse(answer, message));
    const ask = { method: 'POST', path, headers, encode, read, messages, isTriedOnce } as const;
    const question = before === undefined ? ask : { ...ask, before };
    const isNamed = this.#service.keyMs > 0 && key !== null && prepared === null;
    const name = isNamed ? () => this.#requests.nameOf(question) : undefined;
    const answered = await this.#requests.run(question, signal, committing(job, question, name));
    if ('error' in answered) {
      if (answered.error.outcome === 'not-sent') await prepared?.discard();
      return failedResult(job, answered);
    }
    const said = { ...answered.said, messageId: answered.said.messageId ?? built.messageId ?? null };
    return acceptedResult(this.#service.name, job, answered.answer, said, answered.redactor, messages);
  }

  async #prepare({ message, signal }: Job, prepare: NonNullable<Built['prepare']>): Promise<Prepared | Failure> {
    try {
      return await prepare(async ({ method, path, headers, body }) => {
        const read = (said: Answer): Reading<Answer> => ({ said });
        const question = { method, path, headers, encode: () => body, read, messages: [message] };
        const answered = await (method === 'DELETE'
          ? this.#discard(this.#requests.run(question, undefined), signal)
          : this.#requests.run(question, signal));
        return 'error' in answered ? answered : answered.answer;
      });
    } catch (error) {
      return { error: unmadeError(this.#service.name, error) };
    }
  }

  /** What is taken away is, also when the call has ended, which does not wait for it. */
  async #discard<T>(request: Promise<T>, signal: AbortSignal | undefined): Promise<T | Failure> {
    this.#discarding.add(request);
    const done = request.finally(() => this.#discarding.delete(request));
    try {
      return await unlessAborted(done, signal);
    } catch {
      return { error: endedBefore('the answer came', signal) };
    }
  }

  /** Answers each; one that is alone goes as it would without batches. */
  async #deliverBatch(batch: Batch, path: string, entries: readonly Waiting[], list: JsonList): Promise<void> {
    try {
      const [first] = entries;
      const encode = (): Encoded => list.encode(batch.holdsOne !== true);
      if (first && entries.length === 1) {
        first.resolve(await this.#send(first.job, first.built, encode));
        return;
      }
      const key = this.#service.keyMs === 0 ? {} : { 'idempotency-key': randomToken() };
      const headers = { ...batch.headers, ...key };
      const isTriedOnce = first?.job.isTriedOnce;
      const questionOf = (some: readonly Waiting[]) => {
        const messages = some.map(({ job }) => job.message);
        const going = some.length === entries.length ? list : listOf(batch.around(path), some);
        const read = (answer: Answer): Reading<readonly Verdict[]> => ({ said: batch.parse(answer, messages) });
        const encode = (): Encoded => going.encode(false); // a list, though all others may be withheld
        return { method: 'POST', path, headers, encode, read, messages, isTriedOnce } as const;
      };
      let going = entries;
      const commit = async () => {
        going = await letGo(entries);
        return going.length === 0 ? { error: withheldError() } : questionOf(going);
      };
      const isAsked = entries.some(({ job }) => job.beforeCommit !== undefined);
      const question = questionOf(entries);
      const answered = await this.#requests.run(question, first?.job.signal, isAsked ? commit : undefined);
      const messages = going.map(({ job }) => job.message);
      // Nothing was taken, and it is not said for whose fault.
      const isApart = 'error' in answered && OF_A_MAIL.has(answered.error.code) && !answered.isRepeated;
      for (const [index, entry] of going.entries()) {
        if (isApart) this.#sendAlone(entry);
        else if ('error' in answered) entry.resolve(failedResult(entry.job, answered));
        else this.#settle(entry, answered, answered.said[index] ?? null, messages);
      }
    } catch (error) {
      for (const { job, resolve } of entries) resolve(failedDelivery(job, toEmailError(error)));
    }
  }

  /** What a batch's answer says of one of its messages; one that was refused for the moment is tried again, alone. */
  #settle(
    entry: Waiting,
    { answer, redactor }: Answered<unknown>,
    verdict: Verdict,
    all: readonly EmailMessage[],
  ): void {
    const { job, resolve } = entry;
    const messages = verdict?.part === undefined ? all : [job.message];
    if (isAccepted(verdict)) resolve(acceptedResult(this.#service.name, job, answer, verdict, redactor, messages));
    else if (verdict === null) resolve(failedResult(job, this.#requests.unreadable(answer, messages, redactor)));
    else this.#sendAlone(entry, refusedBy(this.#service.name, answer, verdict, redactor, messages));
  }

  #sendAlone({ job, built, body, resolve }: Waiting, before?: Failure): void {
    this.#send(job, built, () => this.#encodeOne(built, body), before).then(resolve, (error) =>
      resolve(failedDelivery(job, toEmailError(error))),
    );
  }
}

/** The job where several requests send it: none of them is all of it. */
function unnamed(job: Job): Job {
  const { beforeCommit, key: _, ...rest } = job;
  return beforeCommit === undefined ? rest : { ...rest, beforeCommit: () => beforeCommit() };
}

function readingOf(verdict: Verdict): Reading<Accepted> {
  if (verdict === null) return null;
  return isAccepted(verdict) ? { said: verdict } : { refusal: verdict };
}

function listOf(around: readonly [string, string], entries: readonly Waiting[]): JsonList {
  const list = new JsonList(around);
  for (const { body } of entries) list.add(jsonOf(body));
  return list;
}

/** Octets of attachments that many mails may have in memory at once. */
const LARGE = 65_536;

function isLarge({ attachments }: EmailMessage): boolean {
  let octets = 0;
  for (const { content } of attachments) {
    if (typeof content !== 'string' && !(content instanceof Uint8Array)) return true; // nobody knows before it is read
    octets += content.length;
  }
  return octets > LARGE;
}

function unsupported(paths: readonly string[], message: string): MessageError {
  const issues = paths.map((path) => ({ path, code: 'unsupported' as const, message }));
  return new MessageError(issues, { code: 'unsupported-feature' });
}

/** The message with the text that it asks to be made from its HTML. */
function withText(message: EmailMessage): EmailMessage {
  const { autoText, body, htmlBody } = message;
  if (!autoText || body !== '' || htmlBody === null) return message;
  return message.with({ body: textFromHtml(htmlBody), autoText: false });
}
