import { beforeAll, expect, test } from 'vitest';
import { reportMail } from '../../src/cli/send/mail-report.ts';
import { summarize } from '../../src/mailbox/store/caught-mail.ts';
import { parseSearch } from '../../src/mailbox/store/search.ts';
import { htmlDocument } from '../../src/mailbox/web/html-document.ts';
import { createDkimSigner } from '../../src/mime/compose/dkim.ts';
import { imageReferences } from '../../src/mime/compose/image-references.ts';
import { withInlineImages } from '../../src/mime/compose/inline-images.ts';
import { parseMediaType } from '../../src/mime/compose/media-type.ts';
import { lintHtml } from '../../src/mime/lint/lint-html.ts';
import { readAddresses, readAddressInputs } from '../../src/mime/read/addresses.ts';
import { decodeWords } from '../../src/mime/read/decode-words.ts';
import { htmlTags } from '../../src/mime/read/html-tags.ts';
import { textOfHtml } from '../../src/mime/read/html-text.ts';
import { linksOf } from '../../src/mime/read/links.ts';
import { MailContent } from '../../src/mime/read/mail-content.ts';
import { messageFromEml } from '../../src/mime/read/message-from-eml.ts';
import { readMime } from '../../src/mime/read/mime-tree.ts';
import { readParameters } from '../../src/mime/read/parameters.ts';
import { parseAddress } from '../../src/model/address.ts';
import { EmailMessage } from '../../src/model/message.ts';
import { parseCapabilities } from '../../src/smtp/protocol/capabilities.ts';
import { ReplyParser } from '../../src/smtp/protocol/reply.ts';
import { parsePath } from '../../src/smtp-server/command-parser.ts';
import { hasBareNewline } from '../../src/smtp-server/data-reader.ts';
import { type ResolvedSmtpServerOptions, resolveSmtpServerOptions } from '../../src/smtp-server/options.ts';
import { SmtpSession } from '../../src/smtp-server/session.ts';
import { codes } from '../../src/testing/codes.ts';
import { InboxMessage } from '../../src/testing/inbox/inbox-message.ts';
import { cpuTimeOf } from '../cpu-time.ts';
import { KEYS } from '../mime/dkim-keys.ts';

const SMALL = 65_536;
const LARGE = 4 * SMALL;
/** What is not linear needs seconds for 256 KB; below this nobody waits. */
const FREE_MS = 400;
/** Linear is 4, quadratic 16. */
const MOST = 10;
/** A reader that takes so long over 16 KB would take a minute over 256 KB: it is not tried. */
const HOPELESS_MS = 250;

interface Kind {
  /** What may stay open in front of the others. */
  readonly openings: readonly string[];
  /** What ends, begins or nests something; each is repeated. */
  readonly pieces: readonly string[];
}

const KINDS = {
  address: {
    openings: ['"', '(', '<', 'g:a <a@b'],
    pieces: ['<', '@', ':', ',', '"', '\\"', '(', '()', 'a@b,', '<a>:', 'a:;', '[', '"a" ', '<x> <', ' '],
  },
  header: {
    openings: ['=?utf-8?q?', ';a="'],
    pieces: ['=?', '=?a?q?', '=?utf-8?b?YQ==?= ', ';a=', ';a="', ';a*0*=', '; ', "'", '%41', '\r\n ', 'a:b\r\n', '('],
  },
  html: {
    openings: ['<a b="', '<!--', '<script>', '='],
    pieces: ['<', '<a ', '<a b="', "<a b='", '<!--', '<script>', '</script ', '&#1', '=cid:a', '= ', 'http://', 'x'],
  },
  body: {
    openings: ['=', '--b', '1'],
    pieces: ['=\r\n', '=4', '=== ', '--b\r\n', '--b--\r\n', '1 2', 'A1', 'A-', ' ', '\r\n', '\n', '\r\n.', 'x'],
  },
  images: {
    openings: [
      '<img src="',
      '<style>',
      '<p style="',
      '<img srcset="',
      '<img src="data:image/png;base64,',
      "<p style='",
    ],
    pieces: [
      ...[
        '<img src=',
        '<img src="data:',
        "<img src='data:image/png;base64,A=",
        'data:image/png,',
        ';a=',
        '%4',
        'A',
        '=',
      ],
      ...[
        'url(',
        'url( ',
        'url("',
        "url('data:",
        'url(&quot;',
        '&QUOT;',
        '/*',
        '*/',
        '"',
        "'\n",
        ')',
        ',',
        ', ',
        '/',
        ' ',
      ],
      ...[
        '<style>',
        '</style ',
        '<img src="data:image/gif,a">',
        '<p style="a:url(data:image/gif,a)">',
        '<img src=a.png>',
      ],
    ],
  },
  smtp: {
    openings: ['250-', 'AUTH '],
    pieces: ['NOOP\r\n', '250-x\r\n', '250 x\r\n', 'AUTH PLAIN\r\n', 'a=b ', 'BDAT 1\r\nx', '\u2028', '\r'],
  },
} satisfies Record<string, Kind>;

