import type { IncomingHttpHeaders } from 'node:http';
import type { EmailMessageInit } from '../../model/message-init.ts';
import type { Reply } from '../web/reply.ts';
import type { Shape } from './shape.ts';

/** A request to an emulated vendor. */
export interface VendorCall {
  readonly headers: IncomingHttpHeaders;
  /** What the path has at each `*` of the endpoint. */
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  /** The vendor's base URL in this mailbox, as the client has it. */
  readonly baseUrl: string;
}

/** What is wrong with a request. */
export interface Problem {
  /**
   * `key`: it has none; `path`: there is no such endpoint; `syntax`: its body cannot be read; `missing`, `unknown`, `type`: a field;
   * `address`, `content`: what a field says; `used-key`: its idempotency key was used; `refused`, `throttled`: chaos says so.
   */
  readonly kind:
    | 'key'
    | 'path'
    | 'syntax'
    | 'missing'
    | 'unknown'
    | 'type'
    | 'address'
    | 'content'
    | 'too-large'
    | 'used-key'
    | 'refused'
    | 'throttled';
  /** The path of the field, in the vendor's words (`to[0].email`); null for the request as a whole. */
  readonly field: string | null;
  /** What is wrong with the field, to be read behind its name. */
  readonly message: string;
  /** The recipients that chaos refused. */
  readonly addresses?: readonly string[];
}

/** A request that is refused for what it says. */
export class Refused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** A mail that a request has in its own source. */
export interface RawMail {
  readonly source: Uint8Array;
  readonly from: string;
  readonly recipients: readonly string[];
  readonly tags?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A mail to others than its headers name. */
interface AddressedMail {
  readonly message: EmailMessageInit;
  readonly recipients: readonly string[];
}

/** One mail that a request asks for. */
export type AskedMail = EmailMessageInit | AddressedMail | RawMail;

/** What became of one message of a request. */
export interface Outcome {
  /** Why nobody gets it; null when it was taken. */
  readonly problem: Problem | null;
  /** One id for each of its mails. */
  readonly ids: readonly string[];
  /** The recipients that chaos refused. */
  readonly refused: readonly string[];
  /** The others. */
  readonly accepted: readonly string[];
}

/** One way to ask a vendor for mails; a request has one message, or several parts of which each is one. */
export interface Endpoint<Body = unknown, Part = Body> {
  /** Every field of a request, written by hand from the vendor's page. */
  readonly shape: Shape;
  /** The most messages in one request; default 1,000. */
  readonly max?: number;
  /** Reads the body; default: JSON. @throws {Refused} when it cannot be read */
  read?(body: Buffer, headers: IncomingHttpHeaders): Promise<unknown>;
  /** The key under which a request is carried out once; null when it has none. */
  key?(call: VendorCall, body: Body): string | null;
  /** What a message must be whose faults are its own, and no other's; default: what the shape of the request says of it. */
  readonly partShape?: Shape;
  /** Its messages; default: the body is one. */
  parts?(body: Body): readonly Part[];
  /** Whether messages that nothing is wrong with are taken when others are not; default: no. */
  takesParts?(call: VendorCall): boolean;
  /** The mails that a message is. @throws {Refused} for what the shape cannot say */
  mails(part: Part, call: VendorCall): readonly AskedMail[];
  /** The answer when something was taken. */
  answer(outcomes: readonly Outcome[], call: VendorCall, body: Body): Reply;
}

/** A request that asks for no mail yet: a draft, a file of it. */
export interface Step<Body = unknown> {
  readonly shape: Shape;
  /** Reads the body; default: JSON. @throws {Refused} when it cannot be read */
  read?(body: Buffer, headers: IncomingHttpHeaders): Promise<unknown>;
  /** @throws {Refused} */
  answer(body: Body, call: VendorCall): Reply;
}

/** What a vendor answers to a request whose body says nothing. @throws {Refused} */
type Fixed = (call: VendorCall) => Reply;

/** A vendor's API, as far as sending goes. */
export interface Vendor {
  /** By method and path, as `POST /emails`; a `*` stands for what a path has of the account. */
  readonly endpoints: Readonly<Record<string, Endpoint | Step | Fixed>>;
  /** What its base URL may end with, when a client does not have it in the base URL; default: nothing. */
  readonly prefix?: string;
  /** Makes the id of a mail; default: a UUID. */
  newId?(call: VendorCall): string;
  /** Whether the Message-ID is the id that the vendor answers with; default: it has ids of its own. */
  readonly answersMessageId?: boolean;
  /** Whether a repeated key is answered as the first time; default: it is refused. */
  readonly answersAgain?: boolean;
  /** Whether null is as good as nothing; default: no. */
  readonly takesNull?: boolean;
  /** The vendor's names for the fields of a message; `#` is the number of the mail in its message. */
  readonly names: Readonly<Record<string, string>>;
  /** Whether a request has a key; any will do. */
  hasKey(headers: IncomingHttpHeaders, body: unknown): boolean;
  /** A no, in the vendor's own shape. */
  refuse(problems: readonly [Problem, ...Problem[]]): Reply;
}

/** An endpoint whose body has the type that its shape describes. */
export function endpoint<Body, Part = Body>(definition: Endpoint<Body, Part>): Endpoint {
  return definition as unknown as Endpoint; // its methods get what its shape was checked to be
}

/** A step whose body has the type that its shape describes. */
export function step<Body>(definition: Step<Body>): Step {
  return definition as unknown as Step; // its answer gets what its shape was checked to be
}
