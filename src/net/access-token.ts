import { EmailConnectionError } from '../model/errors.ts';
import type { OAuth2Options } from './oauth-options.ts';
import type { OAuthTokens } from './oauth-tokens.ts';

/** An OAuth 2.0 access token, or a function that gets one; `refresh` is true when the last one was refused. */
export type AccessToken = string | ((options: { readonly refresh: boolean }) => string | Promise<string>);

/** The two ways to come by access tokens. */
export interface TokenOptions {
  readonly accessToken?: AccessToken;
  readonly oauth2?: OAuth2Options;
}

/** Where the access tokens of a login come from. */
export interface TokenSource {
  /** Of the token endpoint, null when it is the application that gives them. */
  readonly host: string | null;
  /**
   * A token.
   *
   * @param refused the one that the server has just refused, or null; the same one again means that there is no other
   */
  get(refused: string | null): Promise<string>;
}

/** The source that the options name, null when they name none. @param timeoutMs how long a token endpoint may take */
export function tokenSourceOf({ accessToken, oauth2 }: TokenOptions, timeoutMs: number): TokenSource | null {
  if (oauth2 !== undefined) return endpointTokens({ ...oauth2 }, timeoutMs);
  if (accessToken === undefined) return null;
  return {
    host: null,
    get: (refused) =>
      ask(() => (typeof accessToken === 'string' ? accessToken : accessToken({ refresh: refused !== null }))),
  };
}

/** The tokens of an endpoint; what asks it is loaded for the first of them. */
function endpointTokens(options: OAuth2Options, timeoutMs: number): TokenSource {
  let tokens: OAuthTokens | null = null;
  return {
    host: new URL(options.tokenUrl).host,
    get: async (refused) => {
      const { OAuthTokens } = await import('./oauth-tokens.ts');
      tokens ??= new OAuthTokens(options, timeoutMs);
      return tokens.get(refused);
    },
  };
}

/** @throws {EmailConnectionError} code `auth`, retryable when the application failed to get one */
async function ask(get: () => string | Promise<string>): Promise<string> {
  let token: unknown;
  try {
    token = await get();
  } catch (cause) {
    const text = 'accessToken failed to get a token';
    throw new EmailConnectionError('auth', text, { phase: 'auth', retryable: true, cause });
  }
  if (typeof token === 'string' && /^[!-~]+$/.test(token)) return token;
  throw new EmailConnectionError('auth', 'accessToken gave no token: it must be printable ASCII', { phase: 'auth' });
}
