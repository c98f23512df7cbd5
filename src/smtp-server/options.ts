import { createSecureContext } from 'node:tls';
import { ConfigurationError } from '../errors.ts';
import { AUTH_EXCHANGES, type AuthMechanism } from './auth.ts';
import { type Certificate, generateCertificate } from './certificate.ts';
import { EXTENSIONS, type Extension } from './extensions.ts';
import type { SmtpServerHooks } from './hooks.ts';

/** How a receiver listens and what it offers. */
export interface SmtpServerSettings {
  /** The address to listen on. Default `127.0.0.1`: nobody else reaches it. */
  readonly host?: string;
  /** The port to listen on. Default 0: a free one. */
  readonly port?: number;
  /** The server's name in its greeting. Default `localhost`. */
  readonly name?: string;
  /** Speaks LMTP (RFC 2033). Default false. */
  readonly lmtp?: boolean;
  /** PEM key and certificate; `generate` makes one for localhost (needs the package `node-forge`). Without it there is no TLS. */
  readonly tls?: Certificate | 'generate';
  /** Begins TLS with the first octet, as port 465 does, instead of STARTTLS. Default false. */
  readonly implicitTls?: boolean;
  /** The ESMTP extensions to offer. Default all; STARTTLS and REQUIRETLS only when `tls` is given. */
  readonly extensions?: readonly Extension[];
  /** The mechanisms to offer when `onAuth` exists. Default all. */
  readonly authMechanisms?: readonly AuthMechanism[];
  /** Offers AUTH on a connection without TLS too. Default true only when there is no `tls`. */
  readonly allowInsecureAuth?: boolean;
  /** Octets a mail may have. Default 52,428,800. */
  readonly maxSize?: number;
  /** Recipients a mail may have; more get 452. Default 1,000. */
  readonly maxRecipients?: number;
  /** Connections at once; more get 421. Default 1,000. */
  readonly maxConnections?: number;
  /** Milliseconds of silence after which a connection gets 421. Default 300,000 (RFC 5321, section 4.5.3.2.7). */
  readonly idleTimeoutMs?: number;
  /** Refuses clients that send more than RFC 2920 allows before they have the answer. Default false. */
  readonly strictPipelining?: boolean;
  /** What happens to content with a CR or LF that stands alone: `refuse` (550) or `keep`. Default `refuse`. */
  readonly bareNewlines?: 'refuse' | 'keep';
}

/** How a receiver listens, what it offers and what it decides. */
export interface SmtpServerOptions extends SmtpServerSettings, SmtpServerHooks {}

/** {@link SmtpServerOptions} with every default filled in. */
export interface ResolvedSmtpServerOptions extends SmtpServerHooks {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly lmtp: boolean;
  readonly implicitTls: boolean;
  /** A SecureContext of node:tls; named by its shape, as these types must work without those of Node. */
  readonly secureContext: { readonly context: unknown } | null;
  readonly certificate: string | null;
  readonly extensions: ReadonlySet<Extension>;
  readonly authMechanisms: readonly AuthMechanism[];
  readonly allowInsecureAuth: boolean;
  readonly maxSize: number;
  readonly maxRecipients: number;
  readonly maxConnections: number;
  readonly idleTimeoutMs: number;
  readonly strictPipelining: boolean;
  readonly bareNewlines: 'refuse' | 'keep';
}

/**
 * Fills in the defaults and makes the certificate that is asked for.
 *
 * @throws ConfigurationError `missing-option` when implicit TLS has no certificate, `invalid-option` for an unknown
 * extension or mechanism, `missing-dependency` when a certificate cannot be made
 */
export async function resolveSmtpServerOptions(options: SmtpServerOptions): Promise<ResolvedSmtpServerOptions> {
  const { tls } = options;
  const certificate = tls === 'generate' ? await generateCertificate() : (tls ?? null);
  const implicitTls = options.implicitTls ?? false;
  if (implicitTls && certificate === null)
    throw new ConfigurationError(
      'missing-option',
      "implicitTls needs a certificate: give tls {key, cert} or 'generate'",
    );
  const extensions = new Set(oneOf('extensions', options.extensions ?? EXTENSIONS, EXTENSIONS));
  if (certificate === null) {
    extensions.delete('STARTTLS');
    extensions.delete('REQUIRETLS');
  }
  const mechanisms = Object.keys(AUTH_EXCHANGES) as AuthMechanism[]; // the record's keys are exactly that union
  return {
    ...options,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    name: options.name ?? 'localhost',
    lmtp: options.lmtp ?? false,
    implicitTls,
    secureContext: certificate === null ? null : createSecureContext({ ...certificate, minVersion: 'TLSv1.2' }),
    certificate: certificate?.cert ?? null,
    extensions,
    authMechanisms:
      options.onAuth === undefined ? [] : oneOf('authMechanisms', options.authMechanisms ?? mechanisms, mechanisms),
    allowInsecureAuth: options.allowInsecureAuth ?? certificate === null,
    maxSize: options.maxSize ?? 52_428_800,
    maxRecipients: options.maxRecipients ?? 1000,
    maxConnections: options.maxConnections ?? 1000,
    idleTimeoutMs: options.idleTimeoutMs ?? 300_000,
    strictPipelining: options.strictPipelining ?? false,
    bareNewlines: options.bareNewlines ?? 'refuse',
  };
}

function oneOf<T extends string>(option: string, given: readonly T[], known: readonly T[]): readonly T[] {
  const wrong = given.find((name) => !known.includes(name));
  if (wrong !== undefined)
    throw new ConfigurationError('invalid-option', `${option}: ${wrong} is not one of ${known.join(', ')}`);
  return given;
}
