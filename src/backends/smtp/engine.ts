import type { Verification } from '../../backend.ts';
import type { DeliveryContext, DeliveryResult, Job } from '../../delivery.ts';
import type { ComposeOptions } from '../../mime/composition.ts';
import type { ResolvedSmtpOptions } from '../../smtp/options.ts';
import { peerCertificate } from '../../smtp/peer-certificate.ts';
import { Pool } from '../../smtp/pool.ts';
import type { PoolStats } from '../../smtp/pool-stats.ts';
import { openSession } from '../../smtp/session.ts';
import { SmtpCall } from './call.ts';

const NEVER: AbortSignal = new AbortController().signal;

/** What of the smtp backend is loaded with its first connection: composer, pool and sessions. */
export class SmtpEngine {
  readonly #options: ResolvedSmtpOptions;
  readonly #compose: ComposeOptions;
  readonly #pool: Pool;

  constructor(options: ResolvedSmtpOptions, compose: ComposeOptions) {
    this.#options = options;
    this.#compose = compose;
    this.#pool = new Pool(options);
  }

  get stats(): PoolStats {
    return this.#pool.stats;
  }

  deliver(jobs: AsyncIterable<Job>, context: DeliveryContext): AsyncIterable<DeliveryResult> {
    return new SmtpCall(this.#pool, this.#options, this.#compose, jobs, context);
  }

  connect(signal: AbortSignal = NEVER): Promise<void> {
    return this.#pool.warm(signal);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** Opens a session of its own, and tells what it met. */
  async verify(signal: AbortSignal = NEVER): Promise<Verification['details']> {
    const terms = { logins: this.#pool.logins, isFresh: true };
    const { wire, server, tls, authMethod, capabilities } = await openSession(this.#options, signal, terms);
    const certificate = peerCertificate(wire.socket);
    wire.hangUp();
    const { pipelining, chunking, eightBitMime, smtpUtf8, dsn, maxSize } = capabilities;
    return {
      server,
      proxy: this.#options.proxy?.name ?? null,
      tls,
      certificateSubject: certificate?.subject ?? null,
      certificateIssuer: certificate?.issuer ?? null,
      certificateNames: certificate?.names ?? null,
      certificateExpires: certificate?.expires ?? null,
      authMethod,
      pipelining,
      chunking,
      eightBitMime,
      smtpUtf8,
      dsn,
      maxSize,
    };
  }
}
