import { type ConnectionErrorCode, EmailConnectionError, type ServerReply } from '../model/errors.ts';
import { parseObject } from '../util/json.ts';

/** What a token endpoint granted. */
export interface GrantedToken {
  readonly accessToken: string;
  /** Its lifetime in seconds; Infinity when the endpoint does not say. */
  readonly expiresIn: number;
  /** The new refresh token; null when it is unchanged. */
  readonly refreshToken: string | null;
}

/** An unread answer of a token endpoint. */
export interface RawAnswer {
  /** The host that answered. */
  readonly host: string;
  readonly status: number;
  readonly body: string;
  /** What no error may show, even if the answer quotes it. */
  readonly secrets: readonly string[];
}

/** What to change, by the errors of RFC 6749, section 5.2, and other common ones. */
const ADVICE: Readonly<Record<string, string>> = {
  invalid_client: 'check oauth2.clientId and oauth2.clientSecret, which may have ended',
  invalid_grant:
    'the consent has ended or was taken back: ask for it again, and set oauth2.refreshToken to the new one',
  invalid_request: 'check oauth2.tokenUrl and the other parts of oauth2',
  invalid_scope: 'check oauth2.scope',
  unauthorized_client: 'allow this grant where the application is registered',
  unsupported_grant_type: 'this endpoint does not know the grant: check oauth2.tokenUrl, or use the other one',
  consent_required: 'ask for the consent again, and set oauth2.refreshToken to the new one',
  interaction_required: 'ask for the consent again, and set oauth2.refreshToken to the new one',
};
/** Temporary errors (RFC 6749, section 4.1.2.1; servers also use them here). */
const TEMPORARY: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error']);
/** The characters of RFC 6749, appendix A, except the space, which no token holds. */
const TOKEN = /^[!-~]+$/;
const MAX_DESCRIPTION = 300;

/**
 * Reads the answer of a token endpoint (RFC 6749, sections 5.1 and 5.2).
 *
 * @throws {EmailConnectionError} `auth` when it refuses; `connection`, retryable, when it cannot answer now; `protocol` when
 *   this is not an OAuth 2.0 answer. None of them shows a secret, even if the endpoint does.
 */
export function readTokenAnswer(answer: RawAnswer): GrantedToken {
  const { host, status } = answer;
  const fields = parseObject(answer.body);
  const error = typeof fields?.['error'] === 'string' ? line(redact(fields['error'], answer.secrets)) : null;
  const reply: ServerReply = { code: status, enhancedCode: null, text: describe(error, fields, answer.secrets) };
  const what = reply.text === '' ? '' : `: ${reply.text}`;
  if (status === 408 || status === 429 || status >= 500 || (error !== null && TEMPORARY.has(error)))
    throw fault('connection', `the token endpoint ${host} cannot answer now (${status})${what}`, reply, true);
  if (error !== null) {
    const advice = Object.hasOwn(ADVICE, error) ? ADVICE[error] : 'check oauth2';
    throw fault('auth', `the token endpoint ${host} gives no token${what}; ${advice}`, reply);
  }
  // A redirection is not followed: it would choose who gets the secrets. Some runtimes report its status as 0.
  if (status < 200 || (status >= 300 && status < 400)) {
    const text = `the token endpoint ${host} is somewhere else (${status}): set oauth2.tokenUrl to where it leads`;
    throw fault('protocol', text, reply);
  }
  if (status >= 400) {
    const text = `${host} answers ${status}, and not as a token endpoint does: check oauth2.tokenUrl`;
    throw fault('protocol', text, reply);
  }
  if (fields === null) throw fault('protocol', `${host} answers with no JSON object: check oauth2.tokenUrl`, reply);
  return readGrant(fields, (field) =>
    fault('protocol', `the token endpoint ${host} gives a token with a wrong ${field}: check oauth2.tokenUrl`, reply),
  );
}

/** Replaces secrets in a text, also in their URL-encoded forms. */
export function redact(text: string, secrets: readonly string[]): string {
  return redactForms(text, formsOf(secrets));
}

/** Secrets as they are and in their URL-encoded forms, the longest first, as one may contain another. */
export function formsOf(secrets: readonly string[]): readonly string[] {
  const forms = secrets.flatMap((secret) => [secret, encodeURIComponent(secret), formEncoded(secret)]);
  return [...new Set(forms)].filter((form) => form !== '').toSorted((a, b) => b.length - a.length);
}

/** {@link redact} for many texts: the forms of the secrets are made once. */
export function redactForms(text: string, forms: readonly string[]): string {
  return forms.reduce((redacted, form) => redacted.replaceAll(form, '***'), text);
}

/** As it was sent (WHATWG URL, section 5.2): a form escapes other characters, and a space becomes a plus. */
function formEncoded(secret: string): string {
  return new URLSearchParams({ '': secret }).toString().slice(1);
}

function readGrant(
  fields: Readonly<Record<string, unknown>>,
  wrong: (field: string) => EmailConnectionError,
): GrantedToken {
  const { access_token: accessToken, token_type: type = 'Bearer', expires_in: seconds } = fields;
  if (typeof accessToken !== 'string' || !TOKEN.test(accessToken)) throw wrong('access_token');
  // A client that does not understand the type must not use the token (RFC 6749, section 7.1).
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') throw wrong('token_type');
  const expiresIn = seconds === undefined || seconds === null ? Infinity : readSeconds(seconds);
  if (expiresIn === null) throw wrong('expires_in');
  const refreshToken = fields['refresh_token'] ?? '';
  if (typeof refreshToken !== 'string' || !/^[ -~]*$/.test(refreshToken)) throw wrong('refresh_token');
  return { accessToken, expiresIn, refreshToken: refreshToken === '' ? null : refreshToken };
}

/** A number, or the digits that older Microsoft endpoints return. */
function readSeconds(value: unknown): number | null {
  if (typeof value === 'string') return /^\d{1,15}$/.test(value) ? Number(value) : null;
  return typeof value === 'number' && value >= 0 ? value : null;
}

/** The error's code, and its description on one line where there is one. */
function describe(
  error: string | null,
  fields: Readonly<Record<string, unknown>> | null,
  secrets: readonly string[],
): string {
  const description = fields?.['error_description'];
  if (error === null || typeof description !== 'string' || description === '') return error ?? '';
  return `${error} (${line(redact(description, secrets))})`;
}

function line(text: string): string {
  const folded = text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  return folded.length > MAX_DESCRIPTION ? `${folded.slice(0, MAX_DESCRIPTION)}…` : folded;
}

function fault(code: ConnectionErrorCode, text: string, reply: ServerReply, retryable = false): EmailConnectionError {
  return new EmailConnectionError(code, text, { phase: 'auth', reply, retryable });
}