type KindName = keyof typeof KINDS;
type Shape = readonly [name: string, make: (size: number) => string];

/** Each piece again and again: alone, behind each opening, and behind a long word. */
function shapesOf({ openings, pieces }: Kind): Shape[] {
  const fill = (piece: string, size: number): string => piece.repeat(Math.ceil(size / piece.length));
  return pieces.flatMap((piece): Shape[] => [
    [piece, (size) => fill(piece, size)],
    ...openings.map((opening): Shape => [`${opening}, ${piece}`, (size) => opening + fill(piece, size)]),
    [`@x, ${piece}`, (size) => `@${fill('x', size / 2)}${fill(piece, size / 2)}`],
  ]);
}

let server: ResolvedSmtpServerOptions;
beforeAll(async () => {
  server = await resolveSmtpServerOptions({ onAuth: () => false });
});

/** A session that gets this text in packets of an odd size. */
function receive(begin: string, text: string): void {
  const nothing = (): void => {};
  const wire = { write: nothing, flush: nothing, startTls: nothing, end: nothing, reset: nothing };
  const session = new SmtpSession(1, '127.0.0.1', server, wire);
  session.start();
  session.receive(Buffer.from(begin));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 509) session.receive(bytes.subarray(at, at + 509));
}

function replies(text: string): void {
  const parser = new ReplyParser(() => parser.read());
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 61) parser.push(bytes.subarray(at, at + 61));
}

/** A reader that refuses by throwing has read all the same. */
const orRefuse = (read: () => unknown): unknown => {
  try {
    return read();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    return error;
  }
};

const bytesOf = (text: string): Buffer => Buffer.from(text);
const looksAt = (head: string) => (text: string) => {
  const bytes = bytesOf(head + text);
  summarize('id', new Date(0), { bytes, envelope: { from: '', to: ['a@example.org'] }, via: 'smtp' });
  reportMail(bytes);
  htmlDocument(new MailContent(bytes), { scheme: 'dark' });
};
const contentIn = (encoding: string) => (text: string) =>
  new MailContent(bytesOf(`Content-Transfer-Encoding: ${encoding}\r\n\r\n${text}`)).text();

const signer = createDkimSigner(KEYS.slice(1));
const sent = new EmailMessage({ subject: 's', body: 'b', fromEmail: 'a@example.org', to: ['b@example.org'] });

type Reader = readonly [name: string, read: (text: string) => unknown, kind: KindName];

