import {
  type ConnectionErrorCode,
  EmailConnectionError,
  EmailError,
  SendError,
  type SendErrorCode,
} from '../../model/errors.ts';

/** A failure by its code; omitted facts are as usual for that code. */
export interface PlannedFailure {
  /** The code of the error, which decides its class. */
  readonly code: ConnectionErrorCode | SendErrorCode;
  /** The text of the error. */
  readonly message?: string;
  /** Whether a later try may succeed. */
  readonly retryable?: boolean;
}

const CONNECTION: ReadonlySet<string> = new Set<ConnectionErrorCode>([
  'dns',
  'refused',
  'unreachable',
  'timeout',
  'closed',
  'greeting',
  'protocol',
  'tls',
  'certificate',
  'starttls-unavailable',
  'auth',
  'auth-unavailable',
  'insecure-auth',
  'connection',
]);
const RETRYABLE: ReadonlySet<string> = new Set<PlannedFailure['code']>([
  ...(['refused', 'unreachable', 'timeout', 'closed', 'aborted'] as const),
  ...(['temporary', 'throttled'] as const),
]);

/** The error for a plan: an EmailConnectionError when both classes have the code. */
export function plannedError(plan: EmailError | PlannedFailure): EmailError {
  if (plan instanceof EmailError) return plan;
  const { code, message = `the inbox was told to fail with ${code}`, retryable = RETRYABLE.has(code) } = plan;
  if (isConnectionCode(code)) return new EmailConnectionError(code, message, { retryable });
  return new SendError(code, message, {
    retryable,
    outcome: code === 'uncertain' || code === 'duplicate' ? 'unknown' : 'not-sent',
  });
}

function isConnectionCode(code: PlannedFailure['code']): code is Exclude<ConnectionErrorCode, 'aborted'> {
  return CONNECTION.has(code);
}
