import type { EmailMessageInit } from '../../src/model/message-init.ts';

const BASE = { subject: 'Hello', fromEmail: 'Jane Doe <jane@example.com>', to: ['bob@example.org'] };
const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]);
const ALL_OCTETS = Uint8Array.from({ length: 1024 }, (_, at) => at & 255);
const INVITATION = [
  'BEGIN:VCALENDAR',
  'METHOD:REQUEST',
  'BEGIN:VEVENT',
  'SUMMARY:Frühstück',
  'END:VEVENT',
  'END:VCALENDAR',
  '',
];
const FORWARDED = 'From: a@example.com\r\nTo: b@example.org\r\nSubject: inner\r\n\r\nInner text\r\n.\r\nFrom here\r\n';

function bytes(length: number): Uint8Array {
  return ALL_OCTETS.slice(0, length);
}

function body(text: string): Partial<EmailMessageInit> {
  return { body: text };
}

function subject(text: string): Partial<EmailMessageInit> {
  return { subject: text, body: 'x' };
}

function from(name: string): Partial<EmailMessageInit> {
  return { fromEmail: { name, address: 'jane@example.com' }, body: 'x' };
}

function file(
  filename: string | null,
  content: string | Uint8Array = 'x',
  mimetype = 'application/pdf',
): Partial<EmailMessageInit> {
  return { body: 'See the file.', attachments: [{ filename, content, mimetype }] };
}

