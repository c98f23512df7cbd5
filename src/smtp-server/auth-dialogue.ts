import { AUTH_EXCHANGES, type AuthAttempt, type AuthExchange, type AuthMechanism, firstChallenge } from './auth.ts';
import type { Reply } from './hooks.ts';

/** The result of a client's line: a reply, which may end the exchange, or credentials to judge. */
export type AuthStep = { readonly reply: Reply; readonly isLast: boolean } | { readonly attempt: AuthAttempt };

/** One AUTH command, up to its last reply (RFC 4954, section 4). */
export class AuthDialogue {
  readonly #mechanism: AuthMechanism;
  readonly #exchange: AuthExchange;
  #verdict: Reply | null = null;

  constructor(mechanism: AuthMechanism) {
    this.#mechanism = mechanism;
    this.#exchange = AUTH_EXCHANGES[mechanism]();
  }

  /** Starts without an initial response. */
  start(): AuthStep {
    return challenge(firstChallenge(this.#mechanism, this.#exchange));
  }

  /** Handles a response: base64, `=` for an empty one, `*` to cancel. */
  respond(line: string): AuthStep {
    if (this.#verdict !== null) return end(this.#verdict);
    if (line === '*') return end('501 5.7.0 Authentication cancelled');
    const bytes = line === '=' ? Buffer.alloc(0) : Buffer.from(line, 'base64');
    if (line !== '=' && bytes.toString('base64') !== line) return end('501 5.5.2 Not base64');
    const result = this.#exchange.respond(bytes.toString());
    if (result === null) return end('501 5.5.2 Malformed response');
    return typeof result === 'string' ? challenge(result) : { attempt: result };
  }

  /** Reports the verdict, after one more challenge if the mechanism has one. */
  conclude(accepted: boolean, reply: Reply): AuthStep {
    const last = this.#exchange.conclude?.(accepted) ?? null;
    if (last === null) return end(reply);
    this.#verdict = reply;
    return challenge(last);
  }
}

function challenge(text: string): AuthStep {
  return { reply: `334 ${Buffer.from(text).toString('base64')}`, isLast: false };
}

function end(reply: Reply): AuthStep {
  return { reply, isLast: true };
}
