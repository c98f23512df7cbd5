import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MailboxServer, startMailbox } from '../../src/mailbox/mailbox.ts';
import { catchSource } from './caught.ts';

/** So many times as much as an honest mail a hostile one may cost; what is not linear costs twenty times and more. */
const MOST = 8;

let mailbox: MailboxServer;
/** What an honest mail of this size costs at most, in milliseconds of this machine. */
let honestCost = 0;

beforeAll(async () => {
  mailbox = (await startMailbox({ port: 0, smtpPort: null })) as MailboxServer; // the class behind the interface
  const html = '<p>Some words, and <a href="https://example.com/order">a link</a>.</p>\n'.repeat(150_000);
  const image = `${Buffer.alloc(57, 'image').toString('base64')}\n`.repeat(250_000);
  const honest = withLineEnds(`Subject: honest\n${related(html, [['image', image]])}`);
  honestCost = Math.min(await costOf(honest), await costOf(honest));
});
afterAll(() => mailbox.close());

/**
 * The longest that a mail keeps the one thread at work when it is taken in or looked at, which is what others wait
 * meanwhile; as time of the processor, which other programs do not change.
 */
async function costOf(source: Uint8Array): Promise<number> {
  let longest = 0;
  const measure = async <T>(work: () => T | Promise<T>): Promise<T> => {
    const before = process.cpuUsage();
    const result = await work();
    longest = Math.max(longest, process.cpuUsage(before).user / 1000);
    return result;
  };
  const id = await measure(() => catchSource(mailbox, source));
  for (const path of ['', '/checks', '/html', '/html?scheme=dark', '/source', '/parts/root', '/parts/1']) {
    const status = await measure(() => statusOf(`${mailbox.url}/api/messages/${id}${path}`));
    expect(status).toBeOneOf([200, 404]);
  }
  return longest;
}

/** The answer's body is not read: by then the work is done. */
function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = get(url, { agent: false }, ({ statusCode }) => {
      resolve(statusCode);
      asked.destroy();
    });
    asked.on('error', reject);
  });
}

function related(html: string, parts: readonly (readonly [contentId: string, base64: string])[]): string {
  const images = parts.map(
    ([id, base64]) =>
      `--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\nContent-ID: <${id}>\n\n${base64}\n`,
  );
  return `Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n${html}\n${images.join('')}--b--`;
}

function withLineEnds(text: string): Buffer {
  return Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');
}

function nest(levels: number): string {
  let mail = 'Content-Type: text/html\n\n<p>deep</p>';
  for (let level = 0; level < levels; level += 1)
    mail = `Content-Type: multipart/mixed; boundary=b${level}\n\n--b${level}\n${mail}\n--b${level}--`;
  return mail;
}

const html = (body: string): string => `Content-Type: text/html\n\n${body}`;
const many = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => make(i)).join('');
const ids = (count: number) => Array.from({ length: count }, (_, index) => [`i${index}`, 'eA=='] as const);

describe('no hostile mail costs many times what an honest one does', () => {
  test.each<[string, () => string | Uint8Array]>([
    ['10,000 parts', () => `Content-Type: multipart/mixed; boundary=b\n\n${'--b\n\nx\n'.repeat(10_000)}--b--`],
    ['50 levels', () => nest(50)],
    ['5,000 levels', () => nest(5000)],
    ['a header of 30 MB', () => Buffer.concat([Buffer.from('Subject: hostile\r\nX: '), Buffer.alloc(30_000_000, 'x')])],
    ['300,000 headers', () => `${'x: y\n'.repeat(300_000)}\nbody`],
    ['a subject of 1 MB', () => `Subject: hostile ${'=?utf-8?q?x?= '.repeat(70_000)}\n\nx`],
    ['100,000 recipients in To', () => `To: ${'a@b.c, '.repeat(100_000)}\n\nx`],
    ['broken base64', () => 'Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n%%%PHA+eA===!!\n===='],
    [
      '30 MB of broken base64',
      () => `Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n${`${'%P=!'.repeat(18)}\n`.repeat(400_000)}`,
    ],
    ['unknown charsets', () => 'Subject: =?nope?b?w/w=?=\nContent-Type: text/html; charset="x-nope"\n\n\xff\xfe'],
    [
      'an image named 10,000 times',
      () => related('<img src="cid:i0">'.repeat(10_000), [['i0', 'QUJD'.repeat(50_000)]]),
    ],
    [
      '900 images named 250,000 times',
      () =>
        related(
          many(250_000, (i) => `<img src="cid:i${i % 900}">`),
          ids(900),
        ),
    ],
    ['900 images that are not named', () => related('<p>cid cid cid:</p>\n'.repeat(250_000), ids(900))],
    ['10 MB of tags', () => html('<a href="http://x/">'.repeat(500_000))],
    ['10 MB of links', () => html(many(300_000, (index) => `<a href="http://x/${index}">`))],
    ['10 MB of <', () => html('<'.repeat(10_000_000))],
    ['10 MB of open quotes', () => html('<a b="'.repeat(1_600_000))],
  ])('%s', async (_, make) => {
    const made = make();
    const source = typeof made === 'string' ? withLineEnds(made) : made;
    let cost = Number.POSITIVE_INFINITY;
    // What the garbage collector does at that moment is no mail's fault.
    for (let tries = 0; tries < 3 && cost > honestCost * MOST; tries += 1) cost = Math.min(cost, await costOf(source));
    expect(
      cost / honestCost,
      `an honest mail costs ${Math.round(honestCost)} ms, this one ${Math.round(cost)} ms`,
    ).toBeLessThan(MOST);
    const { messages } = await (await fetch(`${mailbox.url}/api/messages?limit=1`)).json();
    expect(messages).toHaveLength(1);
  });
});
