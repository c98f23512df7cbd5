import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { domainToUnicode } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { composeMessage } from '../../src/mime/compose/compose.ts';
import type { Mailbox } from '../../src/model/address.ts';
import { EmailMessage, mailboxesOf } from '../../src/model/message.ts';
import { CORPUS, FIXED, UTF8_CORPUS } from './corpus.ts';
import { lintMail } from './lint-mail.ts';
import {
  type ReadMail,
  type ReadMailbox,
  readWithMailparser,
  readWithPostalMime,
  readWithPython,
} from './read-mail.ts';

const all = [...CORPUS, ...UTF8_CORPUS].map(([name, init]) => {
  const message = new EmailMessage(init);
  return { name, message, mail: composeMessage(message, FIXED) };
});
const ascii = all.slice(0, CORPUS.length);

describe('golden files', () => {
  test('the corpus has at least 60 messages', () => {
    expect(CORPUS.length).toBeGreaterThanOrEqual(60);
  });

  test.each(all)('$name', ({ name, mail }) => {
    const path = new URL(`../fixtures/mime/${name}.eml`, import.meta.url);
    if (process.env['UPDATE_FIXTURES'] === '1' || (!existsSync(path) && !process.env['CI'])) writeFileSync(path, mail);
    expect(Buffer.from(mail).toString('latin1')).toBe(readFileSync(path, 'latin1'));
  });
});

describe('by the letter of the RFCs', () => {
  test.each(ascii)('$name', ({ mail }) => {
    expect(lintMail(mail)).toEqual([]);
  });
  test.each(all.slice(CORPUS.length))('$name has 8-bit octets, in the headers only', ({ mail }) => {
    const [head = '', ...body] = Buffer.from(mail).toString('latin1').split('\r\n\r\n');
    expect(head).toMatch(/[^\0-\x7f]/);
    expect(body.join('\r\n\r\n')).not.toMatch(/[^\0-\x7f]/);
  });
});

describe('read back by parsers of others', () => {
  let python: ReturnType<typeof readWithPython>;
  beforeAll(() => {
    python = readWithPython(all.map(({ mail }) => mail));
  });

  test.each(all.map((entry, index) => ({ ...entry, index })))('Python email: $name', ({ message, index }) => {
    const found = python[index];
    // It gives a run of spaces in a name as one.
    const oneSpace = (list: readonly ReadMailbox[]) =>
      list.map((entry) => ({ ...entry, name: entry.name.replace(/ +/g, ' ') }));
    const given = expected(message);
    // And it trims file names.
    const files = given.attachments.map((entry) => ({ ...entry, filename: entry.filename?.trim() ?? null }));
    const wanted = { ...given, from: oneSpace(given.from), attachments: files };
    expect(found && comparable(found, message)).toEqual(wanted);
    expect(found?.alternatives.map((form) => ({ ...form, content: form.content.replaceAll('\r\n', '\n') }))).toEqual(
      message.alternatives.map(({ mimetype, content }) => ({
        type: mimetype.replace(/;.*/, ''),
        content: expectedText(content),
      })),
    );
    expect(found?.attachments.filter(({ filename }) => filename === 'invite.ics')).toEqual(copies(message));
    for (const [name, value] of Object.entries(message.headers)) {
      // Python before 3.12 keeps the space of a value that begins on the second line.
      if (!/notification/i.test(name)) expect(found?.headers[name.toLowerCase()]?.trimStart()).toBe(value);
    }
  });

  test.each(all)('mailparser: $name', async ({ name, message, mail }) => {
    const found = comparable(await readWithMailparser(mail), message);
    expect(asRead(found, name)).toEqual(asRead(expected(message), name));
  });

  test.each(all)('postal-mime: $name', async ({ name, message, mail }) => {
    const found = comparable(await readWithPostalMime(mail), message);
    // It gives embedded mails and calendars as text with line feeds.
    const lineFeeds = (read: ReadMail): ReadMail => ({
      ...read,
      attachments: read.attachments.map((entry) => {
        const text = Buffer.from(entry.content, 'base64').toString('latin1');
        return /5.2.1|6047/.test(name) ? { ...entry, content: text.replaceAll('\r\n', '\n').trimEnd() } : entry;
      }),
    });
    expect(lineFeeds(asRead(found, name))).toEqual(lineFeeds(asRead(expected(message), name)));
  });
});

/** The JavaScript parsers drop the quotes of a local part, decode A-labels, and know no IPv6 address. */
function asRead(read: ReadMail, name: string): ReadMail {
  const mailbox = ({ name: label, address }: ReadMailbox) => {
    const plain = address.replaceAll('"', '');
    const at = plain.lastIndexOf('@');
    return { name: label, address: `${plain.slice(0, at)}@${domainToUnicode(plain.slice(at + 1))}` };
  };
  return { ...read, from: read.from.map(mailbox), to: /literal/.test(name) ? [] : read.to.map(mailbox) };
}

function expected(message: EmailMessage): ReadMail {
  const { from, to, cc, replyTo } = message.parsed;
  const mailbox = ({ name, asciiAddress }: Mailbox) => ({ name, address: asciiAddress });
  const hasText = message.body !== '' || (message.htmlBody === null && message.alternatives.length === 0);
  const files = message.attachments.map(({ filename, contentId, content, mimetype }) => {
    const bytes = Buffer.from(content as string | Uint8Array); // the corpus has nothing else
    const given = mimetype === 'message/rfc822' ? Buffer.from(bytes.toString().replace(/\r?\n/g, '\r\n')) : bytes;
    return { filename, contentId, content: given.toString('base64') };
  });
  return {
    subject: message.subject,
    from: [mailbox(from)],
    to: mailboxesOf(to).map(mailbox),
    cc: mailboxesOf(cc).map(mailbox),
    replyTo: mailboxesOf(replyTo).map(mailbox),
    text: hasText ? expectedText(message.body) : '',
    html: expectedText(message.htmlBody ?? ''),
    attachments: files,
  };
}

function expectedText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/\p{Cs}/gu, '\ufffd');
}

/** A mail of one part ends with a line end, whether its text did or not. */
function comparable(
  { subject, from, to, cc, replyTo, text, html, attachments }: ReadMail,
  message: EmailMessage,
): ReadMail {
  const sameText = (found: string | null, given: string | null) => {
    const lines = (found ?? '').replaceAll('\r\n', '\n');
    return lines === `${expectedText(given ?? '')}\n` ? lines.slice(0, -1) : lines;
  };
  const files =
    copies(message).length > 0 ? attachments.filter(({ filename }) => filename !== 'invite.ics') : attachments;
  return {
    subject: subject ?? '',
    from,
    to,
    cc,
    replyTo,
    text: sameText(text, message.body),
    html: sameText(html, message.htmlBody),
    // Alternatives that a parser does not know are attachments without a name to it.
    attachments: message.alternatives.length > 0 ? files.filter(isNamed) : files,
  };
}

/** The copy of an invitation, unless the message has its own. */
function copies({ alternatives, attachments }: EmailMessage): ReadMail['attachments'] {
  const isCalendar = ({ mimetype }: { readonly mimetype: string }) => mimetype.startsWith('text/calendar');
  if (attachments.some(isCalendar)) return [];
  return alternatives.filter(isCalendar).map(({ content }) => ({
    filename: 'invite.ics',
    contentId: null,
    content: Buffer.from(content.replace(/\r?\n/g, '\r\n')).toString('base64'),
  }));
}

function isNamed({ filename, contentId }: ReadMail['attachments'][number]): boolean {
  return filename !== null || contentId !== null;
}
