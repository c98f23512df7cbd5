import { HttpBackend } from '../http/http-backend.ts';
import { HTTP_OPTIONS, type HttpOptions, keyOption } from '../http/options.ts';
import type { Carries, Provider } from '../http/provider.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';

/** Options of {@link MailtrapBackend}. */
export interface MailtrapOptions extends HttpOptions {
  /** An API token that may send; default: what MAILTRAP_API_KEY says. */
  readonly apiKey?: string;
  /** Which of its streams sends (https://docs.mailtrap.io/developers/email-sending); default `transactional`. */
  readonly stream?: 'transactional' | 'bulk';
  /** The sandbox that gets all mails, and sends none; it counts above `stream`; default: what MAILTRAP_SANDBOX_ID says, else none. */
  readonly sandboxId?: number;
}

/** Sends through Mailtrap (https://docs.mailtrap.io/developers/email-sending); `queued` is all that it says. */
export class MailtrapBackend extends HttpBackend<MailtrapOptions> {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...HTTP_OPTIONS,
      apiKey: keyOption('an API token of Mailtrap', /^[\w-]{20,}$/, {
        name: 'MAILTRAP_API_KEY',
        example: '0123456789abcdef0123456789abcdef',
      }),
      stream: { type: 'enum', values: ['transactional', 'bulk'], default: 'transactional' },
      sandboxId: { type: 'integer', min: 1, variable: { name: 'MAILTRAP_SANDBOX_ID', example: '1234567' } },
    }) satisfies OptionTable<MailtrapOptions>)();

  static override readonly about: string = 'sends over HTTPS through Mailtrap';
  /** What Mailtrap carries. */
  static override readonly carries: Carries = {
    tags: true,
    metadata: true,
    trackOpens: false, // of a domain, not of a mail
    trackClicks: false,
    priority: true,
    idempotencyKey: false,
    templateId: true,
    mergeData: true,
    mergeGlobalData: true,
    dsn: false,
    requireTls: false,
    nonAsciiLocalPart: false,
    envelopeSender: false,
    sendAt: false,
    alternatives: false,
    inlineAttachments: true,
    severalReplyTo: true,
  };

  override readonly name = 'mailtrap';

  /** @internal */
  protected override async load(options: MailtrapOptions): Promise<Provider> {
    const { mailtrapProvider } = await import('./mailtrap/provider.ts');
    return mailtrapProvider(options);
  }
}
