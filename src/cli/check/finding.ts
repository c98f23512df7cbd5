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
  /** Whether it may be over later by itself. */
  readonly isTemporary: boolean;
}

export function ok(area: Area, message: string): Finding {
  return { area, level: 'ok', message, fix: null, isTemporary: false };
}

export function warning(area: Area, message: string, fix: string): Finding {
  return { area, level: 'warning', message, fix, isTemporary: false };
}

export function fault(area: Area, message: string, fix: string, isTemporary = false): Finding {
  return { area, level: 'error', message, fix, isTemporary };
}
