import { describe, expect, test, vi } from 'vitest';
import type { HttpBackend } from '../../src/http/http-backend.ts';
import type { HttpOptions } from '../../src/http/options.ts';
import { EmailError } from '../../src/model/errors.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import type { SendStatus } from '../../src/model/status.ts';
import type { HttpCall, HttpReply } from '../servers/scripted-http.ts';
import { StrictVendor, type Vendor } from '../servers/strict-vendor.ts';
import { MAIL } from './vendor-trial.ts';

/** A backend, as far as faults treat one unlike another. */
export interface FaultySubject {
  readonly vendor: Vendor;
  readonly connect: (baseUrl: string, options: HttpOptions) => HttpBackend;
  /** Whether a lost answer is asked for again under a key. */
  readonly hasKeys?: boolean;
  /** Whether several messages go in one request. */
  readonly hasBatches?: boolean;
  /** Whether a large mail is stored there before a request sends it. */
  readonly storesLarge?: boolean;
}

/** What becomes of a call. */
interface Outcome {
  readonly statuses: readonly string[];
  readonly error: EmailError | null;
  /** Mails that the vendor took. */
  readonly accepted: number;
  readonly calls: readonly HttpCall[];
}

/** What is answered, given what the vendor would say; `serve` makes it do so. */
type Script = (serve: () => HttpReply, count: number) => HttpReply;

const QUICK = { attempts: 1, baseMs: 1, maxMs: 1 };

