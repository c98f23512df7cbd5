import assert from 'node:assert/strict';
import { readAddresses } from '../../mime/read/addresses.ts';
import { headerText, headerValue } from '../../mime/read/headers.ts';
import { type ContractRule, describeError, mail, type Trial } from './trial.ts';

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const LARGE = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7919) >> 3);

/** What arrives is what was given. */
export const CONTENT_RULES: readonly ContractRule[] = [
  {
    name: 'to, cc and bcc all get the mail',
    async check(trial) {
      await trial.deliver(
        mail(['a@example.org', 'B <b@example.org>'], { cc: 'c@example.org', bcc: ['d@example.org'] }),
      );
      const expected = ['a', 'b', 'c', 'd'].map((name) => [`${name}@example.org`, 1]);
      assert.deepEqual([...(await trial.counts())].toSorted(), expected);
    },
  },
  {
    name: 'bcc is in no header',
    async check(trial) {
      await trial.deliver(mail('a@example.org', { bcc: 'Hidden <secret@hidden.example>' }));
      const received = await trial.subject.received();
      assert(received.length > 0, 'nothing arrived');
      for (const { source } of received) {
        const text = Buffer.from(source).toString();
        assert.doesNotMatch(text, /^bcc:|secret@hidden|Hidden/im, 'the source names who is in bcc');
      }
    },
  },
  {
    name: 'names, addresses and subject arrive as they were given',
    async check(trial) {
      const subject = 'Grüße aus Köln, 東京 & сюда 🎉, und noch ein paar Wörter, damit die Zeile zu lang wird';
      const sender = { name: 'Łódź, Ltd.', address: 'sender@example.com' };
      const to = { name: 'Jürgen "J" Müller', address: 'j@example.org' };
      const { thrown } = await trial.send([mail([], { subject, fromEmail: sender, to })]);
      // A provider that shows a name of its own must not drop the given one in silence.
      const isRefused = thrown?.code === 'unsupported-feature';
      if (isRefused) {
        await trial.nothingArrived();
        await trial.deliver(mail([], { subject, fromEmail: sender.address, to }));
      } else if (thrown !== null) assert.fail(`it threw: ${describeError(thrown)}`);
      const { headers } = (await trial.only()).tree.root;
      const people = (name: string) => readAddresses(headerValue(headers, name) ?? '');
      assert.deepEqual(people('from'), [isRefused ? { name: '', address: sender.address } : sender]);
      assert.deepEqual(people('to'), [to]);
      assert.equal(headerText(headers, 'subject'), subject);
    },
  },
  {
    name: 'reply-to and custom headers arrive',
    async check(trial) {
      const changes = { replyTo: 'Help <help@example.com>', headers: { 'X-Order': 'Nr. 17 für Sie' } };
      await trial.deliver(mail('a@example.org', changes));
      const { headers } = (await trial.only()).tree.root;
      assert.deepEqual(readAddresses(headerValue(headers, 'reply-to') ?? ''), [
        { name: 'Help', address: 'help@example.com' },
      ]);
      assert.equal(headerText(headers, 'x-order'), 'Nr. 17 für Sie');
    },
  },
  {
    name: 'text and HTML arrive as they were given',
    async check(trial) {
      const body = `Schöne Grüße 🎉\n.\n..two dots\nFrom the start\n${'long '.repeat(400)}end\n\n-- \nA = B`;
      const htmlBody = `<p class="x">Schöne Grüße 🎉</p>\n.\n${'<b>long</b>'.repeat(200)}`;
      await trial.deliver(mail('a@example.org', { body, htmlBody }));
      const content = await trial.only();
      assert.equal(plain(content.text()), body);
      assert.equal(plain(content.html()), htmlBody);
    },
  },
  {
    name: 'a body that looks like the protocol stays a body',
    async check(trial) {
      const evil = 'MAIL FROM:<evil@example.com>\nRCPT TO:<victim@example.org>\nDATA\nSubject: evil\n\nevil';
      for (const [index, end] of ['\r\n.\r\n', '\n.\n', '\r\n.\n', '\n.\r\n', '\r.\r'].entries()) {
        await trial.deliver(mail(`user${index}@example.org`, { body: `Hello${end}${evil}` }));
      }
      assert.deepEqual([...(await trial.counts()).keys()].toSorted(), users(5));
    },
  },
  {
    name: 'attachments arrive byte for byte',
    async check(trial) {
      await trial.deliver(
        mail('a@example.org', {
          attachments: [
            { filename: 'every byte.bin', content: EVERY_BYTE },
            { filename: 'Rechnung März – 東京.pdf', content: LARGE },
            { filename: 'empty.txt', content: '' },
            { filename: 'lines.txt', content: 'a\r\nb\nc\rd\n.\n' },
          ],
        }),
      );
      const files = await attachments(trial);
      assert.deepEqual([...files.keys()].toSorted(), [
        'Rechnung März – 東京.pdf',
        'empty.txt',
        'every byte.bin',
        'lines.txt',
      ]);
      assert(EVERY_BYTE_BUFFER.equals(files.get('every byte.bin') ?? EMPTY), 'every byte.bin differs');
      assert(Buffer.from(LARGE).equals(files.get('Rechnung März – 東京.pdf') ?? EMPTY), 'the large file differs');
      assert.equal(files.get('empty.txt')?.length, 0);
      assert.equal(Buffer.from(files.get('lines.txt') ?? EMPTY).toString(), 'a\r\nb\nc\rd\n.\n');
    },
  },
  {
    name: 'an inline image arrives byte for byte, or the mail is refused',
    async check(trial) {
      const image = { filename: 'logo.png', content: EVERY_BYTE, contentId: 'logo' };
      const { thrown } = await trial.send([
        mail('a@example.org', { htmlBody: '<img src="cid:logo">', attachments: [image] }),
      ]);
      if (thrown !== null) {
        assert.equal(thrown.code, 'unsupported-feature', `it threw: ${describeError(thrown)}`);
        await trial.nothingArrived();
        return;
      }
      const files = await attachments(trial);
      assert(EVERY_BYTE_BUFFER.equals(files.get('logo.png') ?? EMPTY), 'the inline image differs');
    },
  },
  {
    name: 'an address that is given twice gets the mail once',
    async check(trial) {
      await trial.deliver(
        mail(['a@example.org', 'A <a@EXAMPLE.org>'], { cc: 'a@example.org', bcc: ['a@example.org', 'b@example.org'] }),
      );
      assert.deepEqual([...(await trial.counts())].toSorted(), [
        ['a@example.org', 1],
        ['b@example.org', 1],
      ]);
    },
  },
  {
    name: 'messages are left as they were given',
    async check(trial) {
      const to = Object.freeze(['A <a@example.org>']);
      const attachment = Object.freeze({ filename: 'a.txt', content: 'a' });
      const message = Object.freeze(mail(to, { attachments: Object.freeze([attachment]), headers: Object.freeze({}) }));
      const before = JSON.stringify(message);
      await trial.deliver(message);
      assert.equal(JSON.stringify(message), before);
    },
  },
];

const EMPTY = Buffer.alloc(0);
const EVERY_BYTE_BUFFER = Buffer.from(EVERY_BYTE);

async function attachments(trial: Trial): Promise<Map<string, Uint8Array>> {
  const content = await trial.only();
  return new Map(
    content.attachments.map(({ filename, path }) => [filename ?? '', content.content(path)?.bytes ?? EMPTY]),
  );
}

function plain(text: string | null): string | undefined {
  return text?.replaceAll('\r\n', '\n').replace(/\n$/, '');
}

function users(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `user${index}@example.org`);
}
