import { afterEach, describe, expect, it, vi } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { type ErrorStrategy, type Listener, type ListenerOptions, MailEvent } from '../../src/events/mail-event.ts';
import { AfterSend, BeforeSend, SendFailed, sendMail } from '../../src/index.ts';
import { fc } from '../properties.ts';

interface Context {
  readonly trail: readonly string[];
}

const START: Context = { trail: [] };

function step(name: string): Listener<Context> {
  return ({ trail }, next) => next({ trail: [...trail, name] });
}

function chain(entries: readonly (readonly [string, ListenerOptions])[]): MailEvent<Context> {
  const event = new MailEvent<Context>('Test');
  for (const [name, options] of entries) event.subscribe(step(name), { name, ...options });
  return event;
}

describe('the order of listeners', () => {
  const cases: readonly (readonly [string, readonly (readonly [string, ListenerOptions])[], string])[] = [
    [
      'subscription',
      [
        ['a', {}],
        ['b', {}],
        ['c', {}],
      ],
      'a b c',
    ],
    [
      'priority, higher first',
      [
        ['a', {}],
        ['b', { priority: 5 }],
        ['c', { priority: -1 }],
      ],
      'b a c',
    ],
    [
      'before wins over priority',
      [
        ['a', { priority: 9 }],
        ['b', { before: ['a'] }],
      ],
      'b a',
    ],
    [
      'after wins over priority',
      [
        ['a', { priority: 9, after: ['b'] }],
        ['b', {}],
      ],
      'b a',
    ],
    [
      'before and after together',
      [
        ['a', { after: ['c'] }],
        ['b', { before: ['c'] }],
        ['c', {}],
      ],
      'b c a',
    ],
    [
      'names that nobody has',
      [
        ['a', { before: ['x'], after: ['y'] }],
        ['b', {}],
      ],
      'a b',
    ],
  ];
  it.each(cases)('%s', async (_, entries, expected) => {
    const { trail } = await chain(entries).emit(START);
    expect(trail.join(' ')).toBe(expected);
  });

  it('refuses what contradicts itself, and keeps the chain as it was', async () => {
    const event = chain([['a', { before: ['b'] }]]);
    expect(() => event.subscribe(step('b'), { name: 'b', before: ['a'] })).toThrow(
      expect.objectContaining({ code: 'invalid-option', message: expect.stringContaining("'a', 'b'") }),
    );
    expect((await event.emit(START)).trail).toEqual(['a']);
  });

  it('holds every before and after, whatever the priorities and the order of subscription', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const listener = fc.record({ priority: fc.integer({ min: -3, max: 3 }), earlier: fc.subarray(names) });
    fc.assert(
      fc.property(fc.array(listener, { minLength: 5, maxLength: 5 }), (drawn) => {
        // Only earlier names, so that nothing contradicts itself.
        const entries = drawn.map(({ priority, earlier }, index) => {
          const after = earlier.filter((name) => names.indexOf(name) < index);
          return [names[index] ?? '', { priority, after }] as const;
        });
        const result = chain(entries.toReversed()).emit(START);
        const { trail } = result as Context; // no listener is asynchronous
        for (const [name, { after }] of entries) {
          for (const earlier of after) expect(trail.indexOf(earlier)).toBeLessThan(trail.indexOf(name));
        }
        expect(trail.toSorted()).toEqual(names);
      }),
    );
  });
});

describe('a chain', () => {
  it('is synchronous as long as its listeners are, else a promise', () => {
    const event = chain([['a', {}]]);
    expect(event.emit(START)).toEqual({ trail: ['a'] });
    event.subscribe(async (context, next) => next(context));
    expect(event.emit(START)).toBeInstanceOf(Promise);
  });

  it('gives every listener a frozen context', async () => {
    const event = chain([['a', {}]]);
    event.subscribe((context, next) => {
      expect(Object.isFrozen(context)).toBe(true);
      return next(context);
    });
    await event.emit({ trail: [] });
  });

  it('ends at a listener that does not call next', () => {
    const event = new MailEvent<Context>('Test');
    event.subscribe(() => ({ trail: ['the end'] }));
    event.subscribe(step('never'));
    expect(event.emit(START)).toEqual({ trail: ['the end'] });
  });

  it('loses a listener that unsubscribes', () => {
    const event = chain([['a', {}]]);
    const stop = event.subscribe(step('b'));
    stop();
    expect(event.emit(START)).toEqual({ trail: ['a'] });
  });

  const faults: readonly (readonly [string, unknown, string])[] = [
    ['returns nothing', () => undefined, 'returned no context'],
    ['returns nothing later', async () => undefined, 'returned no context'],
    ['passes nothing on', (_: Context, next: (context?: unknown) => unknown) => next(), 'next without a context'],
    [
      'calls next twice',
      (context: Context, next: (context: Context) => unknown) => {
        next(context);
        return next(context);
      },
      'called next twice',
    ],
  ];
  it.each(faults)('says so when a listener %s', async (_, listener, text) => {
    const event = new MailEvent<Context>('Test');
    event.subscribe(listener as Listener<Context>, { name: 'wrong' }); // as JavaScript would
    await expect(async () => event.emit(START)).rejects.toMatchObject({
      code: 'invalid-listener',
      message: expect.stringMatching(new RegExp(`^listener 'wrong' of Test .*${text}`)),
    });
  });

  it('refuses a listener that is no function, and an unknown strategy', () => {
    const event = new MailEvent<Context>('Test');
    expect(() => event.subscribe({} as Listener<Context>)).toThrow(
      expect.objectContaining({ code: 'invalid-listener' }),
    );
    expect(() => event.subscribe(step('a'), { onError: 'ignore' as ErrorStrategy })).toThrow(/propagate, log, silent/);
  });
});

