import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Provider } from '../../src/http/provider.ts';
import { EmailError } from '../../src/model/errors.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import { ScriptedHttp } from '../servers/scripted-http.ts';
import { type PlainOptions, PlainProvider } from './plain-provider.ts';

const mail = { subject: 's', body: 'b', fromEmail: 'a@x.org', to: 'b@x.org' };

let server: ScriptedHttp;
beforeEach(async () => {
  server = await ScriptedHttp.start();
  server.script = ({ path, body }) => {
    if (path !== '/send-all') return { body: { id: `id-${server.calls.length}` } };
    const mails = JSON.parse(body.toString()) as { readonly subject: string; readonly to: string[] }[];
    return { body: mails.map(({ to, subject }) => (subject === 'bad' ? { error: 'no' } : { id: `id-${to[0]}` })) };
  };
});
afterEach(() => server.close());

async function send(messages: readonly EmailMessageInit[], options: PlainOptions = {}) {
  const backend = new PlainProvider({ baseUrl: server.url, ...options });
  try {
    return await backend.sendMessages(messages);
  } catch (error) {
    if (error instanceof EmailError) return error;
    throw error;
  } finally {
    await backend.close();
  }
}
const bodies = () => server.calls.map(({ body }) => JSON.parse(body.toString()));
const many = (count: number) => Array.from({ length: count }, (_, index) => ({ ...mail, to: `u${index}@x.org` }));

describe('headers', () => {
  test('of the caller come with each, and set neither the key nor the type', async () => {
    const headers = { 'X-Team': 'shop', Authorization: 'Bearer other', 'content-type': 'text/plain' };
    await send([mail], { headers, apiKey: 'own' });
    expect(server.calls[0]?.headers).toMatchObject({
      'x-team': 'shop',
      authorization: 'Bearer own',
      'content-type': 'application/json',
      'user-agent': 'amsdal-mail',
    });
  });

  test.each<[object]>([[{ 'a b': 'c' }], [{ a: 'b\r\nc: d' }], [{ a: 1 }], [['a']]])('%j are refused', (headers) => {
    expect(() => new PlainProvider({ headers } as PlainOptions)).toThrow('headers must be an object');
  });
});

describe('the base URL', () => {
  test('may have a path, and end with a slash', async () => {
    await send([mail], { baseUrl: `${server.url}/gateway/` });
    expect(server.calls[0]?.path).toBe('/gateway/send');
  });

  test.each(['x', 'ftp://x', 'https://u:p@x', 'https://x?a=b', 'https://x/#y', ''])('%s is refused', (baseUrl) => {
    expect(() => new PlainProvider({ baseUrl })).toThrow('baseUrl must be a URL');
  });
});

