/** How many connections a pool has, and what it did. */
export interface PoolStats {
  readonly connecting: number;
  readonly idle: number;
  readonly busy: number;
  /** Messages that wait for a connection. */
  readonly queued: number;
  /** Messages that were handed to a connection and are unanswered. */
  readonly inFlight: number;
  /** Connections opened so far. */
  readonly opened: number;
}
