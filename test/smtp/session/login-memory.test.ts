import { describe, expect, it } from 'vitest';
import { EmailConnectionError } from '../../../src/model/errors.ts';
import type { AuthMethod } from '../../../src/smtp/options.ts';
import { LoginMemory } from '../../../src/smtp/session/login-memory.ts';

const NEVER = new AbortController().signal;

function refusal(code: number): EmailConnectionError {
  const reply = { code, enhancedCode: null, text: 'no' };
  return new EmailConnectionError('auth', 'no', { phase: 'auth', reply, retryable: code === 454 });
}

/** Logins whose outcome a test decides, each told what was known when it began. */
class Logins {
  readonly begun: (AuthMethod | null)[] = [];
  readonly #decide: ((outcome: AuthMethod | Error) => void)[] = [];

  readonly open = (known: AuthMethod | null): Promise<{ readonly authMethod: AuthMethod }> => {
    this.begun.push(known);
    return new Promise((resolve, reject) => {
      this.#decide.push((outcome) => {
        if (outcome instanceof Error) reject(outcome);
        else resolve({ authMethod: outcome });
      });
    });
  };

  /** Ends the login that has been under way for longest, and lets all who wait go on. */
  async end(outcome: AuthMethod | Error): Promise<void> {
    this.#decide.shift()?.(outcome);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function start(): {
  readonly clock: { now: number };
  readonly logins: Logins;
  open(isFresh?: boolean): Promise<unknown>;
} {
  const clock = { now: 0 };
  const memory = new LoginMemory(() => clock.now);
  const logins = new Logins();
  const open = (isFresh = false) => memory.open(logins.open, NEVER, isFresh).catch((error: unknown) => error);
  return { clock, logins, open };
}

describe('logins', () => {
  it('begin with one; the others wait and use what worked', async () => {
    const { logins, open } = start();
    const all = [open(), open(), open()];
    expect(logins.begun).toEqual([null]);
    await logins.end('PLAIN');
    expect(logins.begun).toEqual([null, 'PLAIN', 'PLAIN']);
    await logins.end('PLAIN');
    await logins.end('PLAIN');
    expect(await Promise.all(all)).toEqual([{ authMethod: 'PLAIN' }, { authMethod: 'PLAIN' }, { authMethod: 'PLAIN' }]);
  });

  it('are not tried for a minute after a refusal; all who wait or come get the same error', async () => {
    const { clock, logins, open } = start();
    const error = refusal(535);
    const waiting = [open(), open()];
    await logins.end(error);
    clock.now = 59_999;
    const late = open();
    expect(await Promise.all([...waiting, late])).toEqual([error, error, error]);
    expect(await late).toBe(error);
    expect(logins.begun).toHaveLength(1);
    clock.now = 60_000;
    void open();
    expect(logins.begun).toEqual([null, null]);
  });

  it('forget what worked when it is refused', async () => {
    const { clock, logins, open } = start();
    void open();
    await logins.end('PLAIN');
    void open();
    await logins.end(refusal(535));
    clock.now = 60_000;
    void open();
    expect(logins.begun).toEqual([null, 'PLAIN', null]);
  });

  it.each([
    ['454', refusal(454)],
    ['a connection that broke', new EmailConnectionError('closed', 'gone')],
    ['a token that could not be got', new EmailConnectionError('auth', 'no token', { phase: 'auth' })],
  ])('are tried again at once after %s, one at a time', async (_, error) => {
    const { logins, open } = start();
    void Promise.all([open(), open(), open()]);
    await logins.end(error);
    expect(logins.begun).toEqual([null, null]);
    await logins.end('LOGIN');
    expect(logins.begun).toEqual([null, null, 'LOGIN']);
  });

  it('that are to be fresh try what others were refused, once in a minute, and what they find holds for all', async () => {
    const { clock, logins, open } = start();
    void open();
    await logins.end(refusal(535));
    void open(true);
    const second = refusal(535);
    await logins.end(second);
    clock.now = 59_999;
    expect(await open(true)).toBe(second);
    expect(await open()).toBe(second);
    clock.now = 60_000;
    void open(true);
    await logins.end('PLAIN');
    void open();
    expect(logins.begun).toEqual([null, null, null, 'PLAIN']);
  });

  it('that are to be fresh do not begin with what is known, and hold up nobody who does', async () => {
    const { logins, open } = start();
    void open();
    await logins.end('PLAIN');
    void open(true);
    void open();
    expect(logins.begun).toEqual([null, null, 'PLAIN']);
  });

  it('stop waiting when their signal aborts', async () => {
    const { logins } = start();
    const memory = new LoginMemory();
    void memory.open(logins.open, NEVER, false);
    const abort = new AbortController();
    const waiting = memory.open(logins.open, abort.signal, false);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toMatchObject({ code: 'aborted', cause: { message: 'enough' } });
    expect(logins.begun).toHaveLength(1);
  });
});
