// @ts-check
import { stdout } from 'node:process';
import PostalMime from 'postal-mime';

const COLORS = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] };
const useColor =
  !process.env['NO_COLOR'] && (Boolean(process.env['FORCE_COLOR']) || (stdout.isTTY && stdout.hasColors()));

/** @type {Readonly<Record<string, readonly [mark: string, color: keyof typeof COLORS]>>} */
const MARKS = {
  sent: ['✓', 'green'],
  queued: ['✓', 'green'],
  failed: ['↻', 'yellow'],
  invalid: ['✗', 'red'],
  rejected: ['✗', 'red'],
  unknown: ['?', 'yellow'],
};

/** @type {(color: keyof typeof COLORS, text: string) => string} */
function paint(color, text) {
  const [on, off] = COLORS[color];
  return useColor ? `\x1b[${on}m${text}\x1b[${off}m` : text;
}

/** @type {(number: number, title: string) => void} */
export function printTitle(number, title) {
  stdout.write(`\n${paint('bold', `${number}. ${title}`)}\n`);
}

/** Prints every recipient with the server's reply. @type {(status: import('../../src/index.ts').SendStatus, ms: number) => void} */
export function printStatus(status, ms) {
  const addresses = [...status.recipients.keys()];
  const width = Math.max(...addresses.map((address) => address.length));
  for (const [address, { status: state, code, enhancedCode, response, retryable }] of status.recipients) {
    const [mark, color] = MARKS[state] ?? ['?', 'yellow'];
    const reply = [code, enhancedCode, response].filter((part) => part !== null).join(' ');
    const hint = retryable ? paint('dim', '  (may be tried again)') : '';
    stdout.write(`   ${paint(color, `${mark} ${state.padEnd(8)}`)} ${address.padEnd(width)}  ${reply}${hint}\n`);
  }
  const summary = `isSuccess ${status.isSuccess}, hasFailures ${status.hasFailures}, ${Math.ceil(ms)} ms`;
  stdout.write(`   ${paint('dim', summary)}\n`);
}

/** Prints what arrived, decoded by a parser that is not ours. @type {(mail: import('../../src/smtp-server/hooks.ts').ReceivedMail) => Promise<void>} */
export async function printArrival({ envelope, bytes }) {
  const mail = await PostalMime.parse(bytes);
  /** @type {(list: readonly import('postal-mime').Address[] | undefined) => string} */
  const addresses = (list = []) =>
    list.map(({ name, address }) => (name ? `${name} <${address}>` : address)).join(', ');
  /** @type {[string, string][]} */
  const lines = [
    ['Envelope', `${envelope.mailFrom} → ${envelope.rcptTo.join(', ')}`],
    ['From', addresses(mail.from && [mail.from])],
    ['To', addresses(mail.to)],
    ['Cc', addresses(mail.cc)],
    ['Subject', mail.subject ?? ''],
    ['Text', mail.text ?? ''],
    ['HTML', mail.html ?? ''],
    ...mail.attachments.map(({ filename, mimeType, content, contentId, related }) => {
      const size = typeof content === 'string' ? content.length : content.byteLength;
      return /** @type {[string, string]} */ ([
        related ? 'Inline' : 'Attached',
        `${filename ?? '(no name)'}, ${mimeType}, ${size} bytes${contentId ? `, cid:${contentId.slice(1, -1)}` : ''}`,
      ]);
    }),
  ];
  stdout.write(`   ${paint('dim', `arrived, ${bytes.length} bytes:`)}\n`);
  for (const [label, text] of lines) {
    if (text === '') continue;
    const [first = '', ...more] = text.trimEnd().split(/\r?\n/);
    stdout.write(`   ${paint('dim', `│ ${label.padEnd(8)}`)} ${first}\n`);
    for (const line of more) stdout.write(`   ${paint('dim', '│         ')} ${line}\n`);
  }
}
