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

/** `error`: some readers see it broken; `warning`: it is worse than it could be; `info`: worth knowing. */
export type LintSeverity = 'error' | 'warning' | 'info';

/** One thing that readers or filters will hold against a message. */
export interface LintFinding {
  /** What was found, to decide by. */
  readonly id: LintId;
  /** How much it matters. */
  readonly severity: LintSeverity;
  /** What is the matter. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
  /** Where: the links, images, names or lines concerned, the first ten of them. */
  readonly places: readonly string[];
}

const MAX_PLACES = 10;

/** A finding with its places cut to what can be read. */
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
