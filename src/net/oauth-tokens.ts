import { type ConnectionErrorCode, EmailConnectionError } from '../model/errors.ts';
import { Deadline } from '../util/deadline.ts';
import { reasonOf } from '../util/reason.ts';
import { isWorkerd } from '../util/runtime.ts';
import { unlessAborted } from '../util/unless-aborted.ts';
import { CERTIFICATE_CODE, NETWORK_CODES, systemCode } from './network-code.ts';
import { type GrantedToken, type RawAnswer, readTokenAnswer, redact } from './oauth-answer.ts';
import type { OAuth2Options } from './oauth-options.ts';

/** How long before it expires a token is replaced, but at most half of its lifetime. */
const MARGIN_MS = 60_000;
const MAX_BYTES = 64 * 1024;

/**
 * The access tokens of one login: each is kept until shortly before it expires, and requested once for all concurrent callers.
 *
 * A refresh token in an answer replaces the last one.
 */
export class OAuthTokens {
  /** The host of the token endpoint. */
  readonly host: string;
  readonly #options: OAuth2Options;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  #refreshToken: string | undefined;
  /** The refresh token that the application knows. */
  #knownToApp: string | undefined;
  #held: { readonly token: string; readonly until: number } | null = null;
  #pending: Promise<string> | null = null;

  /**
   * @param options already checked
   * @param timeoutMs how long the endpoint may take to answer
   * @param now milliseconds of a clock that keeps running while the machine sleeps
   */
  constructor(options: OAuth2Options, timeoutMs: number, now: () => number = Date.now) {
    this.#options = { ...options };
    this.#timeoutMs = timeoutMs;
    this.#now = now;
    this.#refreshToken = options.refreshToken;
    this.#knownToApp = options.refreshToken;
    this.host = new URL(options.tokenUrl).host;
  }

  /**
   * A valid token. It may be the refused one again, where the endpoint returns the same token until it expires.
   *
   * The request is never cancelled, even when nobody waits for it any more: its answer may hold a refresh token.
   *
   * @param refused the token that a server has just refused, or null
   * @throws {EmailConnectionError} `auth` when the endpoint refuses; `timeout`, `connection` and others when it does not answer
   */
  get(refused: string | null = null): Promise<string> {
    if (refused !== null && this.#held?.token === refused) this.#held = null; // nobody else should use it either
    const held = this.#held;
    if (held !== null && this.#now() < held.until) return Promise.resolve(held.token);
    if (isWorkerd()) return this.#renew(); // there, a promise of another request never settles
    this.#pending ??= this.#renew().finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  async #renew(): Promise<string> {
    const from = this.#now();
    const { accessToken, expiresIn, refreshToken } = await this.#ask();
    this.#refreshToken = refreshToken ?? this.#refreshToken;
    await this.#reportRefreshToken();
    const lifeMs = expiresIn * 1000;
    const marginMs = Math.min(MARGIN_MS, lifeMs / 2);
    this.#held = { token: accessToken, until: lifeMs === Infinity ? Infinity : from + lifeMs - marginMs };
    return accessToken;
  }

  /** Passes a new refresh token to the application. */
  async #reportRefreshToken(): Promise<void> {
    const { onRefreshToken } = this.#options;
    const refreshToken = this.#refreshToken;
    if (onRefreshToken === undefined || refreshToken === undefined || refreshToken === this.#knownToApp) return;
    const deadline = new Deadline(this.#timeoutMs, undefined);
    try {
      await unlessAborted(
        (async () => onRefreshToken(refreshToken))(), // it may also throw synchronously
        deadline.signal,
      );
      this.#knownToApp = refreshToken;
    } catch (error) {
      const reason = redact(reasonOf(error), this.#secrets());
      const text = `oauth2.onRefreshToken failed, and is called again with the next access token: ${reason}`;
      process.emitWarning(text, { code: 'AMSDAL_MAIL_REFRESH_TOKEN' });
    } finally {
      deadline.clear();
    }
  }

  async #ask(): Promise<GrantedToken> {
    const deadline = new Deadline(this.#timeoutMs, undefined);
    let answer: RawAnswer;
    try {
      const response = await fetch(this.#options.tokenUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: this.#form().toString(),
        redirect: 'manual', // refused by its status: the secrets are only for this address
        signal: deadline.signal,
      });
      const body = await readText(response);
      if (body === null) throw this.#fault('protocol', `answers with more than ${MAX_BYTES} bytes`);
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

  /** The client's credentials in the body, as the large providers expect (RFC 6749, section 2.3.1). */
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
    return [this.#options.clientSecret, this.#refreshToken, this.#knownToApp].filter((secret) => secret !== undefined);
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
    const isTemporary = !['protocol', 'certificate', 'tls'].includes(code) && innerCode(cause) !== 'ENOTFOUND';
    const advice = code === 'timeout' || code === 'closed' ? '' : ': check oauth2.tokenUrl';
    const text = `the token endpoint ${this.host} ${what}${advice}`;
    return new EmailConnectionError(code, text, { phase: 'auth', retryable: isTemporary, cause });
  }
}

/** The code of the cause: the error of `fetch` itself only says that it failed. */
function innerCode(error: unknown): string {
  const own = systemCode(error);
  if (own !== '' || typeof error !== 'object' || error === null || !('cause' in error)) return own;
  return systemCode(error.cause);
}

/** The body as text; null when it is larger than any valid answer. */
async function readText({ body }: Response): Promise<string | null> {
  if (body === null) return '';
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = '';
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > MAX_BYTES) {
      reader.cancel().catch(() => {});
      return null;
    }
    text += decoder.decode(value, { stream: true });
  }
}
