import { EmailError, type ErrorCode } from '../../errors.ts';

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

/** One line of what `check` found out. */
export interface Finding {
  readonly area: Area;
  /** `error`: mail is not sent, or not believed; `warning`: it is, but not as it should be. */
  readonly level: 'ok' | 'warning' | 'error';
  readonly message: string;
  /** What to do about it; null when all is well. */
  readonly fix: string | null;
  /** The code of the error that told it, of an EmailError or of Node's DNS; null when it was seen without one. */
  readonly code: string | null;
  /** Whether it may be over later by itself. */
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

/** What an error of this library means; one of another kind is a fault of the program, and thrown on. */
export function faultOf(area: Area, error: unknown, fixes: Partial<Record<ErrorCode, string>> = {}): Finding {
  if (!(error instanceof EmailError)) throw error;
  const { code, message, retryable: isTemporary } = error;
  return fault(area, message, fixes[code] ?? `docs/status-and-errors.md tells the causes of ${code}`, {
    code,
    isTemporary,
  });
}
