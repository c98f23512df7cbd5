import { HttpBackend } from '../http/http-backend.ts';
import { HTTP_OPTIONS, type HttpOptions, keyOption } from '../http/options.ts';
import type { Carries, Provider } from '../http/provider.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';

/** Options of {@link SparkPostBackend}. */
export interface SparkPostOptions extends HttpOptions {
  /** An API key that may make transmissions, 40 hexadecimal digits; default: what SPARKPOST_API_KEY says. */
  readonly apiKey?: string;
  /** Where the account is; default `us`. */
  readonly region?: 'us' | 'eu';
  /** The subaccount that sends, with a key of the account it belongs to. */
  readonly subaccount?: number;
  /** Whether mails are transactional, so that SparkPost makes no header for unsubscribing and keeps that of the message; default false. */
  readonly transactional?: boolean;
}

/**
 * Sends through SparkPost (https://developers.sparkpost.com/api/transmissions/); `queued` is all that it says.
 *
 * With variables, `{{name}}` in subject and bodies is the recipient's own `name`.
 */
export class SparkPostBackend extends HttpBackend<SparkPostOptions> {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...HTTP_OPTIONS,
      apiKey: keyOption('an API key of SparkPost, 40 hexadecimal digits', /^[\da-f]{40}$/i, {
        name: 'SPARKPOST_API_KEY',
        example: '0123456789abcdef0123456789abcdef01234567',
      }),
      region: { type: 'enum', values: ['us', 'eu'], default: 'us' },
      subaccount: { type: 'integer', min: 1 },
      transactional: { type: 'boolean', default: false },
    }) satisfies OptionTable<SparkPostOptions>)();

  static override readonly about: string = 'sends over HTTPS through SparkPost';
  /** What SparkPost carries. */
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
    envelopeSender: true,
    sendAt: true,
    alternatives: false,
    inlineAttachments: true,
    severalReplyTo: true,
  };

  override readonly name = 'sparkpost';

  /** @internal */
  protected override async load(options: SparkPostOptions): Promise<Provider> {
    const { sparkpostProvider } = await import('./sparkpost/provider.ts');
    return sparkpostProvider(options);
  }
}
