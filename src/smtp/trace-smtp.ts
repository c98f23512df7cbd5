import { type TraceContext, Tracer, tracedError } from '../options/tracer.ts';
import type { ResolvedSmtpOptions } from './options.ts';
import type { RecipientOutcome, Submission } from './queue/delivery.ts';
import type { Session } from './session/session.ts';

/** What `amsdal-mail:smtp` reports: `connect`, a session from the connection to the login; `deliver`, a message from the queue to the last reply. */
export interface SmtpTrace extends TraceContext {
  readonly operation: 'connect' | 'deliver';
  readonly host: string;
  readonly port: number;
  /** The TLS version of a session; null for none. */
  tls: string | null;
  /** Recipients of a message; null for a session. */
  readonly recipients: number | null;
  /** Recipients that the server took; null until it is known. */
  accepted: number | null;
}

const tracer: Tracer<SmtpTrace> = /* @__PURE__ */ new Tracer('amsdal-mail:smtp');

/** Traces the opening of a session while the channel has subscribers. */
export function traceConnect(options: ResolvedSmtpOptions, open: () => Promise<Session>): Promise<Session> {
  if (!tracer.isActive) return open();
  const context = smtpTrace('connect', options, null);
  return tracer.trace(context, open, (session) => {
    context.tls = session?.tls ?? null;
  });
}

/** The submission, traced while the channel has subscribers. */
export function traceSubmission(options: ResolvedSmtpOptions, submission: Submission): Submission {
  if (!tracer.isActive) return submission;
  const { envelope, beforeCommit } = submission;
  const context = smtpTrace('deliver', options, envelope.recipients.length);
  const settle = (outcomes: readonly RecipientOutcome[]): void => {
    context.accepted = outcomes.filter(({ error }) => error === null).length;
    const [first] = outcomes;
    if (context.accepted === 0 && first?.error) context.error = tracedError(first.error);
    tracer.end(context);
    submission.settle(outcomes);
  };
  const compose: Submission['compose'] = (capabilities) => submission.compose(capabilities);
  const contentTexts: Submission['contentTexts'] = () => submission.contentTexts();
  return tracer.begin(context, () => ({
    envelope,
    compose,
    contentTexts,
    settle,
    ...(beforeCommit && { beforeCommit }),
  }));
}

function smtpTrace(
  operation: SmtpTrace['operation'],
  { host, port }: ResolvedSmtpOptions,
  recipients: number | null,
): SmtpTrace {
  return { operation, host, port, tls: null, recipients, accepted: null, error: null };
}
