import { HttpBackend } from '../http/http-backend.ts';
import { HTTP_OPTIONS, type HttpOptions, keyOption } from '../http/options.ts';
import type { Carries, Provider } from '../http/provider.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';

/** Options of {@link BrevoBackend}. */
export interface BrevoOptions extends HttpOptions {
  /** The key of the account, `xkeysib-...`; default: what BREVO_API_KEY says. */
  readonly apiKey?: string;
  /** Has Brevo check mails and send none (https://developers.brevo.com/docs/using-sandbox-mode); default false. */
  readonly sandbox?: boolean;
}

/** Sends through Brevo (https://developers.brevo.com/reference/sendtransacemail); `queued` is all that it says. */
export class BrevoBackend extends HttpBackend<BrevoOptions> {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...HTTP_OPTIONS,
      apiKey: keyOption("a key of Brevo's API, which begins with 'xkeysib-'", /^xkeysib-[\w-]+$/, {
        name: 'BREVO_API_KEY',
        example: 'xkeysib-0123456789abcdef',
      }),
      sandbox: { type: 'boolean', default: false },
    }) satisfies OptionTable<BrevoOptions>)();

  static override readonly about: string = 'sends over HTTPS through Brevo';
  static override readonly smtpPreset: string | null = 'brevo-smtp';
  /** What Brevo carries. */
  static override readonly carries: Carries = {
    tags: true,
    metadata: true,
    trackOpens: false, // of an account, not of a mail
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
    inlineAttachments: false,
    severalReplyTo: false,
  };

  override readonly name = 'brevo';
  protected override readonly idempotencyMs: number = 15 * 60_000;

  /** @internal */
  protected override async load(options: BrevoOptions): Promise<Provider> {
    const { brevoProvider } = await import('./brevo/provider.ts');
    return brevoProvider(options);
  }
}
