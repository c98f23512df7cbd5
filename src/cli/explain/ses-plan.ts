import type { EmailBackend } from '../../backend/backend.ts';
import type { EmailMessageInit } from '../../model/message-init.ts';
import type { SendStatus } from '../../model/status.ts';

/** One request to SES. */
export interface SesRequest {
  readonly operation: string;
  readonly recipients: number;
  /** The raw mail; null for a template. */
  readonly mail: Uint8Array | null;
}

interface Destination {
  readonly ToAddresses?: readonly string[];
  readonly CcAddresses?: readonly string[];
  readonly BccAddresses?: readonly string[];
}

interface Command {
  readonly input: {
    readonly Destination?: Destination;
    readonly BulkEmailEntries?: readonly { readonly Destination?: Destination }[];
    readonly Content?: { readonly Raw?: { readonly Data?: Uint8Array } };
  };
}

/**
 * The requests that the ses backend makes for a mail, recorded by a client that sends none.
 *
 * @param connect makes the connection with that client
 * @throws {EmailError} what the backend throws for a mail that it cannot send
 */
export async function planSes(
  message: EmailMessageInit,
  connect: (client: object) => EmailBackend,
): Promise<{ readonly requests: readonly SesRequest[]; readonly status: SendStatus }> {
  const requests: SesRequest[] = [];
  const client = {
    async send(command: Command): Promise<object> {
      const { Destination, BulkEmailEntries, Content } = command.input;
      const destinations = BulkEmailEntries?.map((entry) => entry.Destination ?? {}) ?? [Destination ?? {}];
      const recipients = destinations.reduce((total, destination) => total + countOf(destination), 0);
      requests.push({
        operation: command.constructor.name.replace(/Command$/, ''),
        recipients,
        mail: Content?.Raw?.Data ?? null,
      });
      return { MessageId: `offline-${requests.length}` };
    },
  };
  const connection = connect(client);
  const status = await connection.sendMessages([message]).finally(() => connection.close());
  return { requests: requests.filter(({ operation }) => operation !== 'GetAccount'), status };
}

function countOf({ ToAddresses = [], CcAddresses = [], BccAddresses = [] }: Destination): number {
  return ToAddresses.length + CcAddresses.length + BccAddresses.length;
}