describe('a listener that fails', () => {
  afterEach(() => vi.restoreAllMocks());
  const moments = {
    'at once, before next': () => {
      throw new Error('broken');
    },
    'later, before next': async () => {
      throw new Error('broken');
    },
    'at once, after next': (context, next) => {
      void next(context);
      throw new Error('broken');
    },
    'later, after next': async (context, next) => {
      await next(context);
      throw new Error('broken');
    },
  } satisfies Record<string, Listener<Context>>;

  for (const [moment, listener] of Object.entries(moments) as [string, Listener<Context>][]) {
    it.each(['log', 'silent'] as const)(`${moment}: %s goes on, once`, async (onError) => {
      const log = vi.spyOn(console, 'error').mockImplementation(() => {});
      const event = new MailEvent<Context>('Test');
      event.subscribe(listener, { name: 'broken', onError });
      event.subscribe(step('rest'));
      expect(await event.emit(START)).toEqual({ trail: ['rest'] });
      const logged = log.mock.calls.map(([text]) => text);
      expect(logged).toEqual(onError === 'log' ? ["amsdal-mail: listener 'broken' of Test failed:"] : []);
    });

    it(`${moment}: propagate ends the chain with the error`, async () => {
      const event = new MailEvent<Context>('Test');
      event.subscribe(listener, { name: 'broken' });
      await expect(async () => event.emit(START)).rejects.toThrow('broken');
    });

    it(`${moment}: an earlier silent listener does not swallow it, and it runs once`, async () => {
      const log = vi.spyOn(console, 'error').mockImplementation(() => {});
      let runs = 0;
      const event = new MailEvent<Context>('Test');
      event.subscribe(step('earlier'), { onError: 'silent' });
      event.subscribe(async (context, next) => next(context), { onError: 'log' });
      event.subscribe((context, next) => {
        runs++;
        return listener(context, next);
      });
      await expect(async () => event.emit(START)).rejects.toThrow('broken');
      expect(runs).toBe(1);
      expect(log).not.toHaveBeenCalled();
    });
  }

  it('cannot run the rest a second time by calling next late', async () => {
    const event = new MailEvent<Context>('Test');
    let late: () => unknown = () => {};
    event.subscribe(
      (context, next) => {
        late = () => next(context);
        throw new Error('broken');
      },
      { onError: 'silent' },
    );
    let runs = 0;
    event.subscribe((context, next) => {
      runs++;
      return next(context);
    });
    await event.emit(START);
    expect(late).toThrow(/next twice/);
    expect(runs).toBe(1);
  });
});

describe('the events of mail', () => {
  const undo: (() => void)[] = [];
  afterEach(() => {
    for (const stop of undo.splice(0)) stop();
  });
  const mail = { subject: 'Hello', message: 'Text', fromEmail: 'shop@example.com', recipientList: ['ann@example.com'] };

  it('lets BeforeSend change the message', async () => {
    const connection = new DummyBackend({ store: true });
    undo.push(
      BeforeSend.subscribe((context, next) =>
        next({ ...context, message: context.message.with({ subject: `[staging] ${context.message.subject}` }) }),
      ),
    );
    await sendMail({ ...mail, connection });
    expect(connection.messages.map(({ subject }) => subject)).toEqual(['[staging] Hello']);
  });

  it('lets BeforeSend cancel the message, which is a status and no exception', async () => {
    const connection = new DummyBackend({ store: true });
    undo.push(BeforeSend.subscribe((context) => ({ ...context, cancelled: 'not today' })));
    const status = await sendMail({ ...mail, connection });
    expect(status.recipients.get('ann@example.com')).toMatchObject({ status: 'failed', code: 'cancelled' });
    expect(connection.messages).toEqual([]);
  });

  it.each([
    ['synchronous', () => ({ backend: 'dummy', message: { subject: 'no message' }, cancelled: null })],
    ['asynchronous', async () => ({ backend: 'dummy', message: { subject: 'no message' }, cancelled: null })],
  ])('refuses what is no message from a %s listener', async (_, listener) => {
    const connection = new DummyBackend({ store: true });
    undo.push(BeforeSend.subscribe(listener as unknown as Parameters<typeof BeforeSend.subscribe>[0])); // as JavaScript would
    await expect(sendMail({ ...mail, connection })).rejects.toMatchObject({
      code: 'listener',
      message: expect.stringContaining('message.with'),
    });
    expect(connection.messages).toEqual([]);
  });

  it('shows AfterSend and SendFailed the result, which they cannot change', async () => {
    const connection = new DummyBackend();
    const seen: string[] = [];
    undo.push(
      AfterSend.subscribe((context, next) => {
        const { recipients } = context.result;
        seen.push(...[...recipients.values()].map(({ address, status }) => `${address} ${status}`));
        expect(Object.isFrozen(context.result)).toBe(true);
        expect(Object.isFrozen(recipients.get('ann@example.com'))).toBe(true);
        (recipients as Map<string, unknown>).clear(); // as JavaScript could
        return next(context);
      }),
      SendFailed.subscribe((context, next) => {
        seen.push(`failed: ${context.error.code}`);
        return next(context);
      }),
    );
    const status = await sendMail({ ...mail, connection });
    expect(status.getSuccessfulRecipients()).toEqual(['ann@example.com']);
    connection.refuse('ann@example.com');
    await sendMail({ ...mail, connection, failSilently: true });
    expect(seen).toEqual(['ann@example.com sent', expect.stringMatching(/^failed: /)]);
  });
});
