import { HttpBackend } from '../http/http-backend.ts';
import { HTTP_OPTIONS, type HttpOptions, keyOption } from '../http/options.ts';
import type { Carries, Provider } from '../http/provider.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';
import { DOMAIN } from './mailgun/domain.ts';

/** Options of {@link MailgunBackend}. */
export interface MailgunOptions extends HttpOptions {
  /** A sending key, or the account's; default: what MAILGUN_API_KEY says. */
  readonly apiKey?: string;
  /** The domain at Mailgun that sends; default: what MAILGUN_DOMAIN says, else that of `fromEmail`. */
  readonly domain?: string;
  /** Where the domain is; default `us`. */
  readonly region?: 'us' | 'eu';
  /** Has Mailgun take mails and send none (https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-http); default false. */
  readonly testMode?: boolean;
}

/**
 * Sends through Mailgun (https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages); `queued` is all that it says.
 *
 * With `mergeData`, `%recipient.name%` in subject and bodies is the recipient's own `name`, and stored templates have it, too.
 */
export class MailgunBackend extends HttpBackend<MailgunOptions> {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...HTTP_OPTIONS,
      apiKey: keyOption('a key of Mailgun', /^[\w-]{20,}$/, {
        name: 'MAILGUN_API_KEY',
        example: '0123456789abcdef0123456789abcdef-01234567-89abcdef',
      }),
      domain: {
        type: 'custom',
        expected: "a domain such as 'mg.example.com'",
        check: (value) => value === '' || (typeof value === 'string' && DOMAIN.test(value)),
        parse: (text) => text,
        variable: { name: 'MAILGUN_DOMAIN', example: 'mg.example.com' },
        urlPart: 'host',
      },
      region: {
        type: 'enum',
        values: ['us', 'eu'],
        variable: { name: 'MAILGUN_REGION', example: 'eu' },
        default: 'us',
      },
      testMode: { type: 'boolean', default: false },
    }) satisfies OptionTable<MailgunOptions>)();

  static override readonly about: string = 'sends over HTTPS through Mailgun';
  static override readonly smtpPreset: string | null = 'mailgun-smtp';
  /** What Mailgun carries. */
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
    nonAsciiLocalPart: false, // its From would be mangled
    envelopeSender: false,
    sendAt: true,
    alternatives: false,
    inlineAttachments: true,
    severalReplyTo: true,
  };

  override readonly name = 'mailgun';

  /** @internal */
  protected override async load(options: MailgunOptions): Promise<Provider> {
    const { mailgunProvider } = await import('./mailgun/provider.ts');
    return mailgunProvider(options);
  }
}
