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

/** Options of {@link MicrosoftGraphBackend}. */
export interface MicrosoftGraphOptions extends HttpOptions {
  /**
   * An access token with the permission `Mail.Send`, or a function that gets one; it is asked again, once, when one is refused;
   * default: what MICROSOFT_GRAPH_ACCESS_TOKEN says.
   */
  readonly accessToken?: AccessToken;
  /** Where to get access tokens, instead of `accessToken`: each is used until shortly before its end. */
  readonly oauth2?: OAuth2Options;
  /** The mailbox that sends: an id, the name of a user, or `me` for whom the token is of; default: the address of the sender. */
  readonly userId?: string;
  /**
   * Whether mails are kept in Sent Items; default true. One that is not goes in Graph's own words, which have one body, no
   * headers but `x-` ones and 4 MB in all; what they cannot tell is refused.
   */
  readonly saveToSentItems?: boolean;
}

/**
 * Sends through Microsoft Graph, from a mailbox of Exchange Online (https://learn.microsoft.com/graph/api/user-sendmail); `queued` is
 * all that it says.
 *
 * A mail that is too large for one request goes as a draft, its files after it; that needs the permission `Mail.ReadWrite`.
 */
export class MicrosoftGraphBackend extends HttpBackend<MicrosoftGraphOptions> {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...HTTP_OPTIONS,
      ...tokenOptions({ name: 'MICROSOFT_GRAPH_ACCESS_TOKEN', example: 'eyJ0eXAi.eyJhdWQi.abc' }),
      userId: {
        type: 'custom',
        expected: "the id or name of a user, such as 'shop@example.com', or 'me'",
        check: (value) => typeof value === 'string' && /^(?!\.+$)[^\s/\\?#]+$/.test(value),
        parse: (text) => text,
      },
      saveToSentItems: { type: 'boolean', default: true },
    }) satisfies OptionTable<MicrosoftGraphOptions>)();

  static override readonly about: string = 'sends over HTTPS through Microsoft Graph';
  static override readonly smtpPreset: string | null = 'office365';
  static override readonly required: readonly (string | readonly string[])[] = [['accessToken', 'oauth2']];
  /** What Microsoft Graph carries. */
  static override readonly carries: Carries = WHOLE_MAIL;

  override readonly name = 'microsoft-graph';

  /** @throws {ConfigurationError} `missing-option`, `unknown-option`, `invalid-option` or `conflicting-options` */
  constructor(options: MicrosoftGraphOptions = {}) {
    super(options);
    checkTokenOptions('microsoft-graph', options);
  }

  /** @internal */
  protected override async load(options: MicrosoftGraphOptions): Promise<Provider> {
    const { microsoftGraphProvider } = await import('./microsoft-graph/provider.ts');
    return microsoftGraphProvider(options);
  }
}