describe('espExtra', () => {
  test('is laid over the request last, deeply', async () => {
    const espExtra = { plain: { options: { color: 'blue' }, more: [1] }, other: { to: 'evil@x.org' } };
    await send([{ ...mail, espExtra }]);
    expect(bodies()[0]).toEqual({ to: ['b@x.org'], subject: 's', options: { track: true, color: 'blue' }, more: [1] });
  });

  test('sets no recipient', async () => {
    const error = await send([{ ...mail, espExtra: { plain: { To: ['evil@x.org'] } } }]);
    expect(error).toMatchObject({
      code: 'invalid-message',
      issues: [{ path: 'espExtra.plain.To', code: 'unsupported' }],
    });
    expect(server.calls).toEqual([]);
  });

  test('makes no prototype', async () => {
    await send([{ ...mail, espExtra: { plain: JSON.parse('{"__proto__": {"polluted": 1}}') } }]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe('what it cannot carry', () => {
  const cases: [string, Partial<EmailMessageInit>][] = [
    ['alternatives', { alternatives: [{ content: 'x', mimetype: 'text/calendar' }] }],
    ['inlineAttachments', { attachments: [{ filename: 'a.png', content: 'x', contentId: 'a' }] }],
    ['severalReplyTo', { replyTo: ['a@x.org', 'b@x.org'] }],
    ['sendAt', { sendAt: new Date('9999-01-01') }],
  ];
  test.each(cases)('%s is refused before the wire', async (feature, fields) => {
    expect(await send([{ ...mail, ...fields }])).toMatchObject({ code: 'unsupported-feature', features: [feature] });
    expect(server.calls).toEqual([]);
  });

  test('of this message only is told, with the reason, or refused', async () => {
    const status = await send([{ ...mail, metadata: { a: 'x'.repeat(21) } }]);
    expect(status).toMatchObject({
      results: [{ ignored: ['metadata'], ignoredReasons: { metadata: 'plain takes 20 characters' } }],
    });
    const strict = await send([{ ...mail, metadata: { a: 'x'.repeat(21) } }], { onUnsupported: 'error' });
    expect(strict).toMatchObject({ code: 'unsupported-feature', features: ['metadata'] });
  });

  test('variables without a template', async () => {
    const error = await send([{ ...mail, mergeData: { 'b@x.org': { name: 'Bob' } } }]);
    expect(error).toMatchObject({ code: 'unsupported-feature', issues: [{ path: 'mergeData' }] });
    expect((error as Error).message).toContain('templateId');
  });
});

test('a recipient in to is asked for where the provider needs one, before the wire', async () => {
  class Needing extends PlainProvider {
    protected override async load(options: PlainOptions): Promise<Provider> {
      return { ...(await super.load(options)), needsTo: true };
    }
  }
  const backend = new Needing({ baseUrl: server.url });
  for (const people of [{ bcc: ['b@x.org', 'c@x.org'] }, { cc: 'b@x.org' }]) {
    const sending = backend.sendMessages([{ ...mail, to: [], ...people }]);
    const error = await sending.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'invalid-message', issues: [{ path: 'to', code: 'required' }] });
    expect((error as Error).message).toContain('sendEach');
  }
  expect(server.calls).toEqual([]);
  await backend.close();
});

describe('mergeData', () => {
  const merge = {
    ...mail,
    to: ['b@x.org', 'Carl <c@x.org>', 'B@X.org'],
    cc: 'd@x.org',
    body: '',
    templateId: 't',
    mergeGlobalData: { shop: 'Acme', name: 'you' },
    mergeData: { 'C@x.org': { name: 'Carl' }, 'nobody@x.org': { name: 'Eve' } },
  };

  test('is a mail for each, that sees its own variables and no other recipient', async () => {
    const status = await send([merge]);
    expect(bodies().map(({ to, data }) => [to, data])).toEqual([
      [['b@x.org', 'd@x.org'], { shop: 'Acme', name: 'you' }],
      [['c@x.org', 'd@x.org'], { shop: 'Acme', name: 'Carl' }],
    ]);
    expect(status).toMatchObject({ results: [{ messageId: new Set(['id-1', 'id-2']), error: null }] });
  });

  test('with nothing in it, too: nobody has variables then', async () => {
    await send([{ ...merge, body: 'b', templateId: null, mergeGlobalData: null, mergeData: {} }]);
    expect(bodies().map(({ to, data }) => [to, data])).toEqual([
      [['b@x.org', 'd@x.org'], undefined],
      [['c@x.org', 'd@x.org'], undefined],
    ]);
  });

  test('of some only: the others have empty variables', async () => {
    await send([{ ...merge, mergeGlobalData: null }]);
    expect(bodies().map(({ data }) => data)).toEqual([{}, { name: 'Carl' }]);
  });

  test('each has a key of its own', async () => {
    await send([{ ...merge, idempotencyKey: 'news' }], { keyMs: 1_000, batchOf: 10 });
    expect(server.calls.map(({ path, headers }) => [path, headers['idempotency-key']])).toEqual([
      ['/send', 'news:b@x.org'],
      ['/send', 'news:c@x.org'],
    ]);
  });

  test('one that is refused does not stop the other, and who gets both has the worse status', async () => {
    server.script = (_, count) => (count === 1 ? { status: 422 } : { body: { id: '2' } });
    const status = await send([merge], { maxConnections: 1 });
    const statuses =
      status instanceof EmailError ? null : [...status.recipients].map(([address, told]) => [address, told.status]);
    expect(statuses).toEqual([
      ['b@x.org', 'rejected'],
      ['c@x.org', 'queued'],
      ['d@x.org', 'rejected'],
    ]);
  });
});

describe('several messages', () => {
  test('go together, as many as one request takes, each with its own status', async () => {
    const messages = [...many(7), { ...mail, subject: 'bad' }, ...many(3)];
    const status = await send(messages, { batchOf: 4 });
    expect(server.calls.map(({ path, body }) => [path, JSON.parse(body.toString()).length])).toEqual([
      ['/send-all', 4],
      ['/send-all', 4],
      ['/send-all', 3],
    ]);
    const results = status instanceof EmailError ? [] : status.results;
    expect(results.map(({ index, messageId }) => [index, messageId])).toEqual(
      messages.map(({ to, subject }, index) => [index, subject === 'bad' ? null : `id-${to}`]),
    );
    expect(results[7]?.recipients.get('b@x.org')).toMatchObject({ status: 'rejected', response: 'no' });
  });

  test('one alone goes alone, as do those with a key of their own and those that no batch takes', async () => {
    await send([mail], { batchOf: 4 });
    await send([{ ...mail, idempotencyKey: 'k' }, { ...mail, subject: 'alone' }, mail], { batchOf: 4 });
    expect(server.calls.map(({ path }) => path)).toEqual(['/send', '/send', '/send', '/send']);
  });

  test('are parted where the request would be too large', async () => {
    const subject = 'x'.repeat(3_000);
    await send(
      many(6).map((each) => ({ ...each, subject })),
      { batchOf: 100 },
    );
    expect(server.calls.map(({ body }) => JSON.parse(body.toString()).length)).toEqual([3, 3]);
  });

  test('are parted by octets, not by characters', async () => {
    const subject = 'ä'.repeat(3_000);
    await send(
      many(2).map((each) => ({ ...each, subject })),
      { batchOf: 100 },
    );
    expect(server.calls.map(({ path }) => path)).toEqual(['/send', '/send']);
  });

  test('a lost answer leaves all of them in doubt, once', async () => {
    server.script = () => ({ cut: 'unanswered' });
    const error = await send(many(3), { batchOf: 4 });
    expect(server.calls).toHaveLength(1);
    expect(error).toMatchObject({ outcome: 'unknown' });
  });

  test.each([400, 413, 422])(
    'refused as a whole with %i, each goes alone: the fault of one is not that of others',
    async (status) => {
      server.script = ({ path, body }) => {
        const isBad = path === '/send-all' || JSON.parse(body.toString()).subject === 'bad';
        return isBad ? { status } : { body: { id: 'alone' } };
      };
      const answer = await send([...many(2), { ...mail, subject: 'bad' }], { batchOf: 4, keyMs: 60_000 });
      const results = answer instanceof EmailError ? [] : answer.results;
      expect(results.map(({ error }) => error?.reply?.code ?? null)).toEqual([null, null, status]);
      expect(server.calls.map(({ path }) => path)).toEqual(['/send-all', '/send', '/send', '/send']);
      expect(new Set(server.calls.map(({ headers }) => headers['idempotency-key'])).size).toBe(4);
    },
  );

  test('refused after a lost answer they do not go again under other keys', async () => {
    server.script = (_, count) => (count === 1 ? { cut: 'unanswered' } : { status: 422 });
    await send(many(3), { batchOf: 4, keyMs: 60_000, retry: { baseMs: 1 } });
    expect(server.calls.map(({ path }) => path)).toEqual(['/send-all', '/send-all']);
  });

  test.each([401, 429, 500])('what %i says is said of all', async (status) => {
    server.script = () => ({ status });
    await send(many(3), { batchOf: 4 });
    expect(server.calls.map(({ path }) => path)).toEqual(['/send-all']);
  });

  test('an answer with too few results leaves the others in doubt', async () => {
    server.script = () => ({ body: [{ id: '1' }] });
    const status = await send(many(3), { batchOf: 4 });
    const statuses = status instanceof EmailError ? [] : [...status.recipients.values()].map((told) => told.status);
    expect(statuses).toEqual(['queued', 'unknown', 'unknown']);
  });

  test('come from a source that is slow: nothing waits for it', async () => {
    const backend = new PlainProvider({ baseUrl: server.url, batchOf: 4 });
    let next = (): void => {};
    const source = (async function* () {
      yield* many(1);
      await new Promise<void>((resolve) => {
        next = resolve;
      });
      yield* many(2);
    })();
    const results: number[] = [];
    for await (const { index } of backend.stream(source)) {
      results.push(index);
      if (index === 0) next();
    }
    expect(results).toEqual([0, 1, 2]);
    expect(server.calls.map(({ path }) => path)).toEqual(['/send', '/send-all']);
    await backend.close();
  });

  test('a thousand are one tenth of requests', async () => {
    const status = await send(many(1_000), { batchOf: 100 });
    expect(status).toMatchObject({ isSuccess: true });
    expect(server.calls.length).toBeLessThanOrEqual(20);
  });
});

describe('attachments', () => {
  test('that are read when their call ends are closed', async () => {
    const controller = new AbortController();
    const cancel = vi.fn();
    const pull = async (stream: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
      controller.abort();
      await null;
      stream.enqueue(new Uint8Array(10));
    };
    const content = new ReadableStream<Uint8Array>({ pull, cancel }, { highWaterMark: 0 });
    const backend = new PlainProvider({ baseUrl: server.url });
    const attached = { ...mail, attachments: [{ filename: 'a', content }] };
    const error = await backend.sendMessages([attached], { signal: controller.signal }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'aborted', outcome: 'not-sent' });
    await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce());
    await backend.close();
  });

  test.each([
    ['a stream', () => new ReadableStream<Uint8Array>({ pull: (stream) => stream.close() }, { highWaterMark: 0 })],
    ['large', () => new Uint8Array(100_000)],
  ])('of unknown size or %s are in memory for as many mails as there are requests', async (_, content) => {
    let release = (): void => {};
    const after = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.script = () => ({ after, body: { id: '1' } });
    const built = vi.fn();
    class Counting extends PlainProvider {
      protected override async load(options: PlainOptions): Promise<Provider> {
        const provider = await super.load(options);
        const build: Provider['build'] = (...given) => {
          built();
          return provider.build(...given);
        };
        return { ...provider, build };
      }
    }
    const backend = new Counting({ baseUrl: server.url, batchOf: 10, maxConnections: 2 });
    const mails = many(6).map((each) => ({
      ...each,
      subject: 'alone',
      attachments: [{ filename: 'a', content: content() }],
    }));
    const sending = backend.sendMessages([...mails, mail]);
    await vi.waitFor(() => expect(server.calls).toHaveLength(2));
    expect(built.mock.calls.length).toBeLessThanOrEqual(3);
    release();
    expect((await sending).isSuccess).toBe(true);
    expect(built).toHaveBeenCalledTimes(7);
    await backend.close();
  });
});

test('a request that cannot be made is certainly not sent', async () => {
  class Failing extends PlainProvider {
    readonly #part: 'build' | 'encode' | 'prepare';
    constructor(options: PlainOptions, part: 'build' | 'encode' | 'prepare') {
      super(options);
      this.#part = part;
    }
    protected override async load(options: PlainOptions): Promise<Provider> {
      const fail = (): never => {
        throw new RangeError('Invalid string length');
      };
      const provider = await super.load(options);
      if (this.#part !== 'prepare') return { ...provider, [this.#part]: fail };
      return { ...provider, build: (...given) => ({ ...provider.build(...given), prepare: async () => fail() }) };
    }
  }
  for (const part of ['build', 'encode', 'prepare'] as const) {
    const backend = new Failing({ baseUrl: server.url }, part);
    const error = await backend.sendMessages([mail]).catch((thrown) => thrown);
    expect(error, part).toMatchObject({ code: 'source', outcome: 'not-sent', phase: 'content' });
    expect(error.message).toBe('the request to plain could not be made: Invalid string length');
    await backend.close();
  }
  expect(server.calls).toEqual([]);
});

describe('verify', () => {
  test('asks, and tells what is worth showing', async () => {
    server.script = () => ({ body: { name: 'Shop' } });
    const backend = new PlainProvider({ baseUrl: server.url });
    expect(await backend.verify()).toEqual({ backend: 'plain', details: { name: 'Shop' } });
    expect(server.calls[0]).toMatchObject({ method: 'GET', path: '/me' });
    server.script = () => ({ status: 401 });
    await expect(backend.verify()).rejects.toMatchObject({ code: 'auth' });
    await backend.close();
  });

  test('a page of somebody else is no provider', async () => {
    server.script = () => ({ body: '<html>Welcome to nginx!' });
    const backend = new PlainProvider({ baseUrl: server.url });
    await expect(backend.verify()).rejects.toMatchObject({
      code: 'protocol',
      message: 'plain answers 200, and not as it should: check baseUrl',
    });
    await backend.close();
  });
});