/** What a backend must say when its vendor fails at any point, or the call is aborted there. */
export function describeVendorFaults(name: string, subject: FaultySubject): void {
  const { hasKeys = false, hasBatches = false, storesLarge = false } = subject;

  async function trial(
    script: Script,
    { signal, messages = [MAIL], prepare, ...options }: HttpOptions & Trial = {},
  ): Promise<Outcome> {
    const server = await StrictVendor.start(subject.vendor);
    const { script: serve } = server.http;
    server.http.script = (call, count) => script(() => serve(call, count), count);
    prepare?.(server);
    const backend = subject.connect(server.http.url, { retry: QUICK, ...options });
    try {
      const call = signal === undefined ? {} : { signal };
      const ended = await backend.sendMessages(messages, call).catch((thrown: unknown) => thrown);
      const error = ended instanceof EmailError ? ended : null;
      const status = error === null ? (ended as SendStatus) : error.status; // or an error of another kind, which fails below
      const statuses = [...(status?.results ?? [])].flatMap(({ recipients }) =>
        [...recipients.values()].map((told) => told.status.replace('sent', 'queued')),
      );
      return { statuses, error, accepted: server.accepted.length, calls: server.http.calls };
    } finally {
      await backend.close();
      await server.close();
    }
  }

  /** What is said when nobody knows, or when the vendor could be asked again. */
  function expectDoubt({ statuses, accepted, calls, error }: Outcome, took: number): void {
    const seen = { statuses, accepted, calls: calls.length, outcome: error?.outcome };
    // Some only say that the key was used, which does not tell by whom.
    const isTold = hasKeys && (took === 0 || subject.vendor.again === undefined);
    if (isTold) expect(seen).toEqual({ statuses: ['queued'], accepted: 1, calls: 2, outcome: undefined });
    else expect(seen).toEqual({ statuses: ['unknown'], accepted: took, calls: hasKeys ? 2 : 1, outcome: 'unknown' });
    if (hasKeys) {
      expect(calls[0]?.body, 'the same request again').toEqual(calls[1]?.body);
      expect(calls[0]?.headers['idempotency-key']).toBe(calls[1]?.headers['idempotency-key']);
    }
  }

  describe(`${name}, when its vendor fails`, () => {
    test.each(['unanswered', 'head', 'body'] as const)('took the mail and breaks off (%s)', async (cut) => {
      expectDoubt(await trial((serve, count) => ({ ...serve(), ...(count === 1 && { cut }) })), 1);
    });

    test.each([500, 502, 503])('answers %i', async (status) => {
      expectDoubt(await trial((serve, count) => (count === 1 ? { status, body: '' } : serve())), 0);
    });

    test.each([
      ['a page of somebody else', '<html>Welcome to nginx!'],
      ['nothing', ''],
      ['an empty object', {}],
    ])('answers 200 with %s', async (_, body) => {
      expectDoubt(await trial((serve, count) => (count === 1 ? { status: 200, body } : serve())), 0);
    });

    test('answers 200, and says no', async () => {
      const { statuses, accepted } = await trial(() => ({ ...subject.vendor.fault(400, 'no'), status: 200 }));
      expect(accepted).toBe(0);
      expect(['rejected', 'unknown']).toContain(statuses.join());
    });

    test.each([
      ['seconds', () => '7', 7_000],
      ['a date', () => new Date(Date.now() + 3_600_000).toUTCString(), 3_600_000],
    ])('answers 429, with %s to wait', async (_, text, ms) => {
      const outcome = await trial(() => ({ status: 429, headers: { 'retry-after': text() }, body: '' }));
      expect(outcome).toMatchObject({
        statuses: ['failed'],
        accepted: 0,
        error: { code: 'throttled', retryable: true },
      });
      expect(outcome.calls).toHaveLength(1);
      const { retryAfterMs = 0 } = outcome.error ?? {};
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(ms);
    });

    test('answers 429 once: under retry the mail goes again, and arrives once', async () => {
      const headers = { 'retry-after': '0' };
      const script: Script = (serve, count) => (count === 1 ? { status: 429, headers, body: '' } : serve());
      const outcome = await trial(script, { retry: { ...QUICK, attempts: 2 } });
      expect(outcome).toMatchObject({ statuses: ['queued'], accepted: 1 });
    });

    test('refuses one message of three: the others are sent', async () => {
      const messages = ['a@example.org', 'bad@example.org', 'c@example.org'].map((to) => ({ ...MAIL, to }));
      const prepare = (server: StrictVendor): void => void server.refused.add('bad@example.org');
      const { statuses, accepted, calls } = await trial((serve) => serve(), { messages, prepare });
      expect(statuses).toEqual(['queued', expect.stringMatching(/^(?:rejected|invalid)$/), 'queued']);
      expect({ accepted, calls: calls.length }).toEqual({ accepted: 2, calls: hasBatches ? 1 : 3 });
    });
  });

  describe(`${name}, when its call is aborted`, () => {
    test('before', async () => {
      const outcome = await trial((serve) => serve(), { signal: AbortSignal.abort() });
      expect(outcome).toMatchObject({ statuses: ['failed'], accepted: 0, calls: [], error: { outcome: 'not-sent' } });
    });

    test('while the request is written', async () => {
      const controller = new AbortController();
      const attachments = [{ filename: 'a.txt', content: 'x'.repeat(8_000_000) }];
      const prepare = ({ http }: StrictVendor): void => {
        http.scriptUnread = () => {
          controller.abort();
          return 'silent';
        };
      };
      const { signal } = controller;
      const messages = [{ ...MAIL, attachments }];
      const { statuses, accepted } = await trial((serve) => serve(), { signal, messages, prepare });
      expect(accepted).toBe(0);
      expect(statuses).toEqual([storesLarge ? 'failed' : 'unknown']);
    });

    test.each([
      ['while it waits for the answer', 'silent'],
      ['while it reads the answer', 'stalled'],
    ] as const)('%s', async (_, cut) => {
      const controller = new AbortController();
      const script: Script = (serve) => {
        setTimeout(() => controller.abort(), 20);
        return { ...serve(), cut };
      };
      const outcome = await trial(script, { signal: controller.signal });
      expect(outcome).toMatchObject({ statuses: ['unknown'], accepted: 1, error: { outcome: 'unknown' } });
      expect(outcome.calls).toHaveLength(1);
    });

    test('while it waits for the next try', async () => {
      const controller = new AbortController();
      const { setTimeout: setRealTimeout } = globalThis;
      // It waits as soon as it sets a timer for the time that the provider asks for.
      const spy = vi.spyOn(globalThis, 'setTimeout').mockImplementation((callback, ms, ...given) => {
        if (ms === 61_000) setImmediate(() => controller.abort());
        return setRealTimeout(callback, ms, ...given);
      });
      const script: Script = () => ({ status: 429, headers: { 'retry-after': '61' }, body: '' });
      const retry = { ...QUICK, attempts: 3 };
      const outcome = await trial(script, { signal: controller.signal, retry });
      spy.mockRestore();
      expect(outcome).toMatchObject({ statuses: ['failed'], accepted: 0, error: { outcome: 'not-sent' } });
      expect(outcome.calls).toHaveLength(1);
    });
  });
}

/** How a call is made. */
interface Trial {
  readonly signal?: AbortSignal;
  readonly messages?: readonly EmailMessageInit[];
  readonly prepare?: (server: StrictVendor) => void;
}
