import { HttpBackend } from '../http/http-backend.ts';
import { HTTP_OPTIONS, type HttpOptions, keyOption } from '../http/options.ts';
import type { Carries, Provider } from '../http/provider.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';

/** Options of {@link MailerSendBackend}. */
export interface MailerSendOptions extends HttpOptions {
  /** An API token of the domain, `mlsn....`; default: what MAILERSEND_API_KEY says. */
  readonly apiKey?: string;
}

/**
 * Sends through MailerSend (https://developers.mailersend.com/api/v1/email); `queued` is all that it says.
 *
 * With variables, `{{ name }}` in subject and bodies is the recipient's own `name`.
 */
export class MailerSendBackend extends HttpBackend<MailerSendOptions> {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...HTTP_OPTIONS,
      apiKey: keyOption(
        "an API token of MailerSend, which begins with 'mlsn.'",
        /^(?:mlsn\.\w+|eyJ[\w-]+\.[\w-]+\.[\w-]+)$/, // older ones are JSON Web Tokens
        { name: 'MAILERSEND_API_KEY', example: 'mlsn.0123456789abcdef' },
      ),
    }) satisfies OptionTable<MailerSendOptions>)();

  static override readonly about: string = 'sends over HTTPS through MailerSend';
  /** What MailerSend carries. */
  static override readonly carries: Carries = {
    tags: true,
    metadata: false,
    trackOpens: true,
    trackClicks: true,
    priority: false, // headers need a plan for that
    idempotencyKey: false,
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
    severalReplyTo: false,
  };

  override readonly name = 'mailersend';

  /** @internal */
  protected override async load(options: MailerSendOptions): Promise<Provider> {
    const { mailersendProvider } = await import('./mailersend/provider.ts');
    return mailersendProvider(options);
  }
}
