import { OAUTH2_OPTION } from '../backend/oauth2-option.ts';
import { ConfigurationError } from '../model/errors.ts';
import type { TokenOptions } from '../net/access-token.ts';
import { checkOAuth2 } from '../net/oauth-options.ts';
import type { OptionSpec, OptionVariable } from '../options/option-table.ts';

/** The table entries of the options for access tokens. @param variable left out where there is none */
export function tokenOptions(variable?: OptionVariable): Readonly<Record<keyof TokenOptions, OptionSpec>> {
  return {
    accessToken: {
      type: 'custom',
      expected: 'an access token of printable ASCII, or a function that gets one',
      check: (value) => typeof value === 'function' || (typeof value === 'string' && /^[!-~]*$/.test(value)),
      parse: (text) => text,
      secret: true,
      part: 'login',
      replaces: ['oauth2'],
      ...(variable && { variable, urlPart: 'username' }),
    },
    oauth2: { ...OAUTH2_OPTION, part: 'login', replaces: ['accessToken'] },
  };
}

/** @throws {ConfigurationError} `conflicting-options` when there are both; `invalid-option` or `missing-option` for a part of `oauth2` */
export function checkTokenOptions(name: string, { accessToken, oauth2 }: TokenOptions): void {
  if (oauth2 === undefined) return;
  if (accessToken) {
    const text = `${name}: oauth2 gets the tokens that accessToken would be: give one of them`;
    throw new ConfigurationError('conflicting-options', text, { option: 'oauth2', otherOptions: ['accessToken'] });
  }
  checkOAuth2(oauth2);
}
