import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** What a name has, by kind; `fails` makes the server answer SERVFAIL, a name that is not listed is not there. */
export interface Records {
  readonly TXT?: readonly (string | readonly string[])[];
  /** Preference and host; the host '' is the null MX. */
  readonly MX?: readonly (readonly [number, string])[];
  readonly A?: readonly string[];
  readonly fails?: true;
}

const KINDS: Readonly<Record<number, 'A' | 'MX' | 'TXT'>> = { 1: 'A', 15: 'MX', 16: 'TXT' };
const NXDOMAIN = 3;
const SERVFAIL = 2;

/**
 * A name server on a free port of 127.0.0.1, of a hundred lines: what a test needs of DNS is one question, one answer, and
 * no package says what it does more plainly (RFC 1035, section 4).
 */
export class DnsServer implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #zone: Readonly<Record<string, Records>>;
  /** The names that were asked for, in order: `TXT example.com`. */
  readonly questions: string[] = [];

  private constructor(socket: Socket, zone: Readonly<Record<string, Records>>) {
    this.#socket = socket;
    this.#zone = zone;
    socket.on('message', (query, { port, address }) => socket.send(this.#answer(query), port, address));
  }

  static async start(zone: Readonly<Record<string, Records>>): Promise<DnsServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new DnsServer(socket, zone);
  }

  /** As `--resolver` takes it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #answer(query: Buffer): Buffer {
    const { name, end } = readName(query);
    const kind = KINDS[query.readUInt16BE(end)];
    this.questions.push(`${kind ?? query.readUInt16BE(end)} ${name}`);
    const records = Object.hasOwn(this.#zone, name) ? this.#zone[name] : undefined;
    const code = records === undefined ? NXDOMAIN : records.fails ? SERVFAIL : 0;
    const answers = kind === undefined ? [] : (records?.[kind] ?? []).map((record) => encode(kind, record));
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8580 | code, 2); // an answer, authoritative, to a recursive question
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers.length, 6);
    const question = query.subarray(12, end + 4);
    return Buffer.concat([
      header,
      question,
      ...answers.flatMap((data) => [resource(query.readUInt16BE(end), data), data]),
    ]);
  }
}

function readName(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

/** The head of an answer: the name of the question, class IN, no time to live. */
function resource(type: number, data: Buffer): Buffer {
  const head = Buffer.from([0xc0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(data.length, 10);
  return head;
}

function encode(kind: 'A' | 'MX' | 'TXT', record: NonNullable<Records['A' | 'MX' | 'TXT']>[number]): Buffer {
  if (kind === 'A') return Buffer.from(String(record).split('.').map(Number));
  if (kind === 'MX') {
    const [preference = 0, host = ''] = record as readonly [number, string]; // its kind says so
    return Buffer.concat([Buffer.from([preference >> 8, preference & 255]), encodeName(host)]);
  }
  const strings = typeof record === 'string' ? (record.match(/.{1,255}/gs) ?? ['']) : record.map(String);
  return Buffer.concat(strings.flatMap((text) => [Buffer.from([text.length]), Buffer.from(text, 'latin1')]));
}

function encodeName(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.');
  return Buffer.concat([
    ...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1')),
    Buffer.from([0]),
  ]);
}
