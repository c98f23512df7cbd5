import { setTimeout as wait } from 'node:timers/promises';
import { type HttpReply, ScriptedHttp } from '../servers/scripted-http.ts';
import type { CountingServer } from './kill-trial.ts';

/** A mail as Resend is asked for it. */
interface AskedMail {
  readonly subject: string;
}

/** What {@link countingVendor} gives. */
export interface CountingVendor extends Pick<CountingServer, 'taken' | 'next'> {
  readonly via: string;
  close(): Promise<void>;
}

/**
 * Resend, as far as keys go: what a key was used for is answered as before, and sends nothing. It counts by Message-ID what it
 * takes before it answers.
 */
export async function countingVendor(): Promise<CountingVendor> {
  const http = await ScriptedHttp.start();
  const taken = new Map<string, number>();
  const answers = new Map<string, HttpReply | null>();
  const waiting: (() => void)[] = [];
  const take = (mails: readonly AskedMail[]) => {
    for (const { subject } of mails) {
      const id = `${subject.toLowerCase().replace(' ', '-')}@example.com`; // Resend makes Message-IDs of its own
      taken.set(id, (taken.get(id) ?? 0) + 1);
    }
    for (const resolve of waiting.splice(0)) resolve();
  };
  http.script = ({ headers, body }) => {
    const key = headers['idempotency-key'] ?? '';
    const asked = JSON.parse(String(body)) as AskedMail | readonly AskedMail[]; // as our backend writes it
    const before = answers.get(key);
    if (before === null) return { status: 409, body: { name: 'concurrent_idempotent_requests', message: 'wait' } };
    if (before !== undefined) return before;
    answers.set(key, null);
    const list = [asked].flat();
    const ids = list.map((_, place) => ({ id: `${key}-${place}` }));
    const reply: HttpReply = { body: Array.isArray(asked) ? { data: ids, errors: [] } : ids[0] };
    const answered = wait(Math.random() * 10).then(async () => {
      take(list);
      await wait(Math.random() * 10); // a worker that dies now leaves a mail that was taken and never answered
      answers.set(key, reply);
    });
    return { ...reply, after: answered };
  };
  const via = `resend://re_123@?baseUrl=${encodeURIComponent(http.url)}`;
  const next = () => new Promise<void>((resolve) => waiting.push(resolve));
  return { via, taken, next, close: () => http.close() };
}
