import { composeMessage } from '../../src/mime/compose/compose.ts';
import { decodeWords } from '../../src/mime/read/decode-words.ts';
import { EmailMessage } from '../../src/model/message.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { type HttpCall, type HttpReply, ScriptedHttp } from './scripted-http.ts';
import { findFaults, type Shape } from './strict-shape.ts';

/** One mail that a request asks for. */
export interface AskedMail {
  /** Bare addresses. */
  readonly recipients: readonly string[];
  /** Its source, as the vendor would send it. */
  readonly source: () => Uint8Array;
}

/** One way to ask a vendor for mails. */
export interface Endpoint {
  /** Every field of a request, written by hand from the vendor's page. */
  readonly shape: Shape;
  /** The mails that it asks for, one list for each message. */
  // biome-ignore lint/suspicious/noExplicitAny: its shape was checked
  mails(body: any): readonly (readonly AskedMail[])[];
  /** What is answered when the mails of some messages are taken; of the others the refused address. */
  answer(
    outcomes: readonly (string | null)[],
    ids: readonly string[],
    asked: readonly (readonly AskedMail[])[],
  ): HttpReply;
}

/** A vendor's API, as far as mails go. */
export interface Vendor {
  /** Whether the request is from somebody that may send. */
  isKnown(headers: HttpCall['headers'], body: unknown): boolean;
  /** By path; `*` stands for what a path has of the account. */
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  /** An answer that says no. */
  fault(status: number, message: string): HttpReply;
  /** The key under which a request is carried out once. */
  key?(call: HttpCall, body: unknown): string | undefined;
  /** What the same key is answered with again; default: as before. */
  readonly again?: HttpReply;
  /** The body, when it is no JSON. */
  read?(call: HttpCall): unknown;
}

/** What happens instead of what should. */
export type Mood = 'well' | 'broken' | 'silent' | 'lost';

/**
 * A local vendor that refuses every field that is not in its tables, and fails as it is told.
 *
 * It shows that requests keep to what is published, not that the vendor itself would take them.
 */
export class StrictVendor {
  readonly accepted: AskedMail[] = [];
  readonly http: ScriptedHttp;
  readonly refused = new Set<string>();
  /** Bodies of the requests, as they were read. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of them
  readonly bodies: any[] = [];
  mood: Mood = 'well';
  readonly #vendor: Vendor;
  readonly #answers = new Map<string, HttpReply>();
  #ids = 0;

  private constructor(vendor: Vendor, http: ScriptedHttp) {
    this.#vendor = vendor;
    this.http = http;
    http.script = (call) => this.#serve(call);
  }

  static async start(vendor: Vendor): Promise<StrictVendor> {
    return new StrictVendor(vendor, await ScriptedHttp.start());
  }

  close(): Promise<void> {
    return this.http.close();
  }

  #serve(call: HttpCall): HttpReply {
    if (this.mood === 'silent') return { cut: 'silent' };
    const vendor = this.#vendor;
    const path = call.path.replace(/\?.*/, '');
    const [, endpoint] = Object.entries(vendor.endpoints).find(([known]) => matches(known, path)) ?? [];
    if (endpoint === undefined) return vendor.fault(404, `no such path: ${path}`);
    const body = vendor.read ? vendor.read(call) : JSON.parse(call.body.toString());
    this.bodies.push(body);
    if (!vendor.isKnown(call.headers, body)) return vendor.fault(401, 'unknown key');
    if (this.mood === 'broken') return vendor.fault(403, 'the account is paused');
    if (!call.headers['user-agent']) return vendor.fault(403, 'no User-Agent');
    const faults = findFaults(body, endpoint.shape);
    if (faults.length > 0) return vendor.fault(400, faults.join('; '));
    const key = vendor.key?.(call, body);
    const before = key === undefined ? undefined : this.#answers.get(key);
    const answer = (before && vendor.again) ?? before ?? this.#take(endpoint, body);
    if (key !== undefined) this.#answers.set(key, answer);
    return this.mood === 'lost' ? { cut: 'unanswered' } : answer;
  }

  #take(endpoint: Endpoint, body: unknown): HttpReply {
    const asked = endpoint.mails(body);
    const outcomes = asked.map(
      (mails) => mails.flatMap(({ recipients }) => recipients).find((address) => this.refused.has(address)) ?? null,
    );
    const ids = asked.map(() => `id-${++this.#ids}`);
    for (const [index, mails] of asked.entries()) if (outcomes[index] === null) this.accepted.push(...mails);
    return endpoint.answer(outcomes, ids, asked);
  }
}

function matches(pattern: string, path: string): boolean {
  const parts = pattern.split('/');
  const given = path.split('/');
  return parts.length === given.length && parts.every((part, index) => part === '*' || part === given[index]);
}

/** A mail of the vendor's own making; headers are given as they stand in it. */
export function mailOf(recipients: readonly string[], init: EmailMessageInit): AskedMail {
  const all = Object.entries(init.headers ?? {}).map(([name, value]) => [name, decodeWords(value)] as const);
  const isId = ([name]: readonly [string, string]) => name.toLowerCase() === 'message-id';
  const messageId = all.find(isId)?.[1].replaceAll(/[<>]/g, '') ?? null;
  const headers = Object.fromEntries(all.filter((header) => !isId(header)));
  const source = () => composeMessage(new EmailMessage({ ...init, bcc: [], to: init.to ?? [], messageId, headers }));
  return { recipients, source };
}

/** What stands in angle brackets, or the text itself. */
export function bare(address: string): string {
  return /<([^>]*)>$/.exec(address)?.[1] ?? address;
}
