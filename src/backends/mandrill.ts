import { HttpBackend } from '../http/http-backend.ts';
import { HTTP_OPTIONS, type HttpOptions, keyOption } from '../http/options.ts';
import type { Carries, Provider } from '../http/provider.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';

/** Options of {@link MandrillBackend}. */
export interface MandrillOptions extends HttpOptions {
  /** The key of the account; a test key checks mails and sends none; default: what MANDRILL_API_KEY says. */
  readonly apiKey?: string;
}

/**
 * Sends through Mailchimp Transactional, also known as Mandrill (https://mailchimp.com/developer/transactional/api/messages/); it
 * tells of each recipient.
 *
 * With `mergeData`, merge tags in subject, bodies and stored templates are the recipient's own variables.
 */
export class MandrillBackend extends HttpBackend<MandrillOptions> {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...HTTP_OPTIONS,
      apiKey: keyOption('a key of Mandrill, of at least 20 letters and digits', /^[\w-]{20,}$/, {
        name: 'MANDRILL_API_KEY',
        example: 'md-0123456789abcdefghij',
      }),
    }) satisfies OptionTable<MandrillOptions>)();

  static override readonly about: string = 'sends over HTTPS through Mandrill (Mailchimp Transactional)';
  /** What Mandrill carries. */
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
    nonAsciiLocalPart: false,
    envelopeSender: false, // its domain alone could be said
    sendAt: true,
    alternatives: false,
    inlineAttachments: true,
    severalReplyTo: true,
  };

  override readonly name = 'mandrill';

  /** @internal */
  protected override async load(options: MandrillOptions): Promise<Provider> {
    const { mandrillProvider } = await import('./mandrill/provider.ts');
    return mandrillProvider(options);
  }
}
