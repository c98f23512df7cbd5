import { HttpBackend } from '../http/http-backend.ts';
import { HTTP_OPTIONS, type HttpOptions, keyOption } from '../http/options.ts';
import type { Carries, Provider } from '../http/provider.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';

/** Options of {@link SendGridBackend}. */
export interface SendGridOptions extends HttpOptions {
  /** The key, `SG....`, with the scope `mail.send`; default: what SENDGRID_API_KEY says. */
  readonly apiKey?: string;
  /** Where the account is; default `global`. */
  readonly region?: 'global' | 'eu';
  /** Has SendGrid check mails and send none (https://www.twilio.com/docs/sendgrid/for-developers/sending-email/sandbox-mode); default false. */
  readonly sandbox?: boolean;
}

/**
 * Sends through Twilio SendGrid (https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send); `queued` is all that it says.
 *
 * `mergeData` fills dynamic templates, one personalization for each of `to`.
 */
export class SendGridBackend extends HttpBackend<SendGridOptions> {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...HTTP_OPTIONS,
      apiKey: keyOption("a key of SendGrid, which begins with 'SG.'", /^SG\.[\w.-]+$/, {
        name: 'SENDGRID_API_KEY',
        example: 'SG.abc.def',
      }),
      region: { type: 'enum', values: ['global', 'eu'], default: 'global' },
      sandbox: { type: 'boolean', default: false },
    }) satisfies OptionTable<SendGridOptions>)();

  static override readonly about: string = 'sends over HTTPS through Twilio SendGrid';
  static override readonly smtpPreset: string | null = 'sendgrid-smtp';
  /** What SendGrid carries. */
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
    envelopeSender: false,
    sendAt: true,
    alternatives: true,
    inlineAttachments: true,
    severalReplyTo: true,
  };

  override readonly name = 'sendgrid';

  /** @internal */
  protected override async load(options: SendGridOptions): Promise<Provider> {
    const { sendgridProvider } = await import('./sendgrid/provider.ts');
    return sendgridProvider(options);
  }
}
