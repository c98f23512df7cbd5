import { createHmac } from 'node:crypto';
import { EmailConnectionError, type ServerReply } from '../errors.ts';
import type { Capabilities } from './capabilities.ts';
import { auth, authResponse, MAX_COMMAND } from './commands.ts';
import { AUTH_METHODS, type AuthMethod, type SmtpCredentials } from './options.ts';
import { scram } from './scram.ts';
import type { Transcript } from './transcript.ts';

/** The most challenges of one exchange; no mechanism here needs more than three. */
const MAX_ROUNDS = 8;

/** The dialogue AUTH is held over. */
export interface AuthDialogue {
  readonly transcript: Transcript;
  /** Sends one line and gives the reply to it; `shown` is what a transcript shows instead. */
  command(line: string, phase: 'auth', shown?: string): Promise<ServerReply>;
  /** Waits for what is not the server's, unless the connection ends or the signal aborts before. */
  waitFor<T>(outside: Promise<T>, phase: 'auth'): Promise<T>;
}

/** A mechanism in progress: the initial response when it has one, then an answer to every challenge. */
interface Exchange {
  readonly initial: string | null;
  answer(challenge: string, round: number): string | Promise<string>;
  /** Whether the server has proved what the mechanism has it prove; without it, there is nothing to prove. */
  isProved?(): boolean;
}

/**
 * Logs in with the strongest mechanism that both sides know, or the one that was chosen (RFC 4954), and tells which.
 *
 * @throws {EmailConnectionError} code `auth-unavailable` when none is offered, `auth` when the server refuses.
 */
export async function authenticate(
  dialogue: AuthDialogue,
  capabilities: Capabilities,
  credentials: SmtpCredentials,
  chosen: AuthMethod | null,
): Promise<AuthMethod> {
  const usesToken = chosen ? isTokenMethod(chosen) : credentials.accessToken !== null;
  const method = AUTH_METHODS.find(
    (name) => capabilities.auth.has(name) && isTokenMethod(name) === usesToken && (chosen === null || chosen === name),
  );
  if (!method) throw unavailable(dialogue, capabilities, chosen);
  if (!usesToken) {
    const exchange = passwordExchange(method, credentials.username, credentials.password ?? '');
    const reply = await run(dialogue, method, exchange);
    if (reply.code !== 235) throw refused(dialogue, method, reply, credentials);
    if (exchange.isProved?.() === false) throw unproved(dialogue, method);
    return method;
  }
  const token = await dialogue.waitFor(fetchToken(credentials, false), 'auth');
  dialogue.transcript.hide(token);
  let reply = await run(dialogue, method, tokenExchange(method, credentials.username, token));
  if (reply.code === 535 && typeof credentials.accessToken === 'function') {
    const fresh = await dialogue.waitFor(fetchToken(credentials, true), 'auth');
    dialogue.transcript.hide(fresh);
    reply = await run(dialogue, method, tokenExchange(method, credentials.username, fresh));
  }
  if (reply.code !== 235) throw refused(dialogue, method, reply, credentials);
  return method;
}

function isTokenMethod(method: AuthMethod): boolean {
  return method === 'OAUTHBEARER' || method === 'XOAUTH2';
}

async function fetchToken({ accessToken }: SmtpCredentials, refresh: boolean): Promise<string> {
  try {
    const token = typeof accessToken === 'function' ? await accessToken({ refresh }) : accessToken;
    if (typeof token === 'string' && /^[!-~]+$/.test(token)) return token;
  } catch (cause) {
    throw new EmailConnectionError('auth', 'accessToken failed to get a token', {
      phase: 'auth',
      retryable: true,
      cause,
    });
  }
  throw new EmailConnectionError('auth', 'accessToken gave no token: it must be printable ASCII', { phase: 'auth' });
}

