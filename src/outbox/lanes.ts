import type { LaneOptions } from './outbox-options.ts';
import type { ClaimedMail, ClaimRequest } from './store.ts';

interface Lane {
  readonly name: string;
  readonly weight: number;
  /** What it is owed: of two lanes that want the next place, the one with more gets it. */
  credit: number;
}

/** Parts the free places of a worker between lanes, by their weights, so that none waits for another's millions. */
export class LaneShares {
  readonly #lanes: readonly Lane[];
  readonly #total: number;

  constructor(lanes: Readonly<Record<string, LaneOptions>>) {
    this.#lanes = Object.entries(lanes)
      .map(([name, { weight = 1 }]) => ({ name, weight, credit: 0 }))
      .toSorted((a, b) => b.weight - a.weight);
    this.#total = this.#lanes.reduce((sum, { weight }) => sum + weight, 0);
  }

  /** Of how many mails of each lane a claim may consist; what a lane leaves goes to those of more weight first. */
  shares(places: number): ClaimRequest['lanes'] {
    const limits = new Map(this.#lanes.map(({ name }) => [name, 0]));
    for (let place = 0; place < places; place++) {
      for (const lane of this.#lanes) lane.credit += lane.weight;
      const next = this.#lanes.reduce((best, lane) => (lane.credit > best.credit ? lane : best));
      next.credit -= this.#total;
      limits.set(next.name, (limits.get(next.name) ?? 0) + 1);
    }
    return this.#lanes.map(({ name }) => ({ lane: name, limit: limits.get(name) ?? 0 }));
  }

  /** A lane that had nothing is owed nothing: it would take all places later. */
  settle(asked: ClaimRequest['lanes'], mails: readonly ClaimedMail[]): void {
    const got = countsOf(mails);
    for (const lane of this.#lanes) {
      const limit = asked.find((each) => each.lane === lane.name)?.limit ?? 0;
      if ((got.get(lane.name) ?? 0) < limit) lane.credit = Math.min(lane.credit, 0);
    }
  }

  /** The names, those of more weight first. */
  get names(): readonly string[] {
    return this.#lanes.map(({ name }) => name);
  }
}

function countsOf(mails: readonly ClaimedMail[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { lane } of mails) counts.set(lane, (counts.get(lane) ?? 0) + 1);
  return counts;
}
