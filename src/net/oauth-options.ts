import { ConfigurationError } from '../model/errors.ts';
import { isLoopback } from './loopback.ts';

/** Access tokens for a user who has consented once: the refresh token grant (RFC 6749, section 6). */
export interface OAuth2RefreshOptions {
  /** The id of the registered application. */
  readonly clientId: string;
  /** Its secret; a public client has none. */
  readonly clientSecret?: string;
  /** The refresh token that the consent granted. */
  readonly refreshToken: string;
  /** The token endpoint: an https URL; http for a host of this machine only. */
  readonly tokenUrl: string;
  /** Separated by spaces; default: what was consented to. */
  readonly scope?: string;
  /**
   * Receives a refresh token that replaces the last one, to be stored for the next start. It is awaited, at most as long as the
   * endpoint; if it fails, the mail is still sent, and it is called again with the next access token.
   */
  readonly onRefreshToken?: (refreshToken: string) => void | Promise<void>;
}

/** Access tokens for the application itself: the client credentials grant (RFC 6749, section 4.4). */
export interface OAuth2ClientOptions {
  /** The id of the registered application. */
  readonly clientId: string;
  /** Its secret. */
  readonly clientSecret: string;
  /** The token endpoint: an https URL; http for a host of this machine only. */
  readonly tokenUrl: string;
  /** Separated by spaces. */
  readonly scope: string;
  /** Only for the refresh token grant. */
  readonly refreshToken?: never;
  /** Only for the refresh token grant. */
  readonly onRefreshToken?: never;
}

/** How to get access tokens (OAuth 2.0): with a refresh token, or with the application's own credentials. */
export type OAuth2Options = OAuth2RefreshOptions | OAuth2ClientOptions;

/** The characters of every part (RFC 6749, appendix A). */
const PRINTABLE = /^[ -~]+$/;

/**
 * Checks the parts of the option `oauth2` against each other; their types have been checked.
 *
 * @throws {ConfigurationError} naming the part, code `invalid-option` or `missing-option`; it quotes none of them.
 */
export function checkOAuth2(options: OAuth2Options): void {
  const parts: Readonly<Record<string, string | undefined>> = {
    clientId: options.clientId,
    clientSecret: options.clientSecret,
    refreshToken: options.refreshToken,
    tokenUrl: options.tokenUrl,
    scope: options.scope,
  };
  for (const [part, value] of Object.entries(parts)) {
    if (value === '') invalid(part, 'must not be empty: leave it out where there is none');
    if (value !== undefined && !PRINTABLE.test(value))
      invalid(part, 'must be printable ASCII: is there a line break at its end?');
  }
  if (parts['clientId'] === undefined) missing('clientId', 'is missing');
  if (parts['tokenUrl'] === undefined) missing('tokenUrl', 'is missing: the address of the token endpoint');
  checkTokenUrl(options.tokenUrl);
  if (options.refreshToken !== undefined) return;
  if (parts['clientSecret'] === undefined) missing('refreshToken', 'is missing, or clientSecret with scope');
  if (parts['scope'] === undefined) missing('scope', 'is missing: without refreshToken it says what the token is for');
  if (options.onRefreshToken !== undefined) missing('refreshToken', 'is missing beside oauth2.onRefreshToken');
}

function checkTokenUrl(text: string): void {
  if (!URL.canParse(text)) invalid('tokenUrl', 'must be a URL, as https://login.example.com/token');
  const url = new URL(text);
  const { protocol, username, password, hash } = url;
  if (username !== '' || password !== '') invalid('tokenUrl', 'must hold no user name or password');
  if (hash !== '') invalid('tokenUrl', "must hold no '#' (RFC 6749, section 3.2)");
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback(url))) return;
  invalid('tokenUrl', 'must begin with https://, as secrets are sent there');
}

function invalid(part: string, what: string): never {
  throw new ConfigurationError('invalid-option', `oauth2.${part} ${what}`, { option: `oauth2.${part}` });
}

function missing(part: string, what: string): never {
  throw new ConfigurationError('missing-option', `oauth2.${part} ${what}`, { option: `oauth2.${part}` });
}
