import { EmailError, type ErrorCode } from '../../model/errors.ts';

/** What a {@link Finding} is about. */
export type Area =
  | 'configuration'
  | 'dns'
  | 'connect'
  | 'tls'
  | 'login'
  | 'server'
  | 'sender'
  | 'spf'
  | 'dkim'
  | 'dmarc';

/** One line of the report of `check`. */
export interface Finding {
  readonly area: Area;
  /** `error`: mail is not sent, or not trusted by receivers; `warning`: it is, but something should be improved. */
  readonly level: 'ok' | 'warning' | 'error';
  readonly message: string;
  /** What to change; null when all is well. */
  readonly fix: string | null;
  /** The code of the underlying error, of an EmailError or of Node's DNS; null when there was none. */
  readonly code: string | null;
  /** Whether it may go away by itself. */
  readonly isTemporary: boolean;
}

export function ok(area: Area, message: string): Finding {
  return { area, level: 'ok', message, fix: null, code: null, isTemporary: false };
}

export function warning(area: Area, message: string, fix: string): Finding {
  return { area, level: 'warning', message, fix, code: null, isTemporary: false };
}

export function fault(
  area: Area,
  message: string,
  fix: string,
  { code = null, isTemporary = false }: { readonly code?: string | null; readonly isTemporary?: boolean } = {},
): Finding {
  return { area, level: 'error', message, fix, code, isTemporary };
}

/** The finding for an error of this library; rethrows any other, which is a bug. */
export function faultOf(area: Area, error: unknown, fixes: Partial<Record<ErrorCode, string>> = {}): Finding {
  if (!(error instanceof EmailError)) throw error;
  const { code, message, retryable: isTemporary } = error;
  return fault(area, message, fixes[code] ?? `docs/status-and-errors.md lists the causes of ${code}`, {
    code,
    isTemporary,
  });
}
