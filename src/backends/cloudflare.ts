import { HttpBackend } from '../http/http-backend.ts';
import { HTTP_OPTIONS, type HttpOptions, keyOption } from '../http/options.ts';
import type { Carries, Provider } from '../http/provider.ts';
import { WHOLE_MAIL } from '../http/whole-mail.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';

/** Options of {@link CloudflareBackend}. */
export interface CloudflareOptions extends HttpOptions {
  /** A token with the permission to send; default: what CLOUDFLARE_API_TOKEN says. */
  readonly apiToken?: string;
  /** The account, 32 hexadecimal digits; default: what CLOUDFLARE_ACCOUNT_ID says. */
  readonly accountId?: string;
}

/**
 * Sends through Cloudflare Email Service (https://developers.cloudflare.com/api/resources/email_sending/methods/send_raw): mails as they
 * would go to any server, so that everything in them arrives. It makes Message-ID and Date itself, and tells of each recipient.
 */
export class CloudflareBackend extends HttpBackend<CloudflareOptions> {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...HTTP_OPTIONS,
      apiToken: keyOption('an API token of Cloudflare', /^[\w-]{20,}$/, {
        name: 'CLOUDFLARE_API_TOKEN',
        example: '0123456789abcdefghij0123456789',
      }),
      accountId: {
        type: 'custom',
        expected: "an account's id of 32 hexadecimal digits",
        check: (value) => value === '' || (typeof value === 'string' && /^[\da-f]{32}$/i.test(value)),
        parse: (text) => text,
        variable: { name: 'CLOUDFLARE_ACCOUNT_ID', example: '0123456789abcdef0123456789abcdef' },
        urlPart: 'host',
        part: 'login',
      },
    }) satisfies OptionTable<CloudflareOptions>)();

  static override readonly about: string = 'sends over HTTPS through Cloudflare Email Service';
  static override readonly smtpPreset: string | null = 'cloudflare-smtp';
  static override readonly required: readonly string[] = ['apiToken', 'accountId'];
  /** What Cloudflare carries. */
  static override readonly carries: Carries = WHOLE_MAIL;

  override readonly name = 'cloudflare';

  /** @internal */
  protected override async load(options: CloudflareOptions): Promise<Provider> {
    const { cloudflareProvider } = await import('./cloudflare/provider.ts');
    return cloudflareProvider(options);
  }
}
