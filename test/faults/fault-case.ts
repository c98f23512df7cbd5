import { SmtpBackend } from '../../src/backends/smtp.ts';
import { composeMessage } from '../../src/mime/compose/compose.ts';
import { SendError } from '../../src/model/errors.ts';
import { EmailMessage } from '../../src/model/message.ts';
import type { DeliveryStatus, SendStatus } from '../../src/model/status.ts';
import type { SmtpOptions } from '../../src/smtp/options.ts';
import type { ScriptedSmtpServer } from '../../src/testing/index.ts';
import { ClientSockets } from './client-sockets.ts';
import { timeRan, within } from './within.ts';

/** Three messages to three recipients each; fixed dates and ids, so that their bytes are known. */
export const MESSAGES: readonly EmailMessage[] = [1, 2, 3].map(
  (number) =>
    new EmailMessage({
      subject: `Message ${number}`,
      body: `First line of ${number}\n\nLast line of ${number}\n`,
      fromEmail: `sender${number}@example.com`,
      to: ['a', 'b', 'c'].map((name) => `${name}${number}@example.com`),
      date: new Date(0),
      messageId: `message-${number}@example.com`,
    }),
);

const CONTENTS: readonly string[] = MESSAGES.map((message) => Buffer.from(composeMessage(message)).toString('latin1'));

/** How a session went: what it says of every recipient, and every way in which that is not the truth. */
export interface FaultOutcome {
  readonly statuses: readonly DeliveryStatus[];
  readonly lies: readonly string[];
}

/** Sends the three messages to a server whose faults are set, and holds what is told against what the server took. */
export async function runFaultCase(
  server: ScriptedSmtpServer,
  options: SmtpOptions,
  limitMs: number,
): Promise<FaultOutcome> {
  const sockets = new ClientSockets();
  const backend = new SmtpBackend({
    ...options,
    host: server.host,
    port: server.port,
    name: 'client.example.com',
    maxConnections: 1,
    timeoutMs: 2_000,
    ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    socket: sockets.dial,
    retry: { attempts: 1, baseMs: 1, maxMs: 1 },
  });
  const started = timeRan();
  const status = await within(2 * limitMs, backend.sendMessages(MESSAGES, { failSilently: true }));
  const took = timeRan() - started;
  if (!status) return { statuses: [], lies: ['the call never ended'] };
  const closing = await within(
    2 * limitMs,
    backend.close().then(() => true),
  );
  if (!closing) return { statuses: [], lies: ['close() never ended'] };
  const lies = [...judge(status, server, sockets)];
  if (took > limitMs) lies.push(`it took ${Math.round(took)} ms`);
  for (let turn = 0; sockets.open > 0 && turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  if (sockets.open > 0) lies.push(`${sockets.open} sockets were left open`);
  return { statuses: [...status.recipients.values()].map((recipient) => recipient.status), lies };
}

function* judge(status: SendStatus, server: ScriptedSmtpServer, sockets: ClientSockets): Generator<string> {
  if (status.results.length !== MESSAGES.length) yield `${status.results.length} results`;
  const taken = server.messages.map(({ envelope, bytes }) => ({
    recipients: envelope.rcptTo,
    sender: envelope.mailFrom,
    content: Buffer.from(bytes).toString('latin1'),
  }));
  for (const { content, sender } of taken) {
    const number = CONTENTS.indexOf(content);
    if (number < 0) yield `the server took what nobody wrote: ${JSON.stringify(content.slice(0, 80))}`;
    else if (sender !== `sender${number + 1}@example.com`) yield `message ${number + 1} went out as ${sender}`;
  }
  for (const [index, message] of MESSAGES.entries()) {
    const content = CONTENTS[index] ?? '';
    const hasEnded = sockets.written.some(
      (written) => written.includes(`${content}.\r\n`) || written.includes(`LAST\r\n${content}`),
    );
    for (const { address } of message.recipients) {
      const recipient = status.results[index]?.recipients.get(address);
      const times = taken.filter((mail) => mail.content === content && mail.recipients.includes(address)).length;
      const told = recipient?.status;
      if (times > 1) yield `${address} got it ${times} times`;
      if (told === 'sent' && times === 0) yield `${address} is 'sent', but the server did not take it`;
      if (told !== 'sent' && told !== 'unknown' && times > 0) yield `${address} is '${told}', but the server took it`;
      if (told === 'unknown' && !hasEnded) yield `${address} is 'unknown', but the end of the content never left`;
      if (told === undefined) yield `${address} has no status`;
      if (told === 'unknown' && recipient?.retryable) yield `${address} is 'unknown' and retryable`;
      if (told !== 'sent' && !recipient?.error) yield `${address} is '${told}' without an error`;
      if (recipient?.error instanceof SendError && recipient.error.transcript === null)
        yield `${address} has no transcript`;
    }
  }
}
