import type { EmailBackend } from '../src/backend/backend.ts';
import type { DeliveryResult, Job } from '../src/backend/job.ts';
import { Part } from '../src/backend/part.ts';
import type { EmailError } from '../src/model/errors.ts';
import { EmailMessage } from '../src/model/message.ts';
import type { EmailMessageInit } from '../src/model/message-init.ts';

/** Gives mails to a connection as whoever writes down what leaves does, and answers what is asked. */
export class CommitTrial {
  /** The mails that were asked for, by index, in the order of the questions; those of one turn of the event loop together. */
  readonly asked: number[][] = [];
  readonly #answers = new Map<number, (may: boolean | Error) => void>();
  readonly #decide: (index: number) => boolean | Error | null;
  #isSameTurn = false;

  /** @param decide the answer, in the next turn of the event loop; null: {@link answer} gives it */
  constructor(decide: (index: number) => boolean | Error | null = () => true) {
    this.#decide = decide;
  }

  /** How often it was asked for each mail, by index. */
  get counts(): Readonly<Record<number, number>> {
    const counts: Record<number, number> = {};
    for (const index of this.asked.flat()) counts[index] = (counts[index] ?? 0) + 1;
    return counts;
  }

  /** Answers what was asked for a mail. */
  answer(index: number, may: boolean | Error): void {
    const answer = this.#answers.get(index);
    if (answer === undefined) throw new Error(`nobody has asked for mail ${index}: ${JSON.stringify(this.asked)}`);
    this.#answers.delete(index);
    answer(may);
  }

  /** Delivers the mails in one call; the results by index. */
  async deliver(
    connection: EmailBackend,
    mails: readonly EmailMessageInit[],
    { signal, changes = {} }: { readonly signal?: AbortSignal; readonly changes?: Partial<Job> } = {},
  ): Promise<readonly DeliveryResult[]> {
    const part = new Part(connection);
    const jobs = mails.map((mail, index): Job => {
      const beforeCommit = () => this.#ask(index);
      return { index, message: new EmailMessage(mail), signal, beforeCommit, ...changes };
    });
    const results: DeliveryResult[] = [];
    try {
      const answers = part.deliver(each(jobs), { signal });
      for (let step = await answers.next(); step.done !== true; step = await answers.next()) {
        if (results[step.value.index]) throw new Error(`mail ${step.value.index} was answered twice`);
        results[step.value.index] = step.value;
      }
    } finally {
      part.ended();
    }
    return results;
  }

  #ask(index: number): Promise<boolean> {
    if (!this.#isSameTurn) {
      this.asked.push([]);
      this.#isSameTurn = true;
      setImmediate(() => {
        this.#isSameTurn = false;
      });
    }
    this.asked.at(-1)?.push(index);
    return new Promise((resolve, reject) => {
      const answer = (may: boolean | Error) => (typeof may === 'boolean' ? resolve(may) : reject(may));
      const decided = this.#decide(index);
      if (decided === null) this.#answers.set(index, answer);
      else setImmediate(() => answer(decided));
    });
  }
}

async function* each(jobs: readonly Job[]): AsyncGenerator<Job, void, undefined> {
  yield* jobs;
}

/** What became of each mail for its first recipient: its status and code. */
export function outcomes(results: readonly DeliveryResult[]): readonly string[] {
  return results.map(({ recipients }) => {
    const [first] = recipients.values();
    return first === undefined ? 'nobody' : [first.status, first.code].filter((each) => each !== null).join(' ');
  });
}

/** Why each mail was not sent to its first recipient; null where it was. */
export function errorsOf(results: readonly DeliveryResult[]): readonly (EmailError | null)[] {
  return results.map(({ error, recipients }) => error ?? [...recipients.values()][0]?.error ?? null);
}

/** What the error of a mail says that was not let go. */
export const WITHHELD = { outcome: 'not-sent', code: 'aborted', phase: 'queue', retryable: true } as const;
