import type { EmailBackend } from '../../../src/backend/backend.ts';
import { DummyBackend } from '../../../src/backends/dummy.ts';
import { PostmarkBackend } from '../../../src/backends/postmark.ts';
import { ResendBackend } from '../../../src/backends/resend.ts';
import { SesBackend } from '../../../src/backends/ses.ts';
import { SmtpBackend } from '../../../src/backends/smtp.ts';
import type { HttpOptions } from '../../../src/http/options.ts';
import { EmailConnectionError, type EmailError, SendError } from '../../../src/model/errors.ts';
import { type Act, ScriptedSmtpServer } from '../../../src/testing/server/scripted-smtp-server.ts';
import type { HttpReply } from '../../servers/scripted-http.ts';
import { type Fault as SesFault, StrictSes } from '../../servers/strict-ses.ts';
import { StrictVendor, type Vendor } from '../../servers/strict-vendor.ts';
import { postmark } from '../../servers/vendors/postmark.ts';
import { resend } from '../../servers/vendors/resend.ts';

/** Where a provider fails, in the order of a conversation. */
export const FAULTS = [
  'nobody listens',
  'no greeting, or no TLS',
  'the login is refused',
  'the quota is used up',
  'too many for now',
  'one recipient is refused for now',
  'one recipient is refused',
  'the connection breaks before the content is there',
  'the mail is refused for now',
  'the mail is refused',
  'the answer is lost after the mail was taken',
  'no answer before the deadline',
] as const;

export type Fault = (typeof FAULTS)[number];

/** What a provider took. */
export interface Taken {
  readonly recipients: readonly string[];
  /** As the provider got it; null where it got none. */
  readonly messageId: string | null;
}

/** A provider with its connection. */
export interface StandIn {
  readonly connection: EmailBackend;
  /** Where other clients reach it: the port of SMTP, or the URL of an API. */
  readonly port?: number;
  readonly url?: string;
  taken(): readonly Taken[];
  close(): Promise<void>;
}

/** Starts a provider that fails so at its first `times` requests; null where it cannot fail so. */
export type Provider = (fault: Fault | null, times: number) => Promise<StandIn | null>;

/** The recipients who are refused where one of several is. */
const isRefused = (text: string): boolean => /\bbob/.test(text);
/** Where nobody listens. */
const NOWHERE = 1;
const DEADLINE_MS = 60;
const ONCE = { attempts: 1, baseMs: 1, maxMs: 1 };
const isLate = (fault: Fault | null): boolean => fault === 'no answer before the deadline';

function messageIdIn(source: string): string | null {
  return /^Message-ID:\s*<([^>]*)>/im.exec(source)?.[1] ?? null;
}

/** Whether it is still to fail. */
function countdown(times: number): () => boolean {
  let left = times;
  return () => left-- > 0;
}

/** A server that takes a mail answers so far, and no further. */
const HALF_AN_ANSWER = Buffer.from('2');

const SMTP_ACTS: Readonly<Partial<Record<Fault, readonly ['connect' | 'MAIL' | 'RCPT' | 'message', Act]>>> = {
  'no greeting, or no TLS': ['connect', { end: 'rst' }],
  'the quota is used up': ['MAIL', '452 4.2.2 Over quota'],
  'too many for now': ['MAIL', '451 4.7.1 Too many messages'],
  'one recipient is refused for now': ['RCPT', '450 4.2.1 Greylisted'],
  'one recipient is refused': ['RCPT', '550 5.1.1 No such user'],
  'the connection breaks before the content is there': ['RCPT', { end: 'rst' }],
  'the mail is refused for now': ['message', '451 4.3.0 Try later'],
  'the mail is refused': ['message', '554 5.7.1 Spam'],
  'the answer is lost after the mail was taken': ['message', { reply: HALF_AN_ANSWER, end: 'rst' }],
  'no answer before the deadline': ['message', { delayMs: 3_600_000 }],
};

