import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import PostalMime from 'postal-mime';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { outputFor } from '../../src/cli/output.ts';
import { isSound, type MailReport, printReport, reportMail } from '../../src/cli/send/mail-report.ts';
import { runCli } from './run-cli.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/mime', import.meta.url));
const NAMES = readdirSync(FIXTURES).filter((name) => name.endsWith('.eml'));

afterEach(() => vi.restoreAllMocks());

/** What a terminal would get. */
function printed(report: MailReport): string {
  let text = '';
  vi.spyOn(stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  printReport(report, outputFor({ 'no-color': true }));
  vi.restoreAllMocks();
  return text;
}

/** Whatever could move a cursor, ring a bell or turn a line round. */
const HARMFUL = /[^\P{Cc}\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

const RECEIPT = [
  'From: =?utf-8?Q?J=C3=BCrgen?= <juergen@example.com>',
  'To: jane@example.org',
  'Subject: Your receipt',
  'List-Unsubscribe: <https://example.com/u>',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=out',
  '',
  '--out',
  'Content-Type: multipart/related; boundary=in',
  '',
  '--in',
  'Content-Type: text/html; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  '<p>Gr=C3=BC=C3=9Fe</p><img src=3D"cid:logo" alt=3D"" width=3D1 height=3D1><img src=3D"cid:gone" alt=3D"" width=3D1 height=3D1>',
  '--in',
  'Content-Type: image/png',
  'Content-Disposition: inline; filename=logo.png',
  'Content-ID: <logo>',
  'Content-Transfer-Encoding: base64',
  '',
  'iVBORw0KGgo=',
  '--in--',
  '--out',
  'Content-Type: application/pdf; name="receipt.pdf"',
  'Content-Disposition: attachment; filename="receipt.pdf"',
  'Content-Transfer-Encoding: base64',
  '',
  'JVBERi0xLjcK',
  '--out--',
  '',
].join('\r\n');

describe('amsdal-mail render', () => {
  test('shows headers, parts, sizes, encodings and faults', async () => {
    const { code, stdout: shown, stderr } = await runCli(['render', '-'], { input: RECEIPT });
    expect(stderr).toBe('');
    expect(shown).toBe(`standard input  816 octets, parts: 5

Headers
  From              Jürgen <juergen@example.com>
  To                jane@example.org
  Subject           Your receipt
  List-Unsubscribe  <https://example.com/u>
  MIME-Version      1.0
  Content-Type      multipart/mixed; boundary=out

Parts
       multipart/mixed             7bit              609 octets
  1      multipart/related         7bit              377 octets
  1.1      text/html        utf-8  quoted-printable  126 octets, 102 decoded
  1.2      image/png               base64            12 octets, 8 decoded     inline logo.png cid:logo
  2      application/pdf           base64            12 octets, 9 decoded     attachment receipt.pdf

Text
  none, but HTML of 100 characters

Lint
  warning  There is no plain text part. (no-text)
           -> Give body next to htmlBody, or autoText: true: some people and most spam filters read it.
  error    The HTML names an inline image that is not in the message; readers show a broken one. (cid-without-part)
           cid:gone
           -> Attach it with that contentId, spelled exactly as in the HTML.
`);
    expect(code).toBe(1);
  });

  test('has it all in JSON', async () => {
    const { code, stdout: shown } = await runCli(['render', '-', '--json'], { input: RECEIPT });
    expect(code).toBe(1);
    expect(JSON.parse(shown)).toMatchObject({
      octets: RECEIPT.length,
      isComplete: true,
      text: null,
      html: expect.stringContaining('<p>Grüße</p>'),
      parts: [
        { path: '', type: 'multipart/mixed' },
        { path: '1', type: 'multipart/related' },
        { path: '1.1', type: 'text/html', charset: 'utf-8', encoding: 'quoted-printable' },
        {
          path: '1.2',
          type: 'image/png',
          encoding: 'base64',
          octets: 12,
          size: 8,
          contentId: 'logo',
          disposition: 'inline',
        },
        { path: '2', type: 'application/pdf', octets: 12, size: 9, filename: 'receipt.pdf' },
      ],
      lint: expect.arrayContaining([
        expect.objectContaining({ id: 'cid-without-part', severity: 'error', places: ['cid:gone'] }),
        expect.objectContaining({ id: 'no-text', severity: 'warning' }),
      ]),
    });
  });

  test.each([
    [['render'], 'render takes one file'],
    [['render', 'a.eml', 'b.eml'], 'render takes one file'],
    [['render', '/nowhere/a.eml'], 'cannot be read'],
    [['explain', 'a.eml', '--eml', 'b.eml'], 'explain takes one mail'],
    [['explain', '--subject', 'x', '--text', '/dev/null'], '--from is missing'],
  ])('%s is a wrong usage', async (args, reason) => {
    const { code, stdout: shown, stderr } = await runCli(args);
    expect(code).toBe(2);
    expect(shown).toBe('');
    expect(stderr).toContain(reason);
  });
});

describe('amsdal-mail explain', () => {
  const MAIL = readFileSync(join(FIXTURES, '2046-5.1.4-text-html.eml'));

  test('shows what the backend makes of a mail, and how it goes', async () => {
    const args = ['explain', '-', '--url', 'smtp://jane:secret@mail.example.com:587'];
    const { code, stdout: shown, stderr } = await runCli(args, { input: MAIL });
    expect(stderr).toBe('');
    // The boundary is random.
    expect(shown.replace(/boundary="[^"]+"/, 'boundary="..."')).toBe(`The smtp backend
  how            by SMTP to mail.example.com:587, TLS: required
  envelope from  jane@example.com
  envelope to    bob@example.org
  size           546 octets, parts: 3

Round trips
  a connection, once                    7-10  TCP 1, greeting 1, EHLO 1, STARTTLS 1, TLS handshake 1-2, EHLO 1, AUTH PLAIN to SCRAM 1-3
  a mail, with PIPELINING and CHUNKING  1     MAIL RCPT BDAT content RSET
  a mail, with PIPELINING               2     MAIL RCPT DATA | content
  a mail, with neither                  4     MAIL | RCPT | DATA | content

On the wire, with PIPELINING and CHUNKING
  1  MAIL FROM:<jane@example.com> SIZE=546
     RCPT TO:<bob@example.org>
     BDAT 546 LAST
     (546 octets of content)
     RSET

Headers
  From          Jane Doe <jane@example.com>
  To            bob@example.org
  Subject       Hello
  Date          Sun, 22 Nov 2026 09:30:00 +0000
  Message-ID    <fixed@example.com>
  MIME-Version  1.0
  Content-Type  multipart/alternative; boundary="..."

Parts
     multipart/alternative         7bit  293 octets
  1    text/plain           utf-8  7bit  5 octets
  2    text/html            utf-8  7bit  11 octets

Text
  Plain

Lint
  info     There is no List-Unsubscribe header. (unsubscribe-missing)
           -> Give listUnsubscribe: {url, oneClick: true} if this is bulk mail: Gmail and Yahoo ask for it (RFC 8058). Leave it out of receipts and sign-in mails.
`);
    expect(code).toBe(0);
  });

  test('needs no mail to tell how the backend sends', async () => {
    const { code, stdout: shown } = await runCli(['explain', '--backend', 'gmail', '--json'], {
      env: { AMSDAL_EMAIL_USER: 'jane', AMSDAL_EMAIL_PASSWORD: 'secret', AMSDAL_EMAIL_FROM: 'jane@gmail.com' },
    });
    expect(code).toBe(0);
    const { backend, how, envelope, session, wire, mail } = JSON.parse(shown);
    expect({ backend, how, envelope }).toEqual({
      backend: 'smtp',
      how: 'by SMTP to smtp.gmail.com:465, TLS: implicit',
      envelope: { sender: 'jane@gmail.com', recipients: ['somebody@example.org'] },
    });
    expect(session).toMatchObject({ fewest: 5, most: 8 });
    expect(wire.map(({ roundTrips }: { roundTrips: number }) => roundTrips)).toEqual([1, 2, 4]);
    expect(mail.parts).toHaveLength(1);
  });

  test('takes what send takes', async () => {
    const args = [
      '--from',
      'a@example.com',
      '--to',
      'b@example.org',
      '--cc',
      'c@example.org',
      '--subject',
      'Hi',
      '--text',
      '-',
    ];
    const { code, stdout: shown } = await runCli(['explain', '--backend', 'console', ...args], { input: 'Grüße' });
    expect(code).toBe(0);
    expect(shown).toMatch(/how +the console backend prints mails and sends none/);
    expect(shown).toMatch(/envelope to +b@example\.org, c@example\.org/);
    expect(shown).toMatch(/text\/plain +utf-8 +base64 +14 octets, 7 decoded/);
    expect(shown).toMatch(/Text\n {2}Grüße\n/);
  });

  test('fails in one line as send does', async () => {
    const { code, stderr } = await runCli(['explain', '--backend', 'smtp', '--url', 'smtp://x']);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('every mail of the corpus', () => {
  test.each(NAMES)('%s', async (name) => {
    const bytes = readFileSync(join(FIXTURES, name));
    const report = reportMail(bytes);
    const judge = await PostalMime.parse(bytes, { forceRfc822Attachments: true });
    const leaves = report.parts.filter(({ type }) => !type.startsWith('multipart/'));
    expect(leaves.length).toBeGreaterThanOrEqual(judge.attachments.length);
    expect(report.parts.reduce((most, { octets }) => Math.max(most, octets), 0)).toBeLessThan(bytes.length);
    expect(printed(report)).not.toMatch(HARMFUL);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

describe('hostile mails', () => {
  const ESCAPE = '\u001b]0;owned\u0007\u001b[2J\u202egnp.exe';

  test.each([
    ['nothing', ''],
    ['no header', '\r\n\r\nhello'],
    ['no body', 'Subject: x'],
    ['escape sequences in headers', `Subject: ${ESCAPE}\r\nX-${ESCAPE}: y\r\n\r\nx`],
    ['encoded escape sequences', `Subject: =?utf-8?B?${Buffer.from(ESCAPE).toString('base64')}?=\r\n\r\nx`],
    ['escape sequences in the text', `Subject: x\r\n\r\n${ESCAPE}\r\nline\rover\u0000\u009b31m`],
    [
      'escape sequences in file names and Content-IDs',
      `Content-Type: image/png; name="${ESCAPE}"\r\nContent-ID: <${ESCAPE}>\r\nContent-Disposition: ${ESCAPE}\r\n\r\nx`,
    ],
    ['escape sequences in types', `Content-Type: a/${ESCAPE.replace(' ', '')}; charset="${ESCAPE}"\r\n\r\nx`],
    ['3,000 parts', `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(3000)}--b--`],
    ['5,000 headers', `${'A: b\r\n'.repeat(5000)}\r\nx`],
    ['a line of 100,000 characters', `Subject: ${'x'.repeat(100_000)}\r\n\r\n${'y'.repeat(100_000)}`],
    ['100,000 lines', `Subject: x\r\n\r\n${'z\r\n'.repeat(100_000)}`],
    ['binary', Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 31) & 255)).toString('latin1')],
  ])('%s: are shown, short and harmless', (_, mail) => {
    const text = printed(reportMail(Buffer.from(mail, 'utf8')));
    expect(text).not.toMatch(HARMFUL);
    expect(text).toContain('Lint');
    expect(text.length).toBeLessThan(60_000);
  });

  test('a mail is broken for its readers only when lint finds an error', () => {
    expect(isSound(reportMail(Buffer.from('Subject: x\r\n\r\nhello')))).toBe(true);
    expect(isSound(reportMail(Buffer.from(`Subject: x\r\n\r\n${'y'.repeat(2000)}`)))).toBe(false);
  });
});
