import { ConfigurationError } from '../model/errors.ts';
import { isProduction } from '../options/environment.ts';
import type { Certificate } from '../smtp-server/certificate.ts';
import type { ChaosSettings } from './catch/chaos.ts';
import type { ReleaseOptions } from './release.ts';

/** Lets a backend recognise a mailbox that is already running on the port. */
export const MAILBOX_NAME = 'amsdal-mailbox';

/** Options of a development mailbox. */
export interface MailboxOptions {
  /** The address both servers listen on; default `127.0.0.1`, which other machines cannot reach. */
  readonly host?: string;
  /** The port of the page and the API, 0 for any free one; default 8025. */
  readonly port?: number;
  /** The port of the SMTP receiver, 0 for any free one, null for no receiver; default 1025. */
  readonly smtpPort?: number | null;
  /** PEM key and certificate for STARTTLS; default one made for localhost, when the package node-forge is installed. */
  readonly tls?: Certificate;
  /** Further host names of the page, such as `mail.test` or `mail.test:8080`; requests with any other Host are refused. */
  readonly allowedHosts?: readonly string[];
  /** The folder where mails are kept as .eml files across restarts; default none, they are kept in memory. */
  readonly folder?: string;
  /** How many mails are kept, the newest; default 10,000. */
  readonly maxMessages?: number;
  /** How many bytes of mails and of their list entries are kept, the newest; default 268,435,456. */
  readonly maxBytes?: number;
  /** How many bytes one mail may have; default 52,428,800. */
  readonly maxSize?: number;
  /** The folder of templates with a `preview()`, which need not exist; default `emails`. */
  readonly previews?: string;
  /** Failures to simulate from the start; they can be changed in the page; default none. */
  readonly chaos?: Partial<ChaosSettings>;
  /** Lets caught mails be sent on; default none. */
  readonly release?: ReleaseOptions;
  /** Starts even where NODE_ENV is `production`; default false. */
  readonly allowProduction?: boolean;
}

/** {@link MailboxOptions} with the defaults filled in. */
export interface ResolvedMailboxOptions {
  readonly host: string;
  readonly port: number;
  readonly smtpPort: number | null;
  readonly tls: Certificate | undefined;
  readonly allowedHosts: readonly string[];
  readonly folder: string | null;
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly maxSize: number;
  readonly previews: string;
  readonly chaos: Partial<ChaosSettings>;
  readonly release: ReleaseOptions | null;
}

/**
 * Fills in the defaults.
 *
 * @throws {ConfigurationError} `invalid-option` for a number out of range, and in production without `allowProduction`.
 */
export function resolveMailboxOptions(options: MailboxOptions): ResolvedMailboxOptions {
  if (isProduction() && options.allowProduction !== true) {
    throw new ConfigurationError(
      'invalid-option',
      'the mailbox catches every mail instead of sending it, and NODE_ENV is production: choose another backend, or say allowProduction: true',
    );
  }
  const smtpPort = options.smtpPort === undefined ? 1025 : options.smtpPort;
  return {
    host: options.host ?? '127.0.0.1',
    port: inRange('port', options.port ?? 8025, 0, 65_535),
    smtpPort: smtpPort === null ? null : inRange('smtpPort', smtpPort, 0, 65_535),
    tls: options.tls,
    allowedHosts: options.allowedHosts ?? [],
    folder: options.folder ?? null,
    maxMessages: inRange('maxMessages', options.maxMessages ?? 10_000, 1, 1_000_000),
    maxBytes: inRange('maxBytes', options.maxBytes ?? 268_435_456, 1, Number.MAX_SAFE_INTEGER),
    maxSize: inRange('maxSize', options.maxSize ?? 52_428_800, 1, 1_073_741_824),
    previews: options.previews ?? 'emails',
    chaos: options.chaos ?? {},
    release: options.release ?? null,
  };
}

/** The URL of the page of a mailbox that listens on this address and port. */
export function pageUrl(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new ConfigurationError('invalid-option', `mailbox: ${name} must be an integer from ${least} to ${most}`);
}
