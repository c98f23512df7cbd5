import type { ServerReply } from '../../model/errors.ts';
import type { AuthMethod } from '../options.ts';
import { auth, authResponse, MAX_COMMAND } from '../protocol/commands.ts';
import { type Exchange, errorDetails, isTokenMethod } from '../protocol/sasl.ts';
import { ProofError } from '../protocol/scram.ts';
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

/** What came of one mechanism. */
export interface Attempt {
  readonly method: AuthMethod;
  /** The server's final reply. */
  readonly reply: ServerReply;
  /** Why the exchange broke off, null when the reply is the server's judgement. */
  readonly broken: unknown;
  /** Whether the server accepted or went on without knowing the password: it may be an impostor. */
  readonly isImpostor: boolean;
}

/** Runs one exchange to its final reply, which may be a refusal whose details came in a challenge (RFC 4954, section 4). */
export async function attempt(dialogue: AuthDialogue, method: AuthMethod, exchange: Exchange): Promise<Attempt> {
  const { transcript } = dialogue;
  const encode = (answer: string): string => {
    const encoded = Buffer.from(answer, 'utf8').toString('base64');
    if (encoded.length > 4) transcript.hide(encoded);
    return encoded;
  };
  /** Cancels an open exchange; the server's reply to that judges nothing. */
  const cancel = async (broken: unknown): Promise<Attempt> => {
    const reply = await dialogue.command(authResponse('*'), 'auth');
    return { method, reply, broken, isImpostor: broken instanceof ProofError };
  };
  const command = exchange.initial === null ? null : auth(method, encode(exchange.initial));
  // An initial response only where the whole line is within the limit of a command; servers cut longer ones off (RFC 4954, section 4).
  const inOne = command !== null && command.length <= MAX_COMMAND;
  let reply = inOne
    ? await dialogue.command(command, 'auth', `AUTH ${method} ***\r\n`)
    : await dialogue.command(auth(method), 'auth');
  let details = '';
  for (let round = inOne || exchange.initial === null ? 0 : -1; reply.code === 334; round++) {
    if (round >= MAX_ROUNDS) return cancel(new Error('the server asks on and on'));
    const challenge = Buffer.from(reply.text, 'base64').toString('utf8');
    let answer: string;
    try {
      answer = round < 0 ? (exchange.initial ?? '') : await exchange.answer(challenge, round);
    } catch (cause) {
      return cancel(cause);
    }
    if (isTokenMethod(method) && round >= 0) details = errorDetails(challenge);
    reply = await dialogue.command(authResponse(encode(answer)), 'auth', '***\r\n');
  }
  if (details !== '') reply = { ...reply, text: transcript.redact(`${reply.text} (${details})`) };
  // RFC 5802, section 3: without the server's signature the client does not know which server it talks to.
  const isImpostor = reply.code === 235 && exchange.isProved?.() === false;
  const broken = isImpostor
    ? new ProofError('the server accepted the login without proving that it knows the password')
    : null;
  return { method, reply, broken, isImpostor };
}
