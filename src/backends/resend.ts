import { HttpBackend } from '../http/http-backend.ts';
import { HTTP_OPTIONS, type HttpOptions, keyOption } from '../http/options.ts';
import type { Carries, Provider } from '../http/provider.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';

/** Options of {@link ResendBackend}. */
export interface ResendOptions extends HttpOptions {
  /** The key of the account, `re_...`; default: what RESEND_API_KEY says. */
  readonly apiKey?: string;
}

/** Sends through Resend (https://resend.com/docs/api-reference/emails/send-email); `queued` is all that it says. */
export class ResendBackend extends HttpBackend<ResendOptions> {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...HTTP_OPTIONS,
      apiKey: keyOption("a key of Resend, which begins with 're_'", /^re_\w+$/, {
        name: 'RESEND_API_KEY',
        example: 're_123456789',
      }),
    }) satisfies OptionTable<ResendOptions>)();

  static override readonly about: string = 'sends over HTTPS through Resend';
  static override readonly smtpPreset: string | null = 'resend-smtp';
  /** What Resend carries. */
  static override readonly carries: Carries = {
    tags: true,
    metadata: true,
    trackOpens: false, // of a domain, not of a mail
    trackClicks: false,
    priority: true,
    idempotencyKey: true,
    templateId: true,
    mergeData: true,
    mergeGlobalData: true,
    dsn: false,
    requireTls: false,
    nonAsciiLocalPart: false,
    envelopeSender: false,
    sendAt: true,
    alternatives: false,
    inlineAttachments: true,
    severalReplyTo: true,
  };

  override readonly name = 'resend';
  protected override readonly idempotencyMs: number = 24 * 3_600_000;

  /** @internal */
  protected override async load(options: ResendOptions): Promise<Provider> {
    const { resendProvider } = await import('./resend/provider.ts');
    return resendProvider(options);
  }
}
