// How long it takes from a plain object to the bytes of a mail: npm run bench -- compose
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { createMessage } from '@upyo/core';
import { Message } from 'emailjs';
import MailComposer from 'nodemailer/lib/mail-composer';
import { composeMessage } from '../src/mime/compose/compose.ts';
import { EmailMessage } from '../src/model/message.ts';
import { type BenchRow, median, report } from './report.ts';

interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  readonly to: readonly string[];
  readonly file?: Buffer;
}

type Composer = (mail: Mail) => Uint8Array | Promise<Uint8Array>;

const FROM = 'Jane Doe <jane@example.com>';
const FILE = { filename: 'report.pdf', contentType: 'application/pdf' };

/** @upyo/smtp keeps its composer to itself: a copy of the module with one more export brings it out. */
async function loadUpyo(): Promise<Composer> {
  const path = createRequire(import.meta.url).resolve('@upyo/smtp');
  mkdirSync('.cache/bench', { recursive: true });
  const source = readFileSync(path.replace(/\.cjs$/, '.js'), 'utf8');
  writeFileSync('.cache/bench/upyo-smtp.mjs', `${source}\nexport { convertMessage };\n`);
  const { convertMessage } = (await import(pathToFileURL('.cache/bench/upyo-smtp.mjs').href)) as {
    convertMessage(message: unknown): Promise<{ readonly raw: string }>;
  };
  return async ({ subject, text, html, to, file }) => {
    const message = createMessage({
      from: FROM as `${string} <${string}@${string}>`,
      to: to as `${string}@${string}`[],
      subject,
      content: html === undefined ? { text } : { text, html },
      ...(file && { attachments: { inline: false, content: file, contentId: '', ...FILE } as never }),
    });
    return Buffer.from((await convertMessage(message)).raw, 'utf8');
  };
}

const composers: Record<string, Composer> = {
  'amsdal-mail': ({ subject, text, html, to, file }) =>
    composeMessage(
      new EmailMessage({
        subject,
        body: text,
        fromEmail: FROM,
        to,
        ...(html !== undefined && { htmlBody: html }),
        ...(file && { attachments: [{ filename: FILE.filename, mimetype: FILE.contentType, content: file }] }),
      }),
    ),
  nodemailer: ({ subject, text, html, to, file }) =>
    new MailComposer({
      from: FROM,
      to: [...to],
      subject,
      text,
      ...(html !== undefined && { html }),
      ...(file && { attachments: [{ ...FILE, content: file }] }),
    })
      .compile()
      .build(),
  '@upyo/smtp': await loadUpyo(),
  emailjs: async ({ subject, text, html, to, file }) => {
    const attachment = [
      ...(html === undefined ? [] : [{ data: html, alternative: true }]),
      ...(file ? [{ data: file as never, name: FILE.filename, type: FILE.contentType }] : []),
    ];
    const message = new Message({
      from: FROM,
      to: [...to],
      subject,
      text,
      ...(attachment.length > 0 && { attachment }),
    });
    return Buffer.from(await message.readAsync(), 'utf8');
  },
};

/** Ordinary prose: about one letter in twenty is beyond ASCII, so that quoted-printable is the shorter form. */
const ACCENTS =
  'Le marché de la place ouvre à huit heures, et l’été commence bien pour tout le monde: il y a du pain frais. ';
/** How long a library may warm up for each case: the compiler of the engine takes its time. */
const WARM_UP_MS = 3_000;
let serial = 0;

function prose(length: number): string {
  let text = '';
  while (text.length < length) text += ACCENTS + (text.length % 700 < 110 ? '\n' : '');
  return text.slice(0, length);
}

function file(octets: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: octets }, (_, at) => (at * 31) & 255));
}

const LETTER = { text: prose(2_000), html: `<p>${prose(2_000).replaceAll('\n', '</p>\n<p>')}</p>` };

interface Case {
  readonly name: string;
  readonly target: number;
  readonly times: number;
  mail(): Mail;
}

