import { ConfigurationError } from '../errors.ts';
import { isProduction } from '../settings.ts';
import type { Certificate } from '../smtp-server/certificate.ts';
import type { ChaosSettings } from './chaos.ts';
import type { ReleaseOptions } from './release.ts';

/** By this a mailbox backend knows that what listens on the port is a mailbox. */
export const MAILBOX_NAME = 'amsdal-mailbox';

/** How a development mailbox listens, what it keeps and what it lets happen. */
export interface MailboxOptions {
  /** The address both servers listen on. Default `127.0.0.1`: nobody else reaches them. */
  readonly host?: string;
  /** The port of the page and the API; 0 is a free one. Default 8025. */
  readonly port?: number;
  /** The port of the SMTP receiver; 0 is a free one, null means none. Default 1025. */
  readonly smtpPort?: number | null;
  /** PEM key and certificate for STARTTLS. Default one made for localhost, when the package node-forge is installed. */
  readonly tls?: Certificate;
  /** More names that the page may be opened by, such as `mail.test` or `mail.test:8080`; any other Host is refused. */
  readonly allowedHosts?: readonly string[];
  /** Keeps the mails as .eml files in this folder, also for the next start. Default: in memory. */
  readonly folder?: string;
  /** Mails to keep; then the oldest give way. Default 10,000. */
  readonly maxMessages?: number;
  /** Bytes to keep, of the mails and of what is listed of them; then the oldest give way. Default 268,435,456. */
  readonly maxBytes?: number;
  /** Bytes one mail may have. Default 52,428,800. */
  readonly maxSize?: number;
  /** The folder of templates with a `preview()`. Default `emails`; it need not exist. */
  readonly previews?: string;
  /** What goes wrong on purpose, for a start; it can be changed in the page. */
  readonly chaos?: Partial<ChaosSettings>;
  /** Lets caught mails be sent on. Default: they cannot be. */
  readonly release?: ReleaseOptions;
  /** Starts even though NODE_ENV is `production`. Default false. */
  readonly allowProduction?: boolean;
}

/** {@link MailboxOptions} with every default filled in. */
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
 * @throws {ConfigurationError} `invalid-option` for a number out of range, and in production without `allowProduction`
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

function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new ConfigurationError('invalid-option', `mailbox: ${name} must be an integer from ${least} to ${most}`);
}
