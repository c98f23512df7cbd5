import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Client, type ClientOptions, FROM, fresh } from './smtp-clients.ts';

type Mail = ReturnType<typeof fresh>;

/** Bare sockets that write the very same groups, from a template: the floor under any client of Node's streams. */
export async function raw({ port, connections, recipients = 1 }: ClientOptions): Promise<Client> {
  const lines = await Promise.all(Array.from({ length: connections }, () => Line.open(port)));
  return {
    async awaited(count) {
      const [line] = lines;
      for (let sent = 0; sent < count && line; sent++) await deliver(line, [fresh(recipients)].values());
    },
    async bulk(count) {
      let left = count;
      const mails = {
        next: () => (left-- > 0 ? { done: false, value: fresh(recipients) } : { done: true, value: undefined }),
      } as Iterator<Mail>; // a value as long as it is not done
      await Promise.all(lines.map((line) => deliver(line, mails)));
    },
    async close() {
      for (const line of lines) line.socket.destroy();
    },
  };
}

/** The content of one mail and the commands of the next, again and again. */
async function deliver(line: Line, mails: Iterator<Mail>): Promise<void> {
  let step = mails.next();
  if (!step.done) await line.say(envelope(step.value), 3 + step.value.to.length);
  while (!step.done) {
    const { value } = step;
    step = mails.next();
    if (step.done) await line.say(content(value), 1);
    else await line.say(content(value) + envelope(step.value), 4 + step.value.to.length);
  }
}

function envelope({ to }: Mail): string {
  return `RSET\r\nMAIL FROM:<${FROM}>\r\n${to.map((address) => `RCPT TO:<${address}>\r\n`).join('')}DATA\r\n`;
}

let serial = 0;

function content({ to, subject, text }: Mail): string {
  const headers = [
    `From: ${FROM}`,
    `To: ${to.join(', ')}`,
    `Subject: ${subject}`,
    `Date: ${new Date().toUTCString()}`,
    `Message-ID: <${String(++serial).padStart(32, '0')}@example.com>`,
    'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n',
  ];
  return `${headers.join('\r\n')}\r\n${text.replace('\n', '\r\n')}.\r\n`;
}

/** One connection that counts lines: every reply of the sink has one. */
class Line {
  readonly socket: Socket;
  #due = 0;
  #resolve = (): void => {};

  static async open(port: number): Promise<Line> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'data');
    socket.write('EHLO bench\r\n');
    await once(socket, 'data'); // one chunk, as the sink writes it at once
    return new Line(socket);
  }

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) this.#due--;
      if (this.#due === 0) this.#resolve();
    });
  }

  say(text: string, replies: number): Promise<void> {
    this.#due = replies;
    this.socket.write(text, 'latin1');
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
}