const cases: readonly Case[] = [
  {
    name: 'tiny ASCII text',
    target: 40,
    times: 3_000,
    mail: () => ({
      subject: `Order ${++serial}`,
      text: 'Thank you. It is on its way.',
      to: [`u${serial}@example.org`],
    }),
  },
  {
    name: 'text + html, 4 KB, accents',
    target: 10,
    times: 800,
    mail: () => ({ ...LETTER, subject: `Bulletin d’été ${++serial}`, to: [`u${serial}@example.org`] }),
  },
  {
    name: '+ 100 KB attachment',
    target: 3.5,
    times: 200,
    mail: ((content: Buffer) => () => ({
      ...LETTER,
      subject: `Bulletin d’été ${++serial}`,
      to: [`u${serial}@example.org`],
      file: content,
    }))(file(100 * 1024)),
  },
  {
    name: '10 MB attachment',
    target: 1.3,
    times: 3,
    mail: ((content: Buffer) => () => ({
      subject: `Archive ${++serial}`,
      text: 'Here it is.',
      to: [`u${serial}@example.org`],
      file: content,
    }))(file(10 * 1024 * 1024)),
  },
  {
    name: '100 recipients, non-ASCII names',
    target: 25,
    times: 50,
    mail: () => {
      serial++;
      const to = Array.from({ length: 100 }, (_, at) => `Jürgen Müller ${serial} ${at} <u${serial}.${at}@example.org>`);
      return { subject: `Einladung ${serial}`, text: 'Bis bald.', to };
    },
  },
];

/** Microseconds of the processor a mail, the mails themselves made before; a busy machine does not change it much. */
async function time(composer: Composer, { times, mail }: Case): Promise<number> {
  const mails = Array.from({ length: times }, mail);
  const start = process.cpuUsage();
  for (const each of mails) {
    const bytes = composer(each);
    if (bytes instanceof Promise) await bytes;
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / times;
}

async function measure(subject: Case): Promise<BenchRow> {
  const rounds: Record<string, number[]> = {};
  for (const composer of Object.values(composers)) {
    for (const end = performance.now() + WARM_UP_MS; performance.now() < end; ) await time(composer, subject);
  }
  for (let round = 0; round < 5; round++) {
    for (const [name, composer] of Object.entries(composers)) {
      rounds[name] = [...(rounds[name] ?? []), await time(composer, subject)];
    }
  }
  const results = Object.fromEntries(Object.entries(rounds).map(([name, times]) => [name, median(times)]));
  return { name: subject.name, results, unit: 'us', target: subject.target };
}

/** How many MB a fresh process grows by for one mail of 10 MB. */
async function peak(name: string): Promise<void> {
  const subject = cases.find((each) => each.target === 1.3);
  const composer = composers[name];
  if (!subject || !composer) throw new Error(`no such composer: ${name}`);
  const small = cases[0]?.mail();
  if (small) await composer(small);
  const mail = subject.mail();
  const before = process.memoryUsage.rss();
  await composer(mail);
  console.log((process.resourceUsage().maxRSS / 1024 - before / 2 ** 20).toFixed(1));
}

function runAlone(...args: readonly string[]): string {
  const script = process.argv[1] ?? '';
  return execFileSync(process.execPath, [...process.execArgv, script, ...args], { encoding: 'utf8' });
}

function peakRow(): BenchRow {
  const results = Object.fromEntries(
    Object.keys(composers).map((name) => {
      const peaks = Array.from({ length: 5 }, () => Number(runAlone('--peak', name)));
      return [name, median(peaks)];
    }),
  );
  return { name: '10 MB attachment, memory', results, unit: 'MB', target: 1.67 };
}

const [, , task, argument = ''] = process.argv;
const subject = cases[Number(argument)];
if (task === '--peak') await peak(argument);
else if (task === '--case' && subject) console.log(JSON.stringify(await measure(subject)));
else {
  // Each case in a process of its own, so that no library is compiled for the mails of another case.
  const rows: readonly BenchRow[] = cases.map((_, index) => JSON.parse(runAlone('--case', String(index))));
  report('compose', [...rows, peakRow()]);
}
