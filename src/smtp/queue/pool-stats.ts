/** How many connections a pool has, and what they do. */
export interface PoolStats {
  /** Connections that are being opened. */
  readonly connecting: number;
  /** Connections that wait for a message. */
  readonly idle: number;
  /** Connections that have messages in flight. */
  readonly busy: number;
  /** Messages that wait for a connection. */
  readonly queued: number;
  /** Messages that were handed to a connection and are unanswered. */
  readonly inFlight: number;
  /** Connections opened so far. */
  readonly opened: number;
}
