/** What a {@link LintFinding} is about. */
export type LintId =
  | 'no-subject'
  | 'no-text'
  | 'html-size'
  | 'image-alt'
  | 'image-size'
  | 'http-link'
  | 'script'
  | 'event-handler'
  | 'script-link'
  | 'cid-without-part'
  | 'part-without-cid'
  | 'filename-type'
  | 'unsubscribe-missing'
  | 'unsubscribe-malformed'
  | 'long-line';

/** `error`: broken for some readers; `warning`: worse than it could be; `info`: worth knowing. */
export type LintSeverity = 'error' | 'warning' | 'info';

/** One problem of a message, for its readers or for filters. */
export interface LintFinding {
  /** Identifies the kind of problem. */
  readonly id: LintId;
  /** How much it matters. */
  readonly severity: LintSeverity;
  /** The problem, in words. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
  /** The first ten links, images, names or lines concerned. */
  readonly places: readonly string[];
}

const MAX_PLACES = 10;

/** Makes a finding, its places shortened. */
export function finding(
  id: LintId,
  severity: LintSeverity,
  message: string,
  fix: string,
  places: readonly string[] = [],
): LintFinding {
  const shown = places.slice(0, MAX_PLACES).map((place) => (place.length > 200 ? `${place.slice(0, 199)}…` : place));
  return { id, severity, message, fix, places: shown };
}

/** The {@link finding} for these places; none when there are no places. */
export function findings(...args: Required<Parameters<typeof finding>>): readonly LintFinding[] {
  const [, , , , places] = args;
  return places.length === 0 ? [] : [finding(...args)];
}
