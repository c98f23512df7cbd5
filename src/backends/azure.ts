import { HttpBackend } from '../http/http-backend.ts';
import { HTTP_OPTIONS, type HttpOptions, refuseInTheClear } from '../http/options.ts';
import type { Carries, Provider } from '../http/provider.ts';
import { checkTokenOptions, tokenOptions } from '../http/token-options.ts';
import { ConfigurationError } from '../model/errors.ts';
import type { AccessToken } from '../net/access-token.ts';
import type { OAuth2Options } from '../net/oauth-options.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';
import { endpointUrl, isAccessKey, isEndpoint, readConnectionString } from './azure/connection-string.ts';

export type { AccessToken } from '../net/access-token.ts';
export type { OAuth2ClientOptions, OAuth2Options, OAuth2RefreshOptions } from '../net/oauth-options.ts';

/** Options of {@link AzureBackend}. */
export interface AzureOptions extends HttpOptions {
  /** Endpoint and key of the resource, `endpoint=https://...;accesskey=...`; default: what AZURE_COMMUNICATION_CONNECTION_STRING says. */
  readonly connectionString?: string;
  /** The address of the resource, as `https://shop.communication.azure.com`, instead of `connectionString`; http for a host of this machine only. */
  readonly endpoint?: string;
  /** The key of the resource, beside `endpoint`. */
  readonly accessKey?: string;
  /** A token of Microsoft Entra, or a function that gets one for each request, beside `endpoint`; it is asked again, once, when one is refused. */
  readonly accessToken?: AccessToken;
  /** Where to get such tokens, beside `endpoint`; their scope is `https://communication.azure.com/.default`. */
  readonly oauth2?: OAuth2Options;
}

/**
 * Sends through Azure Communication Services (https://learn.microsoft.com/rest/api/communication/email/email/send); `queued` is all
 * that it says.
 */
export class AzureBackend extends HttpBackend<AzureOptions> {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...HTTP_OPTIONS,
      ...tokenOptions(),
      connectionString: {
        type: 'custom',
        expected: "a connection string, 'endpoint=https://...;accesskey=...'",
        check: (value) => value === '' || (typeof value === 'string' && readConnectionString(value) !== null),
        parse: (text) => text,
        secret: true,
        variable: {
          name: 'AZURE_COMMUNICATION_CONNECTION_STRING',
          example: "'endpoint=https://shop.communication.azure.com/;accesskey=bm90LWEtcmVhbC1rZXk='",
        },
        part: 'login',
      },
      endpoint: {
        type: 'custom',
        expected: "the address of the resource, such as 'https://shop.communication.azure.com'",
        check: (value) => typeof value === 'string' && isEndpoint(value),
        parse: (text) => text,
        urlPart: 'host',
        part: 'address',
        replaces: ['connectionString'],
      },
      accessKey: {
        type: 'custom',
        expected: 'an access key, in base64',
        check: (value) => typeof value === 'string' && isAccessKey(value),
        parse: (text) => text,
        secret: true,
        urlPart: 'username',
        part: 'login',
        replaces: ['connectionString'],
      },
    }) satisfies OptionTable<AzureOptions>)();

  static override readonly about: string = 'sends over HTTPS through Azure Communication Services';
  static override readonly required: readonly (string | readonly string[])[] = [['connectionString', 'endpoint']];
  /** What Azure carries. */
  static override readonly carries: Carries = {
    tags: false,
    metadata: false,
    trackOpens: false, // of a domain, not of a mail
    trackClicks: false,
    priority: true,
    idempotencyKey: false, // it names the operation and is not said to keep a second one away
    templateId: false,
    mergeData: false,
    mergeGlobalData: false,
    dsn: false,
    requireTls: false,
    nonAsciiLocalPart: false,
    envelopeSender: false,
    sendAt: false,
    alternatives: false,
    inlineAttachments: true,
    severalReplyTo: true,
  };

  override readonly name = 'azure';

  /** @throws {ConfigurationError} `missing-option`, `unknown-option`, `invalid-option` or `conflicting-options` */
  constructor(options: AzureOptions = {}) {
    super(options);
    checkLogin(options);
    checkTokenOptions('azure', options);
    checkEndpoint(options);
  }

  /** @internal */
  protected override async load(options: AzureOptions): Promise<Provider> {
    const { azureProvider } = await import('./azure/provider.ts');
    return azureProvider(options);
  }
}

/** @throws {ConfigurationError} `invalid-option` for an address with http, where anybody could read key and mails */
function checkEndpoint(options: AzureOptions): void {
  const { connectionString, endpoint = '', baseUrl } = options;
  if (baseUrl !== undefined) return; // requests go there instead
  const option = connectionString ? 'connectionString' : 'endpoint';
  const resource = readConnectionString(connectionString ?? '');
  const where = connectionString ? 'the endpoint in connectionString' : option;
  refuseInTheClear('azure', option, resource?.endpoint ?? endpointUrl(endpoint), options, where);
}

/** @throws {ConfigurationError} `conflicting-options` for two ways to log in, `missing-option` for none */
function checkLogin({ connectionString, endpoint, accessKey, accessToken, oauth2 }: AzureOptions): void {
  const ways = Object.entries({ accessKey, accessToken, oauth2 }).filter(([, value]) => value);
  const [[option] = [null], second] = ways;
  if (connectionString) {
    const other = endpoint ? 'endpoint' : option;
    if (other === null) return;
    const text = `azure: connectionString has endpoint and key in it: leave ${other} out, or give endpoint without it`;
    throw new ConfigurationError('conflicting-options', text, { option: other, otherOptions: ['connectionString'] });
  }
  if (option === null) {
    const text = 'azure: accessKey is missing beside endpoint: give it, or accessToken or oauth2';
    throw new ConfigurationError('missing-option', text, { option: 'accessKey' });
  }
  if (accessKey && second) {
    const text = `azure: accessKey and ${second[0]} are two ways to log in: give one of them`;
    throw new ConfigurationError('conflicting-options', text, { option: 'accessKey', otherOptions: [second[0]] });
  }
}
