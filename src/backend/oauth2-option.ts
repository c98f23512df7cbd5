import type { OAuth2RefreshOptions } from '../net/oauth-options.ts';
import type { OptionSpec, OptionTable } from '../options/option-table.ts';

const SECRET: OptionSpec = { type: 'string', secret: true };

/** The table entry of `oauth2`, for every backend that logs in with access tokens. */
export const OAUTH2_OPTION: OptionSpec = {
  type: 'object',
  fields: {
    clientId: { type: 'string' },
    clientSecret: SECRET,
    refreshToken: SECRET,
    tokenUrl: { type: 'string' },
    scope: { type: 'string' },
    onRefreshToken: {
      type: 'custom',
      expected: 'a function that keeps the new refresh token',
      check: (value) => typeof value === 'function',
      secret: true, // what is given in its place may be the token
    },
  } satisfies OptionTable<OAuth2RefreshOptions>,
};
