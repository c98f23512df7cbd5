import type { Verification } from '../../backend/backend.ts';
import type { DeliveryContext, DeliveryResult, Job } from '../../backend/job.ts';
import type { ComposeOptions } from '../../mime/compose/composition.ts';
import { dkimSigner } from '../../mime/compose/dkim.ts';
import type { DkimKey } from '../../mime/compose/dkim-keys.ts';
import { loginHintFor } from '../../net/login-hints.ts';
import type { ResolvedSmtpOptions } from '../../smtp/options.ts';
import { Pool } from '../../smtp/queue/pool.ts';
import { verify } from '../../smtp/session/verify.ts';
import { SmtpCall } from './call.ts';

/** What a mail is given besides the headers that it has. */
export interface WrittenHeaders {
  readonly tagHeaders: boolean;
  /** Null: it is not signed. */
  readonly dkim: readonly DkimKey[] | null;
}

/** What the smtp backend loads with its first connection: composer, pool and sessions. */
export interface SmtpEngine {
  readonly pool: Pool;
  deliver(jobs: AsyncIterable<Job>, context: DeliveryContext): AsyncIterable<DeliveryResult>;
  /** Opens a session of its own, and reports what it met. */
  verify(signal: AbortSignal | undefined): Promise<Verification['details']>;
}

export function createEngine(given: ResolvedSmtpOptions, { tagHeaders, dkim }: WrittenHeaders): SmtpEngine {
  const options = withLoginHint(given);
  const compose: ComposeOptions = { tagHeaders, ...(dkim && { dkim: dkimSigner(dkim) }) };
  const pool = new Pool(options);
  return {
    pool,
    deliver: (jobs, context) => new SmtpCall(pool, options, compose, jobs, context),
    verify: (signal) => verify(options, pool.logins, signal),
  };
}

/** The presets know what a refused login usually means at this host. */
function withLoginHint(options: ResolvedSmtpOptions): ResolvedSmtpOptions {
  const { credentials, host } = options;
  return credentials === null ? options : { ...options, credentials: { ...credentials, hint: loginHintFor(host) } };
}
