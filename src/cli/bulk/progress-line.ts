import { performance } from 'node:perf_hooks';
import { formatCount } from '../output.ts';
import { type Counts, formatCounts } from './row-outcome.ts';

/** How far a run has got. */
export interface Progress {
  /** All rows, those of earlier runs included. */
  readonly counts: Counts;
  /** Rows that this run has finished. */
  readonly done: number;
  /** Rows that this run has to send. */
  readonly planned: number;
}

/** Where progress is shown; a terminal knows its width. */
type ProgressStream = Pick<NodeJS.WriteStream, 'columns'> & { write(text: string): unknown };

/** Progress: on a terminal a line rewritten ten times a second, elsewhere a new line every five seconds. */
export class ProgressLine {
  readonly #stream: ProgressStream;
  readonly #read: () => Progress;
  readonly #isLive: boolean;
  readonly #timer: NodeJS.Timeout;
  readonly #started = performance.now();

  constructor(stream: ProgressStream, isLive: boolean, read: () => Progress) {
    this.#stream = stream;
    this.#read = read;
    this.#isLive = isLive;
    this.#timer = setInterval(() => this.#show(), isLive ? 100 : 5000);
  }

  /** Replaces the line with a text that stays. */
  note(text: string): void {
    this.#stream.write(this.#isLive ? `\r\u001b[2K${text}\n` : `${text}\n`);
  }

  /** Shows the last state and leaves it there. */
  end(): void {
    clearInterval(this.#timer);
    if (!this.#isLive) return;
    this.#show();
    this.#stream.write('\n');
  }

  #show(): void {
    const text = formatProgress(this.#read(), performance.now() - this.#started);
    this.#stream.write(this.#isLive ? `\r\u001b[2K${text.slice(0, (this.#stream.columns || 80) - 1)}` : `${text}\n`);
  }
}

/** `1,200 sent, 3 failed of 10,000, 812/s, 0:11 left`; the rate and the time left are those of this run. */
export function formatProgress({ counts, done, planned }: Progress, elapsedMs: number): string {
  const { unsent: _, ...ended } = counts;
  const total = Object.values(ended).reduce((sum, count) => sum + count, 0) + planned - done;
  const rate = elapsedMs > 0 ? (done * 1000) / elapsedMs : 0;
  const shownRate = rate >= 10 ? formatCount(Math.round(rate)) : rate.toFixed(1);
  const left = rate > 0 ? `${formatTime((planned - done) / rate)} left` : 'starting';
  return `${formatCounts({ ...counts, unsent: 0 })} of ${formatCount(total)}, ${shownRate}/s, ${left}`;
}

/** `0:09`, `12:30`, `1:02:03`. */
function formatTime(seconds: number): string {
  const whole = Math.ceil(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, at) => (at === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
