import { SYSTEM_CLOCK } from '../util/clock.ts';
import { Grouped } from './grouped.ts';
import type { OpenMail, Withheld } from './open-mail.ts';
import type { Marking, OutboxStore } from './store.ts';

/** Writes down that mails may leave: those of one turn in one call of the store. */
export class Marks {
  readonly #store: Pick<OutboxStore, 'mark'>;
  /** For how long a request may be asked again; 0 where it never may. Half of the key's time, as what was asked may be on its way for long. */
  readonly #repeatMs: number;
  readonly #marking = new Grouped<Marking, boolean>((markings) => this.#markAll(markings));
  #failures = 0;

  /** @param idempotencyMs how long the provider remembers keys; null when it has none */
  constructor(store: Pick<OutboxStore, 'mark'>, idempotencyMs: number | null) {
    this.#store = store;
    this.#repeatMs = (idempotencyMs ?? 0) / 2;
  }

  /** How often in a row the store would not mark. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Why a mail may not leave; null when it may.
   *
   * @param given names the request that sends it; null where that cannot be asked again
   */
  async mark(mail: OpenMail, given: string | null): Promise<Withheld | null> {
    const repeatMs = this.#repeatMs;
    const request = repeatMs > 0 ? given : null;
    const { id, fence, request: before, onDoubt } = mail.claimed;
    const isRepeated = before !== null && request === before && SYSTEM_CLOCK.now() < mail.repeatUntil;
    const isInDoubt = before !== null && onDoubt === 'hold';
    if (isInDoubt && !isRepeated) return { isInDoubt };
    if (!isRepeated) mail.repeatUntil = request === null ? 0 : SYSTEM_CLOCK.now() + repeatMs;
    try {
      const isMarked = await this.#marking.add({ id, fence, request, repeatMs });
      this.#failures = 0;
      if (!isMarked) return { isInDoubt: false };
      // This process may have been stopped meanwhile, and somebody else may have asked.
      return request !== null && SYSTEM_CLOCK.now() >= mail.repeatUntil ? { isInDoubt } : null;
    } catch {
      this.#failures++;
      return { isInDoubt: false };
    }
  }

  async #markAll(markings: readonly Marking[]): Promise<readonly boolean[]> {
    const marked = new Set((await this.#store.mark(markings)).map(({ id }) => id));
    return markings.map(({ id }) => marked.has(id));
  }
}
