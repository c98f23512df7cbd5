import { Duplex } from 'node:stream';
import type { ReceivedMail } from '../../smtp-server/hooks.ts';
import { resolveSmtpServerOptions, type SmtpServerSettings } from '../../smtp-server/options.ts';
import { SmtpSession } from '../../smtp-server/session.ts';

/** An SMTP server at the other end of a pipe within this process. */
export interface OfflineServer {
  /** The client's end. */
  readonly socket: Duplex;
  /** What the client sent before each wait for replies, in order: command lines, and `(309 octets of content)`. */
  readonly groups: readonly (readonly string[])[];
  /** The mails received. */
  readonly mails: readonly ReceivedMail[];
}

/** Starts an {@link OfflineServer}, as strict about pipelining as RFC 2920; what arrives in one turn is answered together. */
export async function startOfflineServer(settings: SmtpServerSettings): Promise<OfflineServer> {
  const groups: (readonly string[])[] = [];
  const mails: ReceivedMail[] = [];
  let group: string[] = [];
  let input: Uint8Array[] = [];
  let replies = '';
  const options = await resolveSmtpServerOptions({
    ...settings,
    strictPipelining: true,
    onCommand(verb, argument) {
      group.push(`${verb} ${argument}`.trimEnd());
      return undefined;
    },
    onMessage(mail) {
      group.push(`(${mail.bytes.length} octets of content)`);
      mails.push(mail);
      return undefined;
    },
  });
  const socket = new Duplex({
    writableHighWaterMark: 64 * 1024 * 1024,
    read() {},
    write(chunk: Uint8Array, _encoding, done) {
      if (input.push(chunk) === 1) setImmediate(answer);
      done();
    },
  });
  const flush = (): void => {
    if (replies === '') return;
    groups.push(group);
    socket.push(replies);
    group = [];
    replies = '';
  };
  const end = (): void => {
    flush();
    socket.push(null);
  };
  const session = new SmtpSession(1, '', options, {
    write(bytes) {
      replies += bytes;
    },
    flush,
    end,
    reset: end,
    startTls: end, // not offered
  });
  const answer = (): void => {
    const bytes = Buffer.concat(input);
    input = [];
    session.receive(bytes);
  };
  setImmediate(() => session.start());
  return { socket, groups, mails };
}
