/** Mails in a row that one connection must deliver before a server that closed one early is trusted again. */
const TRUSTED_AFTER = 10;
/** The most servers remembered; beyond it, the one met first is forgotten. */
const MAX_RECORDS = 1_000;

const records = new Map<string, ServerRecord>();

/**
 * What this process has learned of one server, for all connections to it.
 *
 * How many mails may be unanswered at once (the window) grows with every final reply and is 1 again after a loss, so that
 * a server that closes connections leaves few mails in doubt, once.
 */
export class ServerRecord {
  /** Whether BDAT works; a server that offers CHUNKING may stand behind a filter that does not. */
  takesBdat = true;
  /** Whether RSET was ever answered with something other than 250. */
  refusesReset = false;
  /** Whether BDAT was refused and no RSET has been answered with 250 since. */
  mayMisreadBdat = false;
  #isCautious = false;
  #finalReplies = 0;

  /** Whether it said 421, or a connection broke, and it has not proved reliable since: content waits for a go-ahead. */
  get isCautious(): boolean {
    return this.#isCautious;
  }

  /** The most mails of a connection that may be unanswered; the very first reply does not raise it. */
  get window(): number {
    return this.#isCautious ? 1 : Math.max(1, this.#finalReplies);
  }

  /** Whether content may be sent with its commands; for a cautious record it waits for a go-ahead. */
  get mayUseBdat(): boolean {
    return this.takesBdat && !this.#isCautious;
  }

  /**
   * Whether it may even after a mail that is unanswered, once RSET has worked on the connection: without RSET the content
   * could reach that mail's recipients.
   */
  get mayUseBdatUnseen(): boolean {
    return this.mayUseBdat && !this.refusesReset && !this.mayMisreadBdat;
  }

  /** Records a final reply; `goneWell` counts the mails in a row that were accepted on its connection. */
  onFinalReply(goneWell: number): void {
    if (!this.#isCautious) this.#finalReplies++;
    else if (goneWell >= TRUSTED_AFTER) this.#isCautious = false;
  }

  /** Records a 421, or a connection that broke with mails in flight. */
  onLoss(): void {
    this.#isCautious = true;
    this.#finalReplies = 0;
  }
}

/** The record of the server at this location, the proxy included: through one it may be another server that has that name. */
export function recordOf(address: string): ServerRecord {
  let record = records.get(address);
  if (!record) {
    const [oldest] = records.keys();
    if (records.size >= MAX_RECORDS && oldest !== undefined) records.delete(oldest);
    record = new ServerRecord();
    records.set(address, record);
  }
  return record;
}

/** Forgets every server, as a new process would. @internal */
export function forgetServers(): void {
  records.clear();
}
