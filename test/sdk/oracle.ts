import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { EmailBackend } from '../../src/backend/backend.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import type { MessageResult } from '../../src/model/status.ts';
import type { HttpCall, HttpReply } from '../servers/scripted-http.ts';
import { requestsOf } from './capture.ts';
import { MESSAGES, type MessageName } from './messages.ts';

/** Where our request is not the SDK's, what each says there (undefined: nothing), and why that is right. */
interface Difference {
  /** As `0.body.subject`: the number of the request, then the way to it. */
  readonly at: string;
  readonly sdk: unknown;
  readonly ours: unknown;
  readonly why: string;
}

/** How a message is sent with the SDK, as its users would. */
interface Case<Sdk> {
  send(sdk: Sdk): Promise<unknown>;
  /** What this vendor's message has beside or instead, such as the id of a template in the form that it takes. */
  readonly with?: Partial<EmailMessageInit>;
  readonly differences?: readonly Difference[];
}

/** A vendor's SDK beside our backend. */
interface Oracle<Sdk> {
  /** Ours; requests go one after the other. */
  connect(): EmailBackend;
  sdk(): Sdk;
  /** Where a request of ours has a key of its own for a message that has none; `at` is below the request. */
  readonly ownKey?: Difference;
  /** What the vendor answers. */
  answer(call: HttpCall): HttpReply;
  /** Each message, or why the vendor cannot carry it: then we must refuse it, or say what is ignored. */
  readonly cases: Readonly<Record<MessageName, Case<Sdk> | string>>;
}

/** Tests that our requests are the SDK's, but for the differences that are listed with their reasons. */
export function describeSdk<Sdk>(name: string, { connect, sdk, ownKey, answer, cases }: Oracle<Sdk>): void {
  const sendOurs = async (messages: readonly EmailMessageInit[], results: MessageResult[]): Promise<void> => {
    await using backend = connect();
    for await (const result of backend.stream(messages)) results.push(result);
  };

  describe(name, () => {
    test.each(Object.entries(cases) as [MessageName, Case<Sdk> | string][])('%s', async (message, how) => {
      const results: MessageResult[] = [];
      if (typeof how === 'string') {
        await requestsOf(answer, () => sendOurs(MESSAGES[message], results));
        const [result] = results;
        expect(result?.error?.code ?? `ignored: ${result?.ignored}`, how).toMatch(/^unsupported-feature$|^ignored: \w/);
        return;
      }
      const theirs = await requestsOf(answer, () => how.send(sdk()));
      const messages = MESSAGES[message].map((init: EmailMessageInit) => ({ ...init, ...how.with }));
      const ours = await requestsOf(answer, () => sendOurs(messages, results));
      expect(results.map(({ error }) => error)).toEqual(results.map(() => null));
      const hasKey = messages.some(({ idempotencyKey }) => idempotencyKey);
      const keys = hasKey || !ownKey ? [] : ours.map((_, at) => ({ ...ownKey, at: `${at}.${ownKey.at}` }));
      const expected = [...keys, ...(how.differences ?? [])].map(({ why: _, ...difference }) => difference);
      const found = differencesOf(theirs, ours);
      const byPlace = (one: { at: string }, other: { at: string }): number => one.at.localeCompare(other.at);
      const shown = found.map((difference) => JSON.stringify(difference)).join('\n');
      expect(found.toSorted(byPlace), shown).toEqual(expected.toSorted(byPlace));
    });
  });
}

function differencesOf(sdk: unknown, ours: unknown, way = ''): Omit<Difference, 'why'>[] {
  if (isDeepStrictEqual(sdk, ours)) return [];
  const [left, right] = [entriesOf(sdk), entriesOf(ours)];
  const keys = new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})]);
  if (left === null || right === null || keys.size === 0) return [{ at: way.slice(1), sdk, ours }];
  return [...keys].flatMap((key) => differencesOf(left[key], right[key], `${way}.${key}`));
}

/** What is in a value; in one that is not there as in an empty one, so that differences are told of the fields. */
function entriesOf(value: unknown = {}): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null ? { ...value } : null;
}