const MESSAGES: Readonly<Record<string, Partial<EmailMessageInit>>> = {
  // RFC 5322, section 2.1.1: the length of lines
  '5322-2.1.1-subject-unbroken-1500': subject('x'.repeat(1500)),
  '5322-2.1.1-subject-words-1500': subject('lorem ipsum dolor '.repeat(84).trim()),
  '5322-2.1.1-subject-78': subject('y'.repeat(69)),
  '5322-2.1.1-subject-79': subject('y'.repeat(70)),
  '5322-2.1.1-header-words': { body: 'x', headers: { 'X-Story': 'once upon a time '.repeat(30).trim() } },
  '5322-2.1.1-header-unbroken': {
    body: 'x',
    headers: { 'X-Token': 'z'.repeat(1500), 'X-Link': `https://example.com/${'p'.repeat(300)}` },
  },
  '5322-2.1.1-header-long-name': {
    body: 'x',
    headers: { [`X-${'N'.repeat(70)}`]: 'a value beside a very long name', [`X-${'M'.repeat(70)}`]: 'Ärger' },
  },
  '5322-2.1.1-text-2000': body(`${'q'.repeat(2000)}\nshort\n`),
  '5322-2.1.1-html-2000': { htmlBody: `<p>${'w'.repeat(2000)}</p>` },
  '5322-2.1.1-text-78': body(`${'a'.repeat(78)}\n${'b'.repeat(79)}\n`),
  // Section 2.3: line ends
  '5322-2.3-bare-lf': body('one\ntwo\n\nthree'),
  '5322-2.3-bare-cr': body('one\rtwo\r\rthree\r'),
  '5322-2.3-mixed-ends': body('one\r\ntwo\nthree\rfour\n\r\n\r'),
  '5322-2.3-smuggling': body('a\n.\nb\r.\rc\r\n.\nd\n.\r\ne\r\n.\rf\r\n.\r\nMAIL FROM:<x@example.com>'),
  '5322-2.3-only-line-ends': body('\n\n\n'),
  '5322-2.3-html-line-ends': { htmlBody: '<p>one\rtwo\nthree\r\n</p>', body: 'é\rè\nê\r\n' },
  // Section 3.4: addresses
  '5322-3.4-name-with-comma': from('Doe, Jane (Sales) <jane@evil.example>'),
  '5322-3.4-name-with-quotes': from('Jane "JD" \\ Doe'),
  '5322-3.4-name-with-dots': from('J. R. R. Doe'),
  '5322-3.4-name-ascii-300': from('Jane '.repeat(60).trim()),
  '5322-3.4-name-unbroken-200': from('j'.repeat(200)),
  '5322-3.4-name-spaces': from('Jane  Doe   X'),
  '5322-3.4-name-like-address': from('jane@evil.example'),
  '5322-3.4-name-apostrophe': from("Jane O'Neill"),
  '5322-3.4-quoted-local-part': { to: ['"john doe"@example.org', '"a@b"@example.org'], body: 'x' },
  '5322-3.4-address-literal': { to: ['bob@[192.0.2.1]', 'bob@[IPv6:2001:db8::1]'], body: 'x' },
  '5322-3.4-long-address': {
    to: [`Bob <${'b'.repeat(64)}@${'c'.repeat(60)}.example.org>`, `${'d'.repeat(64)}@example.org`],
    body: 'x',
  },
  '5322-3.4-group': { to: ['Team: a@example.org, Bö <b@example.org>;', 'c@example.org'], body: 'x' },
  '5322-3.4-group-empty': { to: ['undisclosed-recipients:;'], bcc: ['hidden@example.org'], body: 'x' },
  '5322-3.4-only-bcc': { to: [], bcc: ['hidden@example.org'], body: 'x' },
  '5322-3.4-only-cc': { to: [], cc: ['Cc <cc@example.org>'], body: 'x' },
  '5322-3.4-recipients-300': {
    to: Array.from({ length: 300 }, (_, at) => `Person ${at} <p${at}@example.org>`),
    body: 'x',
  },
  '5322-3.4-recipients-100-accents': {
    to: Array.from({ length: 100 }, (_, at) => `Jürgen Müller ${at} <p${at}@example.org>`),
    body: 'x',
  },
  '5322-3.4-reply-to': { replyTo: ['Help <help@example.com>', 'Büro <buero@example.com>'], body: 'x' },
  '5322-3.6.4-references': {
    body: 'x',
    messageId: 'fixed.one@example.com',
    inReplyTo: '<parent@example.com>',
    references: Array.from({ length: 40 }, (_, at) => `<ancestor.${at}.${'r'.repeat(30)}@example.com>`),
  },
  '5322-3.6.4-long-ids': {
    body: 'x',
    messageId: `${'i'.repeat(400)}@example.com`,
    inReplyTo: `${'j'.repeat(400)}@example.com`,
  },
  '5322-3.6.5-subject-empty': { subject: '', body: 'no subject' },
  '5322-3.3-date': { body: 'x', date: new Date(Date.UTC(2024, 1, 29, 23, 59, 59)) },
  // RFC 2047: encoded-words
  '2047-2-everything-beyond-ascii': {
    subject: 'Прощай, 世界 — ça va?',
    fromEmail: 'Zoë Ünal <zoe@example.com>',
    to: ['Łukasz Żółć <l@example.org>', '山田太郎 <yamada@example.org>'],
    cc: ['محمد <m@example.org>'],
    replyTo: ['Σωκράτης <s@example.org>'],
    body: 'Ünïcödé\n',
    htmlBody: '<p>Ünïcödé ✓</p>',
    headers: { 'X-Note': 'Größe: 5 µm' },
    attachments: [{ filename: 'Überweisung 世界.pdf', content: bytes(100) }],
  },
  '2047-2-subject-emoji': subject('🎉🎊🥳 Party! '.repeat(12).trim()),
  '2047-2-subject-family-emoji': subject('👨‍👩‍👧‍👦👩🏽‍🚀🏳️‍🌈'.repeat(10)),
  '2047-2-subject-chinese-300': subject('永和九年歲在癸丑'.repeat(40)),
  '2047-2-subject-hebrew': subject('שלום עולם, זה מבחן של כתיבה מימין לשמאל'),
  '2047-2-subject-arabic-mixed': subject('مرحبا (Hello) 123 بالعالم \u200f!'),
  '2047-2-subject-combining': subject('Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞'),
  '2047-2-subject-one-accent-long': subject(`${'plain words and then '.repeat(10)}é`),
  '2047-2-name-emoji': from('💌 The 💌 Letter 💌 Company 💌 with a long name that goes on and on 💌'),
  '2047-2-name-bidi-controls': from('\u202eenaJ\u202c Doe'),
  '2047-4.2-subject-marks': subject('a_b?c=d é _ ? ='),
  '2047-4.2-subject-two-spaces': subject('two  spaces   three'),
  '2047-4.2-subject-outer-spaces': subject('  é inner  spaces é '),
  '2047-5-subject-look-alike': subject('=?utf-8?q?not_encoded?= and =?UTF-8?B?aGk=?='),
  '2047-5-subject-half-look-alike': subject('What =?'),
  '2047-5-name-look-alike': from('=?utf-8?q?Boss?='),
  '2047-5-filename-look-alike': file('=?utf-8?q?x?=.pdf'),
  // RFC 2045, section 6.7: quoted-printable
  '2045-6.7-trailing-white-space': body('one \ntwo\t\n three\n-- \nJane '),
  '2045-6.7-lone-dots': body('.\n..\n.x\n\n.'),
  '2045-6.7-from-lines': body('From me to you\n>From x\nFrom: y\nFrom'),
  '2045-6.7-equals-signs': body('a=b =3D =\n====\né='),
  '2045-6.7-accents': body('Les élèves étaient très étonnés à Noël. '.repeat(100)),
  '2045-6.7-accents-at-breaks': body(Array.from({ length: 80 }, (_, at) => `${'x'.repeat(at)}é😀.From y`).join('\n')),
  '2045-6.7-tabs': body('a\tb\n\tc\né\t\n'),
  '2045-6.7-lone-surrogate': body('a\ud800b \udc00 é'),
  '2045-6.7-html-entities': { htmlBody: '<a href="https://example.com/?a=1&amp;b=2">é</a>\n'.repeat(20) },
  // Section 6.8: base64
  '2045-6.8-cyrillic': body('Съешь же ещё этих мягких французских булок, да выпей чаю. '.repeat(30)),
  '2045-6.8-chinese-html': { htmlBody: '<p>天地玄黃 宇宙洪荒</p>'.repeat(20), body: '天地玄黃\n宇宙洪荒\n'.repeat(20) },
  '2045-6.8-lengths': {
    body: 'x',
    attachments: [0, 1, 2, 3, 56, 57, 58, 114, 1024].map((length) => ({
      filename: `${length}.bin`,
      content: bytes(length),
    })),
  },
  '2045-6.8-text-file': file('notes.txt', 'line\nline\r\nlast\ré ', 'text/plain'),
  '2045-6.8-latin1-file': file(
    'latin1.csv',
    Uint8Array.from([0xe9, 0x0a, 0xff]),
    'text/csv; charset=iso-8859-1; header=present',
  ),
  // RFC 2046: the tree
  '2046-5.1.3-only-attachment': { attachments: [{ filename: 'a.bin', content: bytes(10) }] },
  '2046-5.1.3-empty-attachment': file('empty.txt', ''),
  '2046-5.1.3-empty-text': body(''),
  '2046-5.1.3-empty-text-and-attachments': {
    body: '',
    attachments: [
      { filename: 'a.bin', content: bytes(10) },
      { filename: 'b.bin', content: bytes(0) },
    ],
  },
  '2046-5.1.4-text-html': { body: 'Plain', htmlBody: '<p>Rich</p>' },
  '2046-5.1.4-html-only': { htmlBody: '<p>Rich</p>' },
  '2046-5.1.4-html-empty': { body: 'Plain', htmlBody: '' },
  '2046-5.1.4-amp': {
    body: 'Plain',
    htmlBody: '<p>Rich</p>',
    alternatives: [{ mimetype: 'text/x-amp-html', content: '<!doctype html><html ⚡4email></html>' }],
  },
  '2046-5.2.1-forwarded': {
    body: 'See below.',
    attachments: [{ filename: 'fwd.eml', mimetype: 'message/rfc822', content: FORWARDED }],
  },
  '2046-5.2.1-forwarded-lf': {
    body: 'See below.',
    attachments: [{ filename: null, mimetype: 'message/rfc822', content: FORWARDED.replaceAll('\r\n', '\n') }],
  },
  '2046-5.1.1-boundary-in-text': {
    body: '--=_1_fixed\n--=_1_fixed--\n',
    attachments: [{ filename: 'a.bin', content: bytes(10) }],
  },
  // RFC 2387: inline images
  '2387-3.1-inline': {
    htmlBody: '<img src="cid:logo">',
    attachments: [{ filename: 'logo.png', content: PNG, contentId: 'logo' }],
  },
  '2387-3.1-inline-everything': {
    body: 'Plain é',
    htmlBody: '<img src="cid:logo@example.com"><img src="cid:b">é',
    alternatives: [{ mimetype: 'text/calendar', content: INVITATION.join('\n') }],
    attachments: [
      { filename: 'logo.png', content: PNG, contentId: 'logo@example.com' },
      { filename: null, content: PNG, contentId: 'b', mimetype: 'image/png' },
      { filename: 'report.pdf', content: bytes(500) },
    ],
  },
  '2387-3.1-inline-without-html': {
    body: 'x',
    attachments: [{ filename: 'logo.png', content: PNG, contentId: 'logo' }],
  },
  // RFC 6047: calendars
  '6047-2.4-invitation': {
    body: 'Come',
    alternatives: [{ mimetype: 'text/calendar; method=REQUEST', content: INVITATION.join('\r\n') }],
  },
  '6047-2.4-own-copy': {
    body: 'Come',
    alternatives: [{ mimetype: 'text/calendar', content: INVITATION.join('\r\n') }],
    attachments: [{ filename: 'mine.ics', content: INVITATION.join('\r\n') }],
  },
  // RFC 2231: file names
  '2231-3-filename-ascii-200': file(`${'a'.repeat(196)}.pdf`),
  '2231-3-filename-words-200': file(`${'quarterly report '.repeat(12).trim()}.pdf`),
  '2231-3-filename-accents-200': file(`${'é'.repeat(196)}.pdf`),
  '2231-3-filename-emoji-200': file(`${'👩‍🚀'.repeat(40)}.pdf`),
  '2231-4-filename-accents': file('Résumé für Zoë.pdf'),
  '2231-4-filename-quotes': file('a "quoted" name; and; more=1.pdf'),
  '2231-4-filename-percent': file("100%25 'sure' (1).pdf"),
  '2231-4-filename-spaces': file(' two  spaces .pdf '),
  '2231-4-filename-hebrew': file('שלום.pdf'),
  '2231-4-filename-none': file(null, PNG, 'image/png'),
  '2231-4-filename-dots': file('..hidden..'),
  // Further headers
  '8058-3.1-list-unsubscribe': {
    body: 'x',
    listUnsubscribe: { url: `https://example.com/u?${'k=v&'.repeat(30)}`, mailto: 'leave@example.com', oneClick: true },
    headers: { 'List-Id': 'News <news.example.com>', 'Auto-Submitted': 'auto-generated' },
  },
  '2369-3.2-list-unsubscribe-mailto': {
    body: 'x',
    listUnsubscribe: { mailto: 'mailto:leave@example.com?subject=leave' },
  },
  '2156-priority-high': { body: 'x', priority: 'high' },
  '2156-priority-low': { body: 'x', priority: 'low' },
  '5322-3.6.8-custom-headers': {
    body: 'x',
    headers: { 'X-Empty': '', 'X-Note': 'Grüße  aus', 'Disposition-Notification-To': 'Zoë <zoe@example.com>' },
  },
  // RFC 3492 and 6531: addresses beyond ASCII
  '3492-domain': { to: ['Bücher <jane@bücher.example>', 'x@例え.テスト'], fromEmail: 'a@faß.example', body: 'x' },
};

/** Messages whose headers must be UTF-8, so that only SMTPUTF8 can carry them. */
const UTF8_MESSAGES: Readonly<Record<string, Partial<EmailMessageInit>>> = {
  '6531-3.4-local-part': { to: ['Jörg <jörg@bücher.example>'], body: 'Grüße' },
  '6531-3.4-local-part-and-file': { ...file('Grüße.pdf'), fromEmail: 'Ünal <ünal@example.com>' },
};

const withBase = ([name, init]: [string, Partial<EmailMessageInit>]): readonly [string, EmailMessageInit] => [
  name,
  { ...BASE, ...init },
];

/** Name, by the section of the RFC that it is about, and message: whatever was ever hard on a composer. */
export const CORPUS: readonly (readonly [string, EmailMessageInit])[] = Object.entries(MESSAGES).map(withBase);

export const UTF8_CORPUS: readonly (readonly [string, EmailMessageInit])[] =
  Object.entries(UTF8_MESSAGES).map(withBase);

/** What makes composing repeatable. */
export const FIXED = {
  date: new Date(Date.UTC(2026, 10, 22, 9, 30)),
  messageId: 'fixed@example.com',
  boundary: 'fixed',
};
