import {
  EmailConnectionError,
  EmailError,
  type ErrorPhase,
  SendError,
  type SendErrorCode,
  type ServerReply,
} from '../../model/errors.ts';
import { isBadAddress } from '../../model/reply-status.ts';
import { reasonOf } from '../../util/reason.ts';
import type { Disconnect } from '../session/wire.ts';

/** For any command: the server wants a login first, or a stronger one; TLS comes before that (RFC 4954, section 6; RFC 3207, section 4). */
const WANTS_LOGIN: ReadonlySet<number> = new Set([530, 534]);

/** The error for a command the server refused. */
export function refusal(
  reply: ServerReply,
  phase: ErrorPhase,
  what: string,
  transcript: readonly string[],
): SendError | EmailConnectionError {
  if (WANTS_LOGIN.has(reply.code)) {
    const message = `the server wants a login before ${what}: ${describe(reply)}; set username and password, and useTls`;
    return new EmailConnectionError('auth', message, { phase, reply, transcript });
  }
  const code = refusalCode(reply, phase);
  return new SendError(code, `the server refused ${what}: ${describe(reply)}`, {
    phase,
    reply,
    retryable: code === 'temporary',
    transcript,
  });
}

function refusalCode(reply: ServerReply, phase: ErrorPhase): SendErrorCode {
  const { code, enhancedCode } = reply;
  if (code < 500) return 'temporary';
  if (phase === 'rcpt') {
    // RFC 5321, section 4.5.3.1.10: 552 for a recipient too many is to be taken as 452.
    if (code === 552) return 'temporary';
    return isBadAddress(reply) ? 'invalid-recipient' : 'rejected';
  }
  return code === 552 || enhancedCode === '5.3.4' ? 'too-large' : 'rejected';
}

/**
 * Whether a refused recipient was one too many for this transaction, so that another may take it: 452, or 552
 * (RFC 5321, section 4.5.3.1.10), or whatever code says x.5.3 (RFC 3463, section 3.6).
 */
export function isTooMany({ code, enhancedCode }: ServerReply): boolean {
  if (enhancedCode !== null) return enhancedCode.endsWith('.5.3');
  return code === 452 || code === 552;
}

/** The error for a connection that ended before the message's content had been sent: it is certainly not delivered. */
export function lost(disconnect: Disconnect, transcript: readonly string[], phase: ErrorPhase): EmailError {
  const { code, reply, cause } = disconnect;
  const message = `${disconnect.message}, before the message was handed over`;
  const facts = { phase, transcript, cause, ...(reply && { reply }) };
  if (code === 'aborted') return new SendError(code, message, facts);
  if (code === 'timeout' || code === 'closed') return new SendError(code, message, { ...facts, retryable: true });
  return new EmailConnectionError(code, message, facts);
}

/** The error for a connection that ended after the end of the content: the server may have the message (RFC 5321, section 4.5.3.2.6; RFC 1047). */
export function uncertain(disconnect: Disconnect, transcript: readonly string[]): SendError {
  const message = `${disconnect.message}, after the message was handed over: it may or may not have been delivered`;
  return new SendError(disconnect.code === 'timeout' ? 'timeout' : 'uncertain', message, {
    phase: 'final',
    outcome: 'unknown',
    transcript,
    ...(disconnect.reply && { reply: disconnect.reply }),
    cause: disconnect.cause,
  });
}

/** The error for content that could not be made or read. */
export function contentFailure(error: unknown): EmailError {
  if (error instanceof EmailError) return error;
  const reason = reasonOf(error);
  const message = `the content of the message could not be made: ${reason}`;
  return new SendError('provider', message, { phase: 'content', cause: error });
}

/** A reply as it is quoted in an error's message. */
export function describe({ code, enhancedCode, text }: ServerReply): string {
  return [code, enhancedCode, text.replaceAll('\n', ' ')].filter((part) => part !== null && part !== '').join(' ');
}