const READERS: readonly Reader[] = [
  ['parseAddress', (text) => orRefuse(() => parseAddress(text)), 'address'],
  ['parseAddress, a group', (text) => orRefuse(() => parseAddress(`g:${text};`)), 'address'],
  ['parseAddress, a domain', (text) => orRefuse(() => parseAddress(`a@${text}`)), 'address'],
  ['readAddresses', readAddresses, 'address'],
  ['readAddressInputs', readAddressInputs, 'address'],
  ['readParameters', (text) => readParameters(`a/b; ${text}`), 'header'],
  ['parseMediaType', (text) => orRefuse(() => parseMediaType(`a/b; ${text}`, 'type')), 'header'],
  ['decodeWords', decodeWords, 'header'],
  ['readMime', (text) => readMime(bytesOf(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${text}`)), 'body'],
  ['quoted-printable', contentIn('quoted-printable'), 'body'],
  ['base64', contentIn('base64'), 'body'],
  ['htmlTags', (text) => [...htmlTags(text)], 'html'],
  ['textOfHtml', textOfHtml, 'html'],
  ['linksOf, HTML', (text) => linksOf(null, text), 'html'],
  ['linksOf, text', (text) => linksOf(text, null), 'html'],
  ['imageReferences', (text) => [...imageReferences(text)], 'images'],
  ['inlineImages', (text) => withInlineImages(sent.with({ htmlBody: text, inlineImages: true })), 'images'],
  ['lintHtml', (text) => [...lintHtml(text, new Set(['a']))], 'html'],
  ['codes', (text) => codes({ subject: '', body: text, htmlBody: null } as InboxMessage), 'body'],
  ['parseSearch', parseSearch, 'html'],
  ['a mail: From', looksAt('From: '), 'address'],
  ['a mail: Subject', looksAt('Subject: '), 'header'],
  ['a mail: Content-Type', looksAt('Content-Type: multipart/mixed; boundary='), 'header'],
  ['a mail: List-Unsubscribe', looksAt('List-Unsubscribe: '), 'address'],
  ['a mail: HTML', looksAt('Content-Type: text/html\r\n\r\n'), 'html'],
  ['a mail: a style in HTML', looksAt('Content-Type: text/html\r\n\r\n<a style="'), 'html'],
  ['a mail: text', looksAt('\r\n'), 'body'],
  ['InboxMessage', (text) => new InboxMessage(sent, bytesOf(`To: ${text}`), ['b@example.org']), 'address'],
  ['fromEml', (text) => orRefuse(() => messageFromEml(`References: ${text}`)), 'address'],
  [
    'fromEml, flowed',
    (text) => orRefuse(() => messageFromEml(`Content-Type: text/plain; format=flowed\r\n\r\n${text}`)),
    'body',
  ],
  ['DKIM', (text) => signer.sign(`From: a@example.org\r\nSubject: ${text}\r\n`, 'hash'), 'header'],
  ['parsePath', parsePath, 'address'],
  ['parsePath, parameters', (text) => parsePath(`<a@example.org> ${text}`), 'smtp'],
  ['parseCapabilities', (text) => parseCapabilities(`host\n${text}`), 'smtp'],
  ['parseCapabilities, AUTH', (text) => parseCapabilities(`host\nAUTH ${text}`), 'smtp'],
  ['ReplyParser', (text) => orRefuse(() => replies(text)), 'smtp'],
  ['ReplyParser, one reply', (text) => orRefuse(() => replies(`250-${text}`)), 'smtp'],
  ['hasBareNewline', (text) => hasBareNewline(bytesOf(text)), 'body'],
  ['SmtpSession, commands', (text) => receive('EHLO c\r\n', text), 'smtp'],
  ['SmtpSession, AUTH', (text) => receive('EHLO c\r\nAUTH PLAIN\r\n', text), 'smtp'],
  ['SmtpSession, DATA', (text) => receive('EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nDATA\r\n', text), 'body'],
];

/** The least of three costs, but for one that is below `enough`: no more is asked for then. */
async function leastCost(read: (text: string) => unknown, text: string, enough = 0): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 3 && least >= enough; tries += 1)
    least = Math.min(least, await cpuTimeOf(() => read(text)));
  return least;
}

test.each<Reader>(READERS)(
  '%s takes time in proportion to what it reads',
  { timeout: 300_000 },
  async (_, read, kind) => {
    for (const [shape, make] of shapesOf(KINDS[kind])) {
      const begun = await leastCost(read, make(SMALL / 4), HOPELESS_MS);
      expect(begun, `16 KB of ${JSON.stringify(shape)} took ${begun} ms`).toBeLessThan(HOPELESS_MS);
      const large = await leastCost(read, make(LARGE), FREE_MS);
      if (large < FREE_MS) continue;
      const ratio = large / (await leastCost(read, make(SMALL)));
      const text = `256 KB of ${JSON.stringify(shape)} took ${large} ms, ${ratio} times as much as 64 KB`;
      expect(ratio, text).toBeLessThan(MOST);
    }
  },
);

test.each([
  ['64 KB', 65_536],
  ['250 KB', 250_000],
])('a boundary of %s is not searched for', (_, length) => {
  const nearly = `--${'a'.repeat(length - 1)}b`;
  const head = `Content-Type: multipart/mixed; boundary="${'a'.repeat(length)}"\r\n\r\n`;
  const { root, isComplete } = readMime(bytesOf(head + nearly.repeat(Math.ceil(1_000_000 / length))));
  expect(root.children).toEqual([]);
  expect(isComplete).toBe(false);
});
