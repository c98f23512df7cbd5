import { HttpBackend } from '../http/http-backend.ts';
import { HTTP_OPTIONS, type HttpOptions } from '../http/options.ts';
import type { Carries, Provider } from '../http/provider.ts';
import { checkTokenOptions, tokenOptions } from '../http/token-options.ts';
import { WHOLE_MAIL } from '../http/whole-mail.ts';
import type { AccessToken } from '../net/access-token.ts';
import type { OAuth2Options } from '../net/oauth-options.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';

export type { AccessToken } from '../net/access-token.ts';
export type { OAuth2ClientOptions, OAuth2Options, OAuth2RefreshOptions } from '../net/oauth-options.ts';

/** Options of {@link GmailApiBackend}. */
export interface GmailApiOptions extends HttpOptions {
  /**
   * An access token with the scope `https://www.googleapis.com/auth/gmail.send`, or a function that gets one for each
   * request; it is asked again, once, when one is refused; default: what GMAIL_ACCESS_TOKEN says.
   */
  readonly accessToken?: AccessToken;
  /** Where to get access tokens, instead of `accessToken`: each is used until shortly before its end. */
  readonly oauth2?: OAuth2Options;
}

/**
 * Sends through the Gmail API (https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/send), from the
 * account that the token is of; `sent` means that it is in that account's sent mail.
 */
export class GmailApiBackend extends HttpBackend<GmailApiOptions> {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...HTTP_OPTIONS,
      ...tokenOptions({ name: 'GMAIL_ACCESS_TOKEN', example: 'ya29.a0Abcdef' }),
    }) satisfies OptionTable<GmailApiOptions>)();

  static override readonly about: string = 'sends over HTTPS through the Gmail API';
  static override readonly smtpPreset: string | null = 'gmail';
  static override readonly required: readonly (string | readonly string[])[] = [['accessToken', 'oauth2']];
  /** What Gmail carries. */
  static override readonly carries: Carries = WHOLE_MAIL;

  override readonly name = 'gmail-api';

  /** @throws {ConfigurationError} `missing-option`, `unknown-option`, `invalid-option` or `conflicting-options` */
  constructor(options: GmailApiOptions = {}) {
    super(options);
    checkTokenOptions('gmail-api', options);
  }

  /** @internal */
  protected override async load(options: GmailApiOptions): Promise<Provider> {
    const { gmailApiProvider } = await import('./gmail-api/provider.ts');
    return gmailApiProvider(options);
  }
}
