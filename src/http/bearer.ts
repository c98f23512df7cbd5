import { type TokenOptions, tokenSourceOf } from '../net/access-token.ts';
import type { HttpOptions } from './options.ts';
import type { Provider } from './provider.ts';

/** What has each request sent with an access token (RFC 6750, section 2.1); after a 401 with another one, where there is one. */
export function bearer(options: TokenOptions & Pick<HttpOptions, 'timeoutMs'>): Provider['sign'] {
  const source = tokenSourceOf(options, options.timeoutMs ?? 30_000);
  return async (_, { refused }) => {
    if (source === null || (refused !== null && refused.answer.status !== 401)) return null;
    const before = refused?.headers['authorization']?.replace(/^Bearer /, '') ?? null;
    const token = await source.get(before);
    return token === before ? null : { headers: { authorization: `Bearer ${token}` }, secrets: [token] };
  };
}
