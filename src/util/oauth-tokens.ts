import { type ConnectionErrorCode, EmailConnectionError } from '../errors.ts';
import { setDeadline } from './deadline.ts';
import { CERTIFICATE_CODE, NETWORK_CODES, systemCode } from './network-code.ts';
import { type GrantedToken, type RawAnswer, readTokenAnswer, redact } from './oauth-answer.ts';
import type { OAuth2Options } from './oauth-options.ts';
import { reasonOf } from './reason.ts';
import { isWorkerd } from './runtime.ts';
import { unlessAborted } from './unless-aborted.ts';

/** How long before its end a token is replaced; of one that holds for less than twice as long, half of its time. */
const MARGIN_MS = 60_000;
const MAX_OCTETS = 64 * 1024;

/**
 * The access tokens of one login: each is kept until shortly before its end, and got once for all who wait for it.
 *
 * A refresh token that an answer brings takes the place of the last one.
 */
export class OAuthTokens {
  /** The token endpoint's. */
  readonly host: string;
  readonly #options: OAuth2Options;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  #refreshToken: string | undefined;
  /** The refresh token that the application knows. */
  #told: string | undefined;
  #held: { readonly token: string; readonly until: number } | null = null;
  #underWay: Promise<string> | null = null;

  /**
   * @param options checked by then
   * @param timeoutMs how long the endpoint may take for an answer
   * @param now milliseconds of a clock that goes on while the machine sleeps
   */
  constructor(options: OAuth2Options, timeoutMs: number, now: () => number = Date.now) {
    this.#options = { ...options };
    this.#timeoutMs = timeoutMs;
    this.#now = now;
    this.#refreshToken = options.refreshToken;
    this.#told = options.refreshToken;
    this.host = new URL(options.tokenUrl).host;
  }

  /**
   * A token that holds. It may be the refused one again, where the endpoint gives that until its end.
   *
   * The request goes to its end although nobody may wait for it any more: its answer may bring a refresh token.
   *
   * @param refused the token that a server has just refused, or null
   * @throws {EmailConnectionError} `auth` when the endpoint refuses; `timeout`, `connection` and what else keeps it from answering
   */
  get(refused: string | null = null): Promise<string> {
    if (refused !== null && this.#held?.token === refused) this.#held = null; // nor is it for anybody else
    const held = this.#held;
    if (held !== null && this.#now() < held.until) return Promise.resolve(held.token);
    if (isWorkerd()) return this.#renew(); // a promise of another request never comes there
    this.#underWay ??= this.#renew().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #renew(): Promise<string> {
    const from = this.#now();
    const { accessToken, expiresIn, refreshToken } = await this.#ask();
    this.#refreshToken = refreshToken ?? this.#refreshToken;
    await this.#tell();
    const lifeMs = expiresIn * 1000;
    const marginMs = Math.min(MARGIN_MS, lifeMs / 2);
    this.#held = { token: accessToken, until: lifeMs === Infinity ? Infinity : from + lifeMs - marginMs };
    return accessToken;
  }

  /** Tells the application of a refresh token that it does not know. */
  async #tell(): Promise<void> {
    const { onRefreshToken } = this.#options;
    const refreshToken = this.#refreshToken;
    if (onRefreshToken === undefined || refreshToken === undefined || refreshToken === this.#told) return;
    const deadline = setDeadline(this.#timeoutMs, undefined);
    try {
      await unlessAborted(
        (async () => onRefreshToken(refreshToken))(), // what it throws at once is a failure, too
        deadline.signal,
      );
      this.#told = refreshToken;
    } catch (error) {
      const reason = redact(reasonOf(error), this.#secrets());
      const text = `oauth2.onRefreshToken failed, and is called again with the next access token: ${reason}`;
      process.emitWarning(text, { code: 'AMSDAL_MAIL_REFRESH_TOKEN' });
    } finally {
      deadline.clear();
    }
  }

  async #ask(): Promise<GrantedToken> {
    const deadline = setDeadline(this.#timeoutMs, undefined);
    let answer: RawAnswer;
    try {
      const response = await fetch(this.#options.tokenUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: this.#form().toString(),
        redirect: 'manual', // it is refused by its status: the secrets are for this address alone
        signal: deadline.signal,
      });
      const body = await readText(response);
      if (body === null) throw this.#fault('protocol', `answers with more than ${MAX_OCTETS} octets`);
      answer = { host: this.host, status: response.status, body, secrets: this.#secrets() };
    } catch (error) {
      if (error instanceof EmailConnectionError) throw error;
      if (deadline.isOver) throw this.#fault('timeout', `did not answer within ${this.#timeoutMs} ms`);
      throw this.#unreached(error);
    } finally {
      deadline.clear();
    }
    return readTokenAnswer(answer);
  }

  /** The client in the body, as the large providers ask for it (RFC 6749, section 2.3.1). */
  #form(): URLSearchParams {
    const { clientId, clientSecret, scope } = this.#options;
    const refreshToken = this.#refreshToken;
    return new URLSearchParams({
      grant_type: refreshToken === undefined ? 'client_credentials' : 'refresh_token',
      client_id: clientId,
      ...(clientSecret !== undefined && { client_secret: clientSecret }),
      ...(refreshToken !== undefined && { refresh_token: refreshToken }),
      ...(scope !== undefined && { scope }),
    });
  }

  #secrets(): readonly string[] {
    return [this.#options.clientSecret, this.#refreshToken, this.#told].filter((secret) => secret !== undefined);
  }

  #unreached(error: unknown): EmailConnectionError {
    const system = innerCode(error);
    const named = system === '' ? '' : ` (${system})`;
    if (CERTIFICATE_CODE.test(system))
      return this.#fault('certificate', `shows a certificate that is not accepted${named}`, error);
    if (system.startsWith('ERR_SSL_')) return this.#fault('tls', `cannot speak TLS${named}`, error);
    return this.#fault(NETWORK_CODES[system] ?? 'connection', `was not reached${named}`, error);
  }

  #fault(code: ConnectionErrorCode, what: string, cause?: unknown): EmailConnectionError {
    const isPassing = !['protocol', 'certificate', 'tls'].includes(code) && innerCode(cause) !== 'ENOTFOUND';
    const advice = code === 'timeout' || code === 'closed' ? '' : ': check oauth2.tokenUrl';
    const text = `the token endpoint ${this.host} ${what}${advice}`;
    return new EmailConnectionError(code, text, { phase: 'auth', retryable: isPassing, cause });
  }
}

/** The request's own error only says that it failed; what has, stands below it. */
function innerCode(error: unknown): string {
  const own = systemCode(error);
  if (own !== '' || typeof error !== 'object' || error === null || !('cause' in error)) return own;
  return systemCode(error.cause);
}

/** The body as text, null when it is larger than any answer is. */
async function readText({ body }: Response): Promise<string | null> {
  if (body === null) return '';
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = '';
  let octets = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    octets += value.byteLength;
    if (octets > MAX_OCTETS) {
      reader.cancel().catch(() => {});
      return null;
    }
    text += decoder.decode(value, { stream: true });
  }
}
