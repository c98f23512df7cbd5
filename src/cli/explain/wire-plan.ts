import type { EmailBackend } from '../../backend/backend.ts';
import type { EmailMessageInit } from '../../model/message-init.ts';
import type { SendStatus } from '../../model/status.ts';
import { EXTENSIONS, type Extension } from '../../smtp-server/extensions.ts';
import type { ReceivedMail } from '../../smtp-server/hooks.ts';
import { startOfflineServer } from './offline-server.ts';

/** How a mail is sent to a server with these extensions. */
export interface WirePlan {
  /** The offered extensions among those that decide how often the client waits; all others are offered. */
  readonly extensions: readonly Extension[];
  readonly roundTrips: number;
  /** What is sent together, a group for each round trip: command lines, and `(309 octets of content)`. */
  readonly groups: readonly (readonly string[])[];
  readonly mail: ReceivedMail;
  readonly status: SendStatus;
}

const DECIDING: readonly (readonly Extension[])[] = [['PIPELINING', 'CHUNKING'], ['PIPELINING'], []];

/**
 * Sends a mail to servers within this process, and records how.
 *
 * The backend itself sends, so that the plan cannot differ from what it does.
 *
 * @param connect makes the connection over the given socket
 * @throws {EmailError} what the backend throws for a mail that it cannot send
 */
export async function planWire(
  message: EmailMessageInit,
  isLmtp: boolean,
  connect: (socket: () => object) => EmailBackend,
): Promise<readonly WirePlan[]> {
  const plans: WirePlan[] = [];
  for (const extensions of DECIDING) {
    const server = await startOfflineServer({
      lmtp: isLmtp,
      extensions: EXTENSIONS.filter((name) => !isDeciding(name) || extensions.includes(name)),
      maxSize: Number.MAX_SAFE_INTEGER,
      maxRecipients: Number.MAX_SAFE_INTEGER,
    });
    const connection = connect(() => server.socket);
    const status = await connection.sendMessages([message]).finally(() => connection.close());
    throwHeldBack(status);
    const [mail] = server.mails;
    if (mail === undefined) throw new Error('the mail was accepted and is missing');
    const groups = server.groups.filter((group) => group.some((word) => /^(?:RSET|MAIL|RCPT|DATA|BDAT|\()/.test(word)));
    plans.push({ extensions, roundTrips: groups.length, groups, mail, status });
  }
  return plans;
}

/** Throws the error of a mail that the staging guard holds back, which is only in its status. */
export function throwHeldBack({ results }: SendStatus): void {
  const error = results[0]?.error ?? null;
  if (error !== null) throw error;
}

/** BINARYMIME needs CHUNKING (RFC 3030, section 3). */
function isDeciding(extension: Extension): boolean {
  return extension === 'PIPELINING' || extension === 'CHUNKING' || extension === 'BINARYMIME';
}
