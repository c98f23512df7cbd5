import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EmailBackend } from '../../src/backend/backend.ts';
import { type DeliveryResult, type Job, sameForAll } from '../../src/backend/job.ts';
import { LocalBackend } from '../../src/backend/local-backend.ts';
import { Attachment } from '../../src/model/attachment.ts';
import { SendError } from '../../src/model/errors.ts';
import type { EmailMessageDraft } from '../../src/model/message-init.ts';
import { draft, Signal, sent } from '../probe-backend.ts';

describe('a backend that implements deliverOne', () => {
  class OneByOne extends EmailBackend {
    readonly name: string = 'own';
    protected readonly features: ReadonlySet<never> = new Set<never>();
    readonly delivered: string[] = [];

    protected override deliverOne(job: Job): DeliveryResult | Promise<DeliveryResult> {
      if (job.message.subject === 'bad') throw new SendError('rejected', 'not this one');
      this.delivered.push(job.message.subject);
      return sent(job);
    }
  }

  test('sends every message, and a message it throws for fails alone', async () => {
    const backend = new OneByOne();
    const status = await backend.sendMessages(['a', 'bad', 'b'].map((subject) => draft(subject)));
    expect(backend.delivered).toEqual(['a', 'b']);
    expect(status.results.map(({ error }) => error?.code ?? null)).toEqual([null, 'rejected', null]);
    expect(status.getSuccessfulRecipients()).toEqual(['a@x.org', 'b@x.org']);
  });

  test.each([
    ['by default', 1],
    ['with concurrency 3', 3],
  ])('%s has %i of a call at once', async (_, most) => {
    const go = new Signal();
    let running = 0;
    let seen = 0;
    class Slow extends OneByOne {
      protected override async deliverOne(job: Job): Promise<DeliveryResult> {
        seen = Math.max(seen, ++running);
        if (running === most) go.give();
        await go.promise;
        await Promise.resolve();
        running--;
        return sent(job);
      }
    }
    class SlowSeveral extends Slow {
      protected override readonly concurrency = 3;
    }
    const backend = most === 1 ? new Slow() : new SlowSeveral();
    const status = await backend.sendMessages(Array.from({ length: 10 }, (_, index) => draft(`m${index}`)));
    expect(status.isSuccess).toBe(true);
    expect(seen).toBe(most);
  });

  test.each([0, -1, Number.NaN])(
    'and has concurrency %d fails at its first call, whatever is sent silently',
    async (none) => {
      class Never extends OneByOne {
        protected override readonly concurrency = none;
      }
      for (const failSilently of [false, true]) {
        await expect(new Never().sendMessages([draft('a')], { failSilently })).rejects.toMatchObject({
          code: 'invalid-option',
          message: expect.stringContaining('concurrency must be 1 or more'),
        });
      }
    },
  );

  test('and one that implements neither it nor deliver says so, whatever is sent silently', async () => {
    class Nothing extends EmailBackend {
      readonly name = 'nothing';
      protected readonly features = new Set<never>();
    }
    const call = new Nothing().sendMessages([draft('a')], { failSilently: true });
    await expect(call).rejects.toMatchObject({
      name: 'ConfigurationError',
      code: 'invalid-backend',
      message: 'Nothing implements neither deliverOne nor deliver',
    });
  });
});

describe('a local backend', () => {
  class Keeper extends LocalBackend {
    readonly name = 'keeper';
    protected readonly features: ReadonlySet<never> = new Set<never>();
    protected override readonly readsContent: boolean;
    readonly kept: { readonly messageId: string; readonly contents: readonly unknown[] }[] = [];

    constructor({ readsContent = true } = {}) {
      super();
      this.readsContent = readsContent;
    }

    protected override deliverNow({ index, message }: Job, messageId: string): DeliveryResult {
      if (message.subject === 'bad') throw new SendError('rejected', 'not this one');
      this.kept.push({ messageId, contents: message.attachments.map(({ content }) => content) });
      return { index, messageId, recipients: sameForAll(message, 'sent', { messageId }) };
    }
  }

  const ways = [
    ['sendMessages', async (backend: Keeper, mails: readonly EmailMessageDraft[]) => backend.sendMessages(mails)],
    [
      'sendMessagesSync',
      async (backend: Keeper, mails: readonly EmailMessageDraft[]) => backend.sendMessagesSync(mails),
    ],
  ] as const;

  describe.each(ways)('%s', (_, send) => {
    test('delivers in this thread; a message that is thrown for fails alone', async () => {
      const backend = new Keeper();
      const status = await send(backend, [draft('a', { messageId: 'own@x.org' }), draft('bad'), draft('b')]);
      expect(status.results.map(({ error }) => error?.code ?? null)).toEqual([null, 'rejected', null]);
      expect(backend.kept.map(({ messageId }) => messageId)).toEqual([
        'own@x.org',
        expect.stringMatching(/^[0-9a-f]{32}@x\.org$/),
      ]);
      expect(status.results[0]?.messageId).toBe('own@x.org');
    });

    test('reads files before it delivers, unless it has no use for them', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'own-backends-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const path = join(folder, 'a.txt');
      writeFileSync(path, 'text');
      const mail = draft('a', { attachments: [Attachment.fromFile(path)] });
      const [reader, other] = [new Keeper(), new Keeper({ readsContent: false })];
      await send(reader, [mail]);
      await send(other, [mail]);
      expect(reader.kept[0]?.contents.map(String)).toEqual(['text']);
      expect(other.kept[0]?.contents[0]).not.toBeInstanceOf(Uint8Array);
    });
  });

  test('reads streams for calls that wait', async () => {
    const backend = new Keeper();
    await backend.sendMessages([draft('a', { attachments: [{ content: new Blob(['blob']) }] })]);
    expect(backend.kept[0]?.contents.map((content) => Buffer.from(content as Uint8Array).toString())).toEqual(['blob']);
  });
});
