import type { CaseReport, TrialCase } from './random-trial.ts';
import type { Honesty } from './themes.ts';

/** How many contradictions of a kind are shown. */
const SHOWN = 5;

/** What all cases of a trial add up to. */
export class Summary {
  mails = 0;
  /** What must not be, the first few of each kind, with the seed and number that play it again. */
  readonly contradictions: string[] = [];
  #cases = 0;
  readonly #statuses: Record<string, number> = {};
  readonly #unknown: Record<string, number> = {};
  readonly #kinds: Record<string, number> = {};
  /** Of the servers that break RFC 5321 so that nobody could tell, by their names. */
  readonly #excused: Record<string, number> = {};
  #doubled = 0;

  add({ seed, number, client }: TrialCase, { theme, mails, statuses, contradictions }: CaseReport): void {
    this.#cases++;
    this.mails += mails;
    for (const [status, count] of Object.entries(statuses)) add(this.#statuses, status, count);
    const isStopped = client.options.deadlineMs !== undefined || client.calls.some(({ stop }) => stop !== null);
    const cause = isStopped ? 'stopped by the caller' : theme.name;
    if (statuses['unknown']) add(this.#unknown, cause, statuses['unknown']);
    const where = `FAULTS_SEED=${seed} FAULTS_CASE=${number} (${theme.name})`;
    for (const { kind, text, isGrave } of contradictions) {
      if (!isGrave && theme.honesty !== 'exact') add(this.#excused, `${theme.name}: ${kind}`, 1);
      else {
        const told = add(this.#kinds, `${theme.name}: ${kind}`, 1);
        if (told <= SHOWN) this.contradictions.push(`${where}: ${text}`);
      }
    }
    if (theme.honesty !== ('takes behind 421' satisfies Honesty)) return;
    const doubled = new Set(contradictions.map(({ messageId }) => messageId)).size;
    this.#doubled += doubled;
    const window = client.options.maxInFlight ?? 8;
    if (doubled > window)
      this.contradictions.push(`${where}: ${doubled} mails doubled, where ${window} may be in flight`);
  }

  get table(): string {
    return [
      `${this.mails} mails in ${this.#cases} cases`,
      `recipients: ${list(this.#statuses)}`,
      `contradictions: ${list(this.#kinds) || 'none'}`,
      `unknown: ${list(this.#unknown)}`,
      `doubled by servers that take what stands behind their 421: ${this.#doubled} mails`,
      `not to be told apart: ${list(this.#excused) || 'none'}`,
    ].join('\n');
  }
}

function add(counts: Record<string, number>, key: string, count: number): number {
  const sum = (counts[key] ?? 0) + count;
  counts[key] = sum;
  return sum;
}

function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([key, count]) => `${key} ${count}`)
    .join(', ');
}