const smtp: Provider = async (fault, times) => {
  const server = await ScriptedSmtpServer.start({ users: { jane: 'secret' } });
  const fails = countdown(times);
  const [step, act] = (fault && SMTP_ACTS[fault]) ?? [];
  const isOfOne = fault?.startsWith('one recipient') ?? false;
  if (step) server.on(step, ({ argument }) => ((!isOfOne || isRefused(argument)) && fails() ? act : undefined));
  const port = fault === 'nobody listens' ? NOWHERE : server.port;
  const connection = new SmtpBackend({
    host: server.host,
    port,
    ...(fault === 'the login is refused' && { username: 'jane', password: 'wrong', allowInsecureAuth: true }),
    ...(isLate(fault) && { deadlineMs: DEADLINE_MS }),
    retry: ONCE,
  });
  const taken = () =>
    server.messages.map(({ envelope, bytes }) => ({
      recipients: envelope.rcptTo,
      messageId: messageIdIn(Buffer.from(bytes).toString('latin1')),
    }));
  return { connection, port, taken, close: () => server.close() };
};

let accounts = 0;

const SES_FAULTS: Readonly<Partial<Record<Fault, SesFault>>> = {
  'the login is refused': {
    name: 'UnrecognizedClientException',
    message: 'The security token is invalid',
    status: 403,
  },
  'the quota is used up': { name: 'LimitExceededException', message: 'Daily message quota exceeded' },
  'too many for now': { name: 'TooManyRequestsException', message: 'Maximum sending rate exceeded.', status: 429 },
  'one recipient is refused': { name: 'MessageRejected', message: 'Address is on the suppression list' },
  'the connection breaks before the content is there': { cut: 'reset' },
  'the mail is refused for now': { name: 'InternalFailure', message: 'try later', status: 500 },
  'the mail is refused': { name: 'MessageRejected', message: 'Email contains a virus' },
  'the answer is lost after the mail was taken': { cut: 'reset', accepts: true },
  'no answer before the deadline': { cut: 'hang', accepts: true },
};

const ses: Provider = async (fault, times) => {
  const failure = fault && SES_FAULTS[fault];
  if (fault === 'one recipient is refused for now') return null;
  const server = await StrictSes.start();
  const fails = countdown(times);
  server.script = ({ operation, mails }) => {
    const isMeant = fault !== 'one recipient is refused' || mails.flat().some(isRefused);
    return failure && operation !== 'GetAccount' && isMeant && fails() ? failure : undefined;
  };
  const url = endpointOf(fault, server.endpoint);
  const connection = new SesBackend({
    endpoint: url,
    accessKeyId: `AKIDMATRIX${++accounts}`,
    secretAccessKey: 'k',
    // It waits by itself where SES throttles.
    ...(isLate(fault) && { deadlineMs: DEADLINE_MS }),
    ...(fault === 'too many for now' && { deadlineMs: 4 * DEADLINE_MS }),
    retry: ONCE,
  });
  const taken = () =>
    server.accepted.map(({ recipients, raw }) => ({ recipients, messageId: messageIdIn(String(raw ?? '')) }));
  return { connection, url, taken, close: () => server.close() };
};

/** Where a client of HTTP is to connect that fails so. */
function endpointOf(fault: Fault | null, url: string): string {
  if (fault === 'nobody listens') return `http://127.0.0.1:${NOWHERE}`;
  return fault === 'no greeting, or no TLS' ? url.replace('http:', 'https:') : url;
}

const THROTTLED = { status: 429, headers: { 'retry-after': '1' } };