/** Runs one exchange to its final reply, which may be a refusal whose details came in a challenge. */
async function run(dialogue: AuthDialogue, method: AuthMethod, exchange: Exchange): Promise<ServerReply> {
  const { transcript } = dialogue;
  const encode = (answer: string): string => {
    const encoded = Buffer.from(answer, 'utf8').toString('base64');
    if (encoded.length > 4) transcript.hide(encoded);
    return encoded;
  };
  const command = exchange.initial === null ? null : auth(method, encode(exchange.initial));
  // An initial response only where the whole line is within the limit of a command; servers cut longer ones off (RFC 4954, section 4).
  const inOne = command !== null && command.length <= MAX_COMMAND;
  let reply = inOne
    ? await dialogue.command(command, 'auth', `AUTH ${method} ***\r\n`)
    : await dialogue.command(auth(method), 'auth');
  let details = '';
  for (let round = inOne || exchange.initial === null ? 0 : -1; reply.code === 334; round++) {
    if (round >= MAX_ROUNDS) {
      reply = await dialogue.command(authResponse('*'), 'auth');
      break;
    }
    const challenge = Buffer.from(reply.text, 'base64').toString('utf8');
    let answer: string;
    try {
      answer = round < 0 ? (exchange.initial ?? '') : await exchange.answer(challenge, round);
    } catch (cause) {
      await dialogue.command(authResponse('*'), 'auth');
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new EmailConnectionError('auth', `${method} failed: ${reason}`, {
        phase: 'auth',
        transcript: transcript.lines,
        cause,
      });
    }
    if (isTokenMethod(method) && round >= 0) details = errorDetails(challenge);
    reply = await dialogue.command(authResponse(encode(answer)), 'auth', '***\r\n');
  }
  return details === '' ? reply : { ...reply, text: transcript.redact(`${reply.text} (${details})`) };
}

function passwordExchange(method: AuthMethod, username: string, password: string): Exchange {
  switch (method) {
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-1':
      return scramExchange(method, username, password);
    case 'CRAM-MD5':
      return {
        initial: null,
        answer: (challenge) => `${username} ${createHmac('md5', password).update(challenge).digest('hex')}`,
      };
    case 'LOGIN':
      // The prompts are not looked at: servers word them as they like.
      return { initial: null, answer: (_, round) => (round === 0 ? username : password) };
    default:
      // As they are: it is the server that prepares them (RFC 4616, section 2).
      return { initial: `\0${username}\0${password}`, answer: () => '' };
  }
}

function scramExchange(method: AuthMethod, username: string, password: string): Exchange {
  const client = scram(method === 'SCRAM-SHA-256' ? 'sha256' : 'sha1', username, password);
  let isProved = false;
  return {
    initial: client.first,
    async answer(challenge, round) {
      if (round === 0) return client.proof(challenge);
      client.verify(challenge);
      isProved = true;
      return '';
    },
    isProved: () => isProved,
  };
}

function tokenExchange(method: AuthMethod, username: string, token: string): Exchange {
  if (method === 'XOAUTH2')
    return { initial: `user=${username}\u0001auth=Bearer ${token}\u0001\u0001`, answer: () => '' };
  const name = username.replaceAll('=', '=3D').replaceAll(',', '=2C');
  // RFC 7628, section 3.2.3: a refusal is acknowledged with one kvsep.
  return { initial: `n,a=${name},\u0001auth=Bearer ${token}\u0001\u0001`, answer: () => '\u0001' };
}

/** The provider's own reason, which comes as JSON in a challenge (RFC 7628, section 3.2.2). */
function errorDetails(challenge: string): string {
  try {
    const parsed: unknown = JSON.parse(challenge);
    if (typeof parsed !== 'object' || parsed === null) return '';
    return Object.entries(parsed)
      .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
      .map(([key, value]) => `${key}: ${value}`)
      .join(', ')
      .slice(0, 500);
  } catch {
    return '';
  }
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

/** RFC 5802, section 3: who has not seen the server's signature does not know whom it talks to. */
function unproved(dialogue: AuthDialogue, method: string): EmailConnectionError {
  return new EmailConnectionError(
    'auth',
    `${method} failed: the server accepted the login without proving that it knows the password`,
    { phase: 'auth', transcript: dialogue.transcript.lines },
  );
}

function refused(
  dialogue: AuthDialogue,
  method: string,
  reply: ServerReply,
  { hint }: SmtpCredentials,
): EmailConnectionError {
  const codes = [reply.code, reply.enhancedCode].filter((code) => code !== null).join(' ');
  const advice = hint === null ? '' : `; ${hint}`;
  return new EmailConnectionError(
    'auth',
    `the server refused the login by ${method}: ${codes} ${reply.text}${advice}`,
    {
      phase: 'auth',
      reply,
      retryable: reply.code === 454 || reply.code === 421,
      transcript: dialogue.transcript.lines,
    },
  );
}
