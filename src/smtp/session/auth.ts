import { getFips } from 'node:crypto';
import { EmailConnectionError } from '../../model/errors.ts';
import { reasonOf } from '../../util/reason.ts';
import { AUTH_METHODS, type AuthMethod, type SmtpCredentials } from '../options.ts';
import type { Capabilities } from '../protocol/capabilities.ts';
import { describe } from '../protocol/refusal.ts';
import { isTokenMethod, passwordExchange, sendsPassword, tokenExchange } from '../protocol/sasl.ts';
import { type Attempt, type AuthDialogue, attempt } from './auth-attempt.ts';

/** How a login is chosen. */
export interface LoginTerms {
  /** The one mechanism to use, or null for any. */
  readonly chosen: AuthMethod | null;
  /** The mechanism that has let this user in before, or null. */
  readonly known: AuthMethod | null;
  /** Whether TLS protects the dialogue. */
  readonly isSecure: boolean;
}

/**
 * Replies by which no password was judged: a mechanism or command that is not there, or an exchange that the server did
 * not understand; 432, a mechanism that works only once a weaker one was used; 454, a store of passwords that the server cannot
 * read for this mechanism (RFC 4954, sections 4 and 6).
 */
const UNJUDGED: ReadonlySet<number> = new Set([432, 454, 500, 501, 502, 503, 504, 534]);

/**
 * Logs in with the strongest mechanism that both sides know, or the one that was chosen (RFC 4954), and returns it.
 *
 * Over TLS, where a mechanism is refused without a judgement of the password the next weaker one follows; after a
 * judgement, once, the next that sends the password itself, as many servers offer mechanisms that their store of passwords
 * cannot serve.
 *
 * @throws {EmailConnectionError} code `auth-unavailable` when none is offered, `auth` when the server refuses.
 */
export async function authenticate(
  dialogue: AuthDialogue,
  capabilities: Capabilities,
  credentials: SmtpCredentials,
  terms: LoginTerms,
): Promise<AuthMethod> {
  const { chosen, known } = terms;
  const usesToken = chosen ? isTokenMethod(chosen) : credentials.tokens !== null;
  let untried = mechanisms(capabilities.auth, usesToken, terms);
  if (untried.length === 0) throw unavailable(dialogue, capabilities, chosen);
  const tried: Attempt[] = [];
  for (;;) {
    const [method, ...weaker] = untried;
    if (method === undefined) throw refused(dialogue, tried, credentials);
    const latest = await tryMechanism(dialogue, method, credentials).catch((error: unknown) => {
      throw tried.some(isJudged) && isHangUp(error) ? refused(dialogue, tried, credentials, method) : error;
    });
    if (latest.reply.code === 235 && latest.broken === null) return method;
    if (latest.reply.code === 421 && tried.some(isJudged)) throw refused(dialogue, tried, credentials, method);
    tried.push(latest);
    if (isLast(latest)) untried = [];
    else if (!isJudged(latest)) untried = weaker;
    else untried = usesToken || method === known ? [] : weaker.filter(sendsPassword).slice(0, 1);
  }
}

/** The mechanisms to try, in order. */
export function mechanisms(
  offered: ReadonlySet<string>,
  usesToken: boolean,
  { chosen, known, isSecure }: LoginTerms,
  isFips: boolean = getFips() === 1,
): AuthMethod[] {
  const usable = AUTH_METHODS.filter((method) => {
    if (!offered.has(method) || isTokenMethod(method) !== usesToken) return false;
    // FIPS 140 has no MD5.
    return chosen === null ? !(isFips && method === 'CRAM-MD5') : method === chosen;
  });
  const ordered = usable.filter((method) => method === known).concat(usable.filter((method) => method !== known));
  // Without TLS, an attacker on the way could refuse the strong ones to get the password.
  return isSecure ? ordered : ordered.slice(0, 1);
}

/** Whether no further mechanism may follow: the server may be an impostor, cannot log in now, or is out of step. */
function isLast({ reply, isImpostor }: Attempt): boolean {
  return isImpostor || (reply.code < 500 && !UNJUDGED.has(reply.code));
}

function isJudged({ reply, broken }: Attempt): boolean {
  return broken === null && !UNJUDGED.has(reply.code);
}

async function tryMechanism(
  dialogue: AuthDialogue,
  method: AuthMethod,
  credentials: SmtpCredentials,
): Promise<Attempt> {
  const { username, password, tokens } = credentials;
  if (tokens === null || !isTokenMethod(method))
    return attempt(dialogue, method, passwordExchange(method, username, password ?? ''));
  const tryToken = (token: string): Promise<Attempt> => {
    dialogue.transcript.hide(token);
    return attempt(dialogue, method, tokenExchange(method, username, token));
  };
  const token = await dialogue.waitFor(tokens.get(null), 'auth');
  const first = await tryToken(token);
  if (first.reply.code !== 535) return first;
  const other = await dialogue.waitFor(tokens.get(token), 'auth');
  // The same one would be refused again, and accounts lock.
  return other === token ? first : tryToken(other);
}

function unavailable(
  dialogue: AuthDialogue,
  { auth: offered }: Capabilities,
  chosen: string | null,
): EmailConnectionError {
  const list = offered.size === 0 ? 'no AUTH at all' : `only ${[...offered].join(', ')}`;
  return new EmailConnectionError(
    'auth-unavailable',
    `the server offers ${list}${chosen ? `, not ${chosen}` : ''}: nothing is sent without the login that was asked for`,
    { phase: 'auth', transcript: dialogue.transcript.lines },
  );
}

/** Some servers close the connection when they refuse a login, with 421 or without a reply. */
function isHangUp(error: unknown): boolean {
  return error instanceof EmailConnectionError && error.code === 'closed';
}

/** @param unanswered the mechanism that was being tried when the server closed the connection */
function refused(
  dialogue: AuthDialogue,
  tried: readonly Attempt[],
  { hint }: SmtpCredentials,
  unanswered?: AuthMethod,
): EmailConnectionError {
  const told = tried.map(describeAttempt);
  if (unanswered) told.push(`it hung up before it answered ${unanswered}, which authMethod can choose`);
  if (hint !== null) told.push(hint);
  const last = tried.at(-1);
  return new EmailConnectionError('auth', told.join('; '), {
    phase: 'auth',
    ...(last && !last.isImpostor && { reply: last.reply }),
    retryable: last?.reply.code === 454 || last?.reply.code === 421,
    transcript: dialogue.transcript.lines,
    cause: last?.broken ?? undefined,
  });
}

function describeAttempt({ method, reply, broken }: Attempt): string {
  if (broken === null) return `the server refused the login by ${method}: ${describe(reply)}`;
  return `${method} failed: ${reasonOf(broken)}`;
}