/** A provider with an HTTP API; some choose the Message-ID themselves. */
function http(
  vendor: Vendor,
  { quota, keepsId }: { readonly quota: HttpReply; readonly keepsId: boolean },
  connect: (options: HttpOptions) => EmailBackend,
): Provider {
  const replies: Readonly<Partial<Record<Fault, HttpReply>>> = {
    'the login is refused': vendor.fault(401, 'unknown key'),
    'the quota is used up': quota,
    'too many for now': { ...THROTTLED, body: '' },
    'the mail is refused for now': { status: 503, body: '' },
    'the mail is refused': vendor.fault(400, 'spam'),
  };
  return async (fault, times) => {
    const reply = fault && replies[fault];
    if (fault === 'one recipient is refused for now') return null;
    const server = await StrictVendor.start(vendor);
    const fails = countdown(times);
    const { script } = server.http;
    server.http.script = (call, count) => {
      if (reply && fails()) return reply;
      const told = script(call, count);
      if (fault === 'the answer is lost after the mail was taken' && fails()) return { ...told, cut: 'unanswered' };
      return isLate(fault) && fails() ? { ...told, cut: 'silent' } : told;
    };
    const isBroken = fault === 'the connection breaks before the content is there';
    server.http.scriptUnread = () => (isBroken && fails() ? 'unread' : undefined);
    if (fault === 'one recipient is refused') for (const address of BOBS) server.refused.add(address);
    const url = endpointOf(fault, server.http.url);
    const connection = connect({
      baseUrl: url,
      ...(isLate(fault) && { deadlineMs: DEADLINE_MS }),
      retry: ONCE,
    });
    const taken = () =>
      server.accepted.map(({ recipients, source }) => ({
        recipients,
        messageId: keepsId ? messageIdIn(Buffer.from(source()).toString('latin1')) : null,
      }));
    return { connection, url, taken, close: () => server.close() };
  };
}

/** Every address that {@link isRefused} in a trial. */
const BOBS = [1, 2, 3, 4].map((mail) => `bob.${mail}@example.org`);

const refused = new EmailConnectionError('refused', 'connection refused', { retryable: true });
const DUMMY_ERRORS: Readonly<Partial<Record<Fault, EmailError>>> = {
  'nobody listens': refused,
  'no greeting, or no TLS': new EmailConnectionError('tls', 'no TLS'),
  'the login is refused': new EmailConnectionError('auth', 'wrong password'),
  'the quota is used up': new SendError('quota', 'the quota is used up', { retryable: true }),
  'too many for now': new SendError('throttled', 'too many', { retryable: true, retryAfterMs: 1_000 }),
  'the connection breaks before the content is there': refused,
  'the mail is refused for now': new SendError('temporary', 'try later', { retryable: true }),
  'the mail is refused': new SendError('rejected', 'spam'),
  'the answer is lost after the mail was taken': new SendError('uncertain', 'no answer', { outcome: 'unknown' }),
  'no answer before the deadline': new SendError('timeout', 'no answer', { outcome: 'unknown' }),
};

const DUMMY_REPLIES: Readonly<Partial<Record<Fault, number>>> = {
  'one recipient is refused for now': 450,
  'one recipient is refused': 550,
};

/** Failures that are planned where every request is to fail: more than a trial makes. */
const MANY = 50;

const dummy: Provider = async (fault, times) => {
  const connection = new DummyBackend({ store: true });
  const error = fault && DUMMY_ERRORS[fault];
  if (error) for (let count = 0; count < Math.min(times, MANY); count++) connection.failNext(error);
  const reply = fault && DUMMY_REPLIES[fault];
  if (reply) for (const address of BOBS) connection.refuse(address, reply);
  const taken = () =>
    connection.messages.map(({ recipients, messageId }) => ({
      recipients: recipients.map(({ address }) => address).filter((address) => !reply || !isRefused(address)),
      messageId,
    }));
  return { connection, taken, close: async () => {} };
};

/** Every kind of provider, by name. */
export const PROVIDERS: Readonly<Record<string, Provider>> = {
  smtp,
  ses,
  resend: http(
    resend,
    {
      quota: { status: 429, body: { statusCode: 429, name: 'daily_quota_exceeded', message: 'tomorrow' } },
      keepsId: false,
    },
    (options) => new ResendBackend({ apiKey: 're_123', ...options }),
  ),
  postmark: http(
    postmark,
    { quota: { status: 422, body: { ErrorCode: 405, Message: 'you ran out of credits' } }, keepsId: true },
    (options) => new PostmarkBackend({ serverToken: '11111111-2222-3333-4444-555555555555', ...options }),
  ),
  dummy,
};
