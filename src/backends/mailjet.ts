import { HttpBackend } from '../http/http-backend.ts';
import { HTTP_OPTIONS, type HttpOptions, keyOption } from '../http/options.ts';
import type { Carries, Provider } from '../http/provider.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';

/** Options of {@link MailjetBackend}. */
export interface MailjetOptions extends HttpOptions {
  /** The public key, 32 hexadecimal digits; default: what MAILJET_API_KEY says. */
  readonly apiKey?: string;
  /** The private key to it, 32 hexadecimal digits; default: what MAILJET_SECRET_KEY says. */
  readonly secretKey?: string;
  /** Where the account is; default `eu`. */
  readonly region?: 'eu' | 'us';
  /** Has Mailjet check mails and send none (https://dev.mailjet.com/email/guides/send-api-v31/#sandbox-mode); default false. */
  readonly sandbox?: boolean;
}

/**
 * Sends through Mailjet's Send API v3.1 (https://dev.mailjet.com/email/reference/send-emails#v3_1_post_send); `queued` is all that it says.
 *
 * With variables, `{{var:name}}` in subject and bodies is the recipient's own `name`.
 */
export class MailjetBackend extends HttpBackend<MailjetOptions> {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...HTTP_OPTIONS,
      apiKey: keyOption('the public key of Mailjet, 32 hexadecimal digits', /^[\da-f]{32}$/i, {
        name: 'MAILJET_API_KEY',
        example: '0123456789abcdef0123456789abcdef',
      }),
      secretKey: {
        ...keyOption('the private key of Mailjet, 32 hexadecimal digits', /^[\da-f]{32}$/i, {
          name: 'MAILJET_SECRET_KEY',
          example: 'fedcba9876543210fedcba9876543210',
        }),
        urlPart: 'password',
      },
      region: { type: 'enum', values: ['eu', 'us'], default: 'eu' },
      sandbox: { type: 'boolean', default: false },
    }) satisfies OptionTable<MailjetOptions>)();

  static override readonly about: string = 'sends over HTTPS through Mailjet';
  static override readonly required: readonly string[] = ['apiKey', 'secretKey'];
  /** What Mailjet carries. */
  static override readonly carries: Carries = {
    tags: true,
    metadata: true,
    trackOpens: true,
    trackClicks: true,
    priority: true,
    idempotencyKey: false,
    templateId: true,
    mergeData: true,
    mergeGlobalData: true,
    dsn: false,
    requireTls: false,
    nonAsciiLocalPart: true,
    envelopeSender: false, // its Sender is the header
    sendAt: false,
    alternatives: false,
    inlineAttachments: true,
    severalReplyTo: false,
  };

  override readonly name = 'mailjet';

  /** @internal */
  protected override async load(options: MailjetOptions): Promise<Provider> {
    const { mailjetProvider } = await import('./mailjet/provider.ts');
    return mailjetProvider(options);
  }
}
