import { createHash, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { MessageError, SendError } from '../../model/errors.ts';
import { EmailMessage } from '../../model/message.ts';
import { isObject, type JsonValue } from '../../util/json.ts';
import { type Acceptance, acceptMail } from '../catch/accept-mail.ts';
import { arrivalOf } from '../catch/arrival-of.ts';
import type { Chaos } from '../catch/chaos.ts';
import type { Arrival } from '../store/caught-mail.ts';
import type { MailStore } from '../store/mail-store.ts';
import type { Reply } from '../web/reply.ts';
import { type RouteRequest, TooLarge } from '../web/router.ts';
import { readJson } from './read-json.ts';
import { findProblems } from './shape.ts';
import {
  type AskedMail,
  type Endpoint,
  type Outcome,
  type Problem,
  Refused,
  type Vendor,
  type VendorCall,
} from './vendor.ts';

/** The most answers that are kept for repeated idempotency keys. */
const MAX_KEYS = 10_000;
/** The most mails of one request. */
const MAX_MAILS = 1000;

/** Answers the requests of one vendor: what they ask to be sent is caught. */
export class Emulation {
  readonly #name: string;
  readonly #vendor: Vendor;
  readonly #store: MailStore;
  readonly #chaos: Chaos;
  readonly #answers = new Map<string, { readonly digest: string; readonly reply: Reply }>();

  constructor(name: string, vendor: Vendor, store: MailStore, chaos: Chaos) {
    this.#name = name;
    this.#vendor = vendor;
    this.#store = store;
    this.#chaos = chaos;
  }

  /** @param path below the vendor's base URL, as `/emails` */
  async answer(request: RouteRequest, path: string): Promise<Reply | null> {
    try {
      return await this.#answer(request, path);
    } catch (error) {
      if (error instanceof Refused) return this.#vendor.refuse([error.problem]);
      if (error instanceof TooLarge)
        return this.#vendor.refuse([{ kind: 'too-large', field: null, message: error.message }]);
      throw error;
    }
  }

  async #answer(request: RouteRequest, given: string): Promise<Reply | null> {
    const vendor = this.#vendor;
    const { method, headers, query } = request;
    const { prefix = '' } = vendor;
    const path = given.startsWith(`${prefix}/`) ? given.slice(prefix.length) : given;
    const found = Object.entries(vendor.endpoints).find(([key]) => paramsOf(key, `${method} ${path}`) !== null);
    if (found === undefined) {
      const known = Object.keys(vendor.endpoints).join(', ');
      throw new Refused({
        kind: 'path',
        field: null,
        message: `${method} ${path} is not emulated; these are: ${known}`,
      });
    }
    const [key, endpoint] = found;
    const params = paramsOf(key, `${method} ${path}`) ?? [];
    const baseUrl = `http://${headers.host}/api/emulate/${this.#name}`;
    const call: VendorCall = { headers, params, query, baseUrl };
    if (typeof endpoint === 'function') {
      if (!vendor.hasKey(headers, null)) throw new Refused(NO_KEY);
      return endpoint(call);
    }
    const bytes = await request.bytes();
    const read = await (endpoint.read ?? readJson)(bytes, headers);
    const body = vendor.takesNull ? withoutNulls(read) : read;
    if (!vendor.hasKey(headers, body)) throw new Refused(NO_KEY);
    const [first, ...others] = findProblems(body, endpoint.shape);
    if (first !== undefined) return vendor.refuse([first, ...others]);
    if (!('mails' in endpoint)) return endpoint.answer(body, call);
    const used = endpoint.key?.(call, body) ?? null;
    if (used === null) return this.#take(endpoint, call, body, null, request.response);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const before = this.#answers.get(used);
    if (before !== undefined) {
      if (vendor.answersAgain && before.digest === digest) return before.reply;
      throw new Refused({ kind: 'used-key', field: null, message: `the idempotency key ${used} was used` });
    }
    const reply = await this.#take(endpoint, call, body, used, request.response);
    if (reply !== null && reply.status < 300) this.#remember(used, digest, reply);
    return reply;
  }

  async #take(
    endpoint: Endpoint,
    call: VendorCall,
    body: unknown,
    idempotencyKey: string | null,
    response: ServerResponse,
  ): Promise<Reply | null> {
    const parts = endpoint.parts?.(body) ?? [body];
    const max = endpoint.max ?? MAX_MAILS;
    if (parts.length > max)
      throw new Refused({ kind: 'too-large', field: null, message: `a request has at most ${max} messages` });
    const made = parts.map((part) => this.#make(() => mailsOf(endpoint, part, call), call, idempotencyKey));
    const problem = made.find((mails) => 'kind' in mails);
    if (problem !== undefined && !endpoint.takesParts?.(call)) throw new Refused(problem as Problem); // it has a kind
    const outcomes: Outcome[] = [];
    let delayMs = 0;
    for (const mails of made) {
      if ('kind' in mails) outcomes.push(refusedFor(mails));
      else {
        const taken = mails.map((mail) => ({ mail, acceptance: this.#accept(mail.arrival) }));
        if (taken.some(({ acceptance }) => acceptance.isDropped)) {
          response.destroy();
          return null;
        }
        for (const { acceptance } of taken) delayMs += acceptance.delayMs;
        outcomes.push(outcomeOf(taken));
      }
    }
    if (delayMs > 0) await wait(Math.min(delayMs, 60_000), undefined, { ref: false });
    const refused = outcomes.every((outcome) => outcome.problem !== null) ? outcomes[0]?.problem : null;
    if (refused && !endpoint.takesParts?.(call)) throw new Refused(refused);
    return endpoint.answer(outcomes, call, body);
  }

  /** The mails of a message as they are caught, or what is wrong with one of them. */
  #make(ask: () => readonly AskedMail[], call: VendorCall, idempotencyKey: string | null): Problem | readonly Made[] {
    const made: Made[] = [];
    try {
      const mails = ask();
      if (mails.length > MAX_MAILS)
        return { kind: 'too-large', field: null, message: `a message is for at most ${MAX_MAILS} mails` };
      for (const mail of mails) {
        const id = this.#vendor.newId?.(call) ?? randomUUID();
        const { messageId, ...arrival } = arrivalFor(mail, idempotencyKey);
        const { answersMessageId } = this.#vendor;
        const facts: Record<string, JsonValue> = { vendor: this.#name, ...(!answersMessageId && { id }) };
        const kept = { ...arrival, via: 'api', facts: { ...facts, ...arrival.facts } } as const;
        made.push({ id: answersMessageId ? messageId : id, arrival: kept });
      }
      return made;
    } catch (error) {
      if (error instanceof Refused) return error.problem;
      if (!(error instanceof MessageError)) throw error;
      return this.#problemOf(error, made.length);
    }
  }

  #problemOf({ issues: [issue], message }: MessageError, index: number): Problem {
    if (issue === undefined) return { kind: 'content', field: null, message };
    const [, first = '', rest = ''] = /^(\w+)(.*)$/s.exec(issue.path) ?? [];
    const name = (this.#vendor.names[first] ?? first).replaceAll('#', String(index));
    return { kind: issue.code === 'address' ? 'address' : 'content', field: `${name}${rest}`, message: issue.message };
  }

  #accept(arrival: Arrival): Acceptance {
    try {
      return acceptMail(this.#store, this.#chaos, arrival);
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      throw new Refused({ kind: 'too-large', field: null, message: error.message });
    }
  }

  #remember(key: string, digest: string, reply: Reply): void {
    this.#answers.set(key, { digest, reply });
    if (this.#answers.size <= MAX_KEYS) return;
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined) this.#answers.delete(oldest);
  }
}

const NO_KEY: Problem = { kind: 'key', field: null, message: 'the request has no key' };

/** What a message asks for. @throws {Refused} */
function mailsOf(endpoint: Endpoint, part: unknown, call: VendorCall): readonly AskedMail[] {
  const [problem] = endpoint.partShape === undefined ? [] : findProblems(part, endpoint.partShape);
  if (problem !== undefined) throw new Refused(problem);
  return endpoint.mails(part, call);
}

interface Made {
  readonly id: string;
  readonly arrival: Arrival;
}

function arrivalFor(
  mail: AskedMail,
  idempotencyKey: string | null,
): Omit<Arrival, 'via'> & { readonly messageId: string } {
  if ('message' in mail) {
    const { envelope, ...arrival } = arrivalFor(mail.message, idempotencyKey);
    return { ...arrival, envelope: { ...envelope, to: mail.recipients } };
  }
  if (!('source' in mail)) return arrivalOf(new EmailMessage({ ...mail, idempotencyKey }));
  const { source, from, recipients, tags, metadata } = mail;
  const head =
    Buffer.from(source.subarray(0, 65_536))
      .toString('latin1')
      .split(/\r?\n\r?\n/, 1)[0] ?? '';
  return {
    messageId: /^message-id:\s*<([^>\s]+)>/im.exec(head)?.[1] ?? randomUUID(),
    bytes: source,
    envelope: { from, to: recipients },
    ...(tags && { tags }),
    ...(metadata && { metadata }),
  };
}

function outcomeOf(taken: readonly { readonly mail: Made; readonly acceptance: Acceptance }[]): Outcome {
  const refused = taken.flatMap(({ acceptance }) => Object.keys(acceptance.refused));
  const everybody = taken.flatMap(({ mail }) => mail.arrival.envelope.to);
  if (taken.every(({ acceptance }) => acceptance.id === null)) {
    const isTemporary = taken.some(({ acceptance }) => Object.values(acceptance.refused).includes(450));
    const message = `chaos: the mailbox refused ${refused.join(', ')}, as configured`;
    return refusedFor({ kind: isTemporary ? 'throttled' : 'refused', field: null, message, addresses: refused });
  }
  const accepted = everybody.filter((address) => !refused.includes(address));
  return { problem: null, ids: taken.map(({ mail }) => mail.id), refused, accepted };
}

/** Of a message that nobody gets. */
function refusedFor(problem: Problem): Outcome {
  return { problem, ids: [], refused: problem.addresses ?? [], accepted: [] };
}

/** What a path has at each `*` of a pattern; null when it is another path. */
function paramsOf(pattern: string, path: string): readonly string[] | null {
  const parts = pattern.split('/');
  const given = path.split('/');
  if (parts.length !== given.length) return null;
  const params: string[] = [];
  for (const [index, part] of parts.entries()) {
    const value = given[index] ?? '';
    if (part === '*' && value !== '') params.push(value);
    else if (part !== value) return null;
  }
  return params;
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value) || value instanceof Uint8Array) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(entries.map(([name, inner]) => [name, withoutNulls(inner)]));
}
