import { HttpBackend } from '../http/http-backend.ts';
import { HTTP_OPTIONS, type HttpOptions, keyOption } from '../http/options.ts';
import type { Carries, Provider } from '../http/provider.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';

/** Options of {@link PostmarkBackend}. */
export interface PostmarkOptions extends HttpOptions {
  /** The token of the server; `POSTMARK_API_TEST` checks mails and sends none; default: what POSTMARK_SERVER_TOKEN says. */
  readonly serverToken?: string;
  /** The message stream; default: Postmark's, `outbound`. */
  readonly messageStream?: string;
}

/** Sends through Postmark (https://postmarkapp.com/developer/api/email-api); `sent` means that it took the mail. */
export class PostmarkBackend extends HttpBackend<PostmarkOptions> {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...HTTP_OPTIONS,
      serverToken: keyOption(
        'the token of a server of Postmark, a UUID',
        /^(?:[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|POSTMARK_API_TEST)$/i,
        { name: 'POSTMARK_SERVER_TOKEN', example: '11111111-2222-3333-4444-555555555555' },
      ),
      messageStream: { type: 'string', default: 'outbound' },
    }) satisfies OptionTable<PostmarkOptions>)();

  static override readonly about: string = 'sends over HTTPS through Postmark';
  static override readonly smtpPreset: string | null = 'postmark-smtp';
  static override readonly required: readonly string[] = ['serverToken'];
  /** What Postmark carries. */
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
    sendAt: false,
    alternatives: false,
    inlineAttachments: true,
    severalReplyTo: true,
  };

  override readonly name = 'postmark';

  /** @internal */
  protected override async load(options: PostmarkOptions): Promise<Provider> {
    const { postmarkProvider } = await import('./postmark/provider.ts');
    return postmarkProvider(options);
  }
}
