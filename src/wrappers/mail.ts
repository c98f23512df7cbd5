import { type DeliveryResult, type Job, toEmailError } from '../backend/job.ts';
import type { PartJob } from '../backend/part-job.ts';
import { copyError } from '../model/error-copies.ts';
import { type EmailError, SendError } from '../model/errors.ts';
import type { Feature } from '../model/features.ts';
import type { EmailMessage } from '../model/message.ts';
import { isDelivered, type RecipientStatus, recipientStatus, type Try } from '../model/status.ts';
import type { Deadline } from '../util/deadline.ts';
import type { Lane } from './lane.ts';
import { onlyTry } from './only-try.ts';
import type { TryTrace } from './trace-try.ts';

const NONE: readonly never[] = /* @__PURE__ */ Object.freeze([]);

/** One message of a wrapper's call, over all tries. */
export class Mail {
  /** As the wrapper was given it, with what must be the same in every try. */
  job: Job;
  /** The places of the connections that were tried, in order. */
  places: readonly number[] = NONE;
  /** The try under way: the message, or what is left of it. */
  tried: EmailMessage;
  /** The same as the connection gets it. */
  given: PartJob | null = null;
  /** The lane of the connection; null between tries. */
  lane: Lane | null = null;
  /** The connection has taken it from its lane. */
  isTaken = false;
  /** The time that the connection gives itself. */
  deadline: Deadline | null = null;
  /** The trace of the try; null when nobody listens. */
  trace: TryTrace | null = null;
  /** Whoever gave it did not let it go: no other connection may send it either. */
  isWithheld = false;
  /** Ends the wait for the next try. */
  stopWaiting: (() => void) | null = null;
  /** Ends listening to a signal of its own. */
  stopListening: (() => void) | null = null;
  readonly #recipients = new Map<string, RecipientStatus>();
  #answers: readonly DeliveryResult[] = NONE;
  /** Everybody of the last try has it. */
  #isThrough = false;

  constructor(job: Job) {
    this.job = job;
    this.tried = job.message;
  }

  /** Whether a try has ended. */
  get hasAnswer(): boolean {
    return this.#answers.length > 0;
  }

  /** Another try begins, at the connection of that place. */
  begin(place: number): void {
    this.places = this.places.length === 0 ? [place] : [...this.places, place]; // a list that grows takes room for many more
  }

  /** The try is over, or the wait for it. */
  leaveLane(): void {
    this.lane?.settled(this);
    this.lane = null;
    this.isTaken = false;
    this.deadline?.clear();
    this.deadline = null;
    this.stopWaiting?.();
    this.stopWaiting = null;
  }

  /** What became of the try under way. */
  note(via: string, answer: DeliveryResult): void {
    this.#isThrough = true;
    for (const { address } of this.tried.recipients) {
      const status = answer.recipients.get(address) ?? notTold(address, via);
      this.#isThrough &&= isDelivered(status);
      this.#recipients.set(address, withTry(status, via, this.#recipients.get(address)?.tries));
    }
    this.#answers = this.#answers.length === 0 ? [answer] : [...this.#answers, answer];
  }

  /** The recipients of the last try for whom `goesOn` says so. */
  left(goesOn: (recipient: RecipientStatus) => boolean): readonly RecipientStatus[] {
    if (this.#isThrough) return NONE;
    let left: RecipientStatus[] | null = null;
    for (const { address } of this.tried.recipients) {
      const status = this.#recipients.get(address);
      if (status === undefined || isDelivered(status) || status.status === 'unknown' || !goesOn(status)) continue;
      left ??= [];
      left.push(status);
    }
    return left ?? NONE;
  }

  /** What is known of everybody by now; nothing of those that no try was for. */
  result(): DeliveryResult {
    const { index } = this.job;
    const recipients = this.#recipients;
    const last = this.#answers.at(-1);
    if (last === undefined) return { index, messageId: null, recipients };
    if (this.#answers.length === 1) return { ...last, index, recipients };
    // The ids and features of a mail that nobody got are of no use.
    const delivered = this.#answers.filter((answer) => [...answer.recipients.values()].some(isDelivered));
    const ids = new Set(delivered.flatMap(({ messageId }) => idsOf(messageId)));
    const [only = null] = ids;
    const { error, espResponse, recipients: latest } = delivered.at(-1) ?? last;
    // Where the last try was for some only, their own errors tell of the others.
    const isOfAll = delivered.length === 0 && latest.size === recipients.size;
    return {
      index,
      messageId: ids.size > 1 ? ids : only,
      recipients,
      ...(error && isOfAll && { error: withHistory(toEmailError(error), recipients) }),
      espResponse,
      ignored: [...new Set(delivered.flatMap(({ ignored = NONE }): readonly Feature[] => ignored))],
      ...(delivered.some(({ ignoredReasons }) => ignoredReasons) && {
        ignoredReasons: Object.assign({}, ...delivered.map(({ ignoredReasons }) => ignoredReasons)),
      }),
    };
  }
}

function idsOf(messageId: DeliveryResult['messageId']): readonly string[] {
  return messageId === null ? NONE : typeof messageId === 'string' ? [messageId] : [...messageId];
}

/** The status with the name of who it comes from, and the tries that led to it; those of a wrapper in this one are among them. */
function withTry(told: RecipientStatus, via: string, earlier: readonly Try[] | undefined): RecipientStatus {
  const { address, status, messageId, code, enhancedCode, response, retryable, error } = told; // a spread costs microseconds
  const tries =
    told.tries === undefined ? onlyTry(via, told) : told.tries.map((each) => ({ ...each, via: `${via}/${each.via}` }));
  return {
    address,
    status,
    messageId,
    code,
    enhancedCode,
    response,
    retryable,
    error,
    via: told.via === undefined ? via : `${via}/${told.via}`,
    tries: earlier === undefined ? tries : [...earlier, ...tries],
  };
}

function notTold(address: string, via: string): RecipientStatus {
  const text = `${via} did not tell what happened to this recipient`;
  const error = new SendError('uncertain', text, { outcome: 'unknown' });
  return recipientStatus(address, 'unknown', { code: error.code, error });
}

/** The last error alone would hide what went wrong before, often the more important one. */
function withHistory(error: EmailError, recipients: ReadonlyMap<string, RecipientStatus>): EmailError {
  const [first] = recipients.values();
  const tries = first?.tries ?? NONE;
  const before = tries.slice(0, -1).map(({ via, code, status }) => `${via}: ${code ?? status}`);
  const text = `${error.message} (try ${tries.length}, via ${first?.via}; before: ${before.join(', ')})`;
  return copyError(error, { message: text });
}
