import { expect, test, vi } from 'vitest';
import type { EmailBackend } from '../../src/backend/backend.ts';
import { ConsoleBackend } from '../../src/backends/console.ts';
import { ResendBackend } from '../../src/backends/resend.ts';
import { SesBackend } from '../../src/backends/ses.ts';
import { SmtpBackend } from '../../src/backends/smtp.ts';
import { composer } from '../../src/mime/composer.ts';
import { ConfigurationError } from '../../src/model/errors.ts';
import { LateModule } from '../../src/options/late-module.ts';

vi.mock('../../src/backends/smtp/engine.ts', () => {
  throw MISSING;
});
vi.mock('../../src/http/engine.ts', () => {
  throw MISSING;
});
vi.mock('../../src/backends/ses/engine.ts', () => {
  throw MISSING;
});

const MISSING = new Error("Cannot find module '/app/chunks/composer.js'");

test('a module whose file is missing is an error of configuration, and is tried again', async () => {
  let tries = 0;
  const load = () => (++tries === 1 ? Promise.reject(MISSING) : Promise.resolve({ tries }));
  const late = new LateModule(load, './x', import.meta.url);
  const error = await late.load().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigurationError);
  expect(error).toMatchObject({
    code: 'load-failed',
    cause: MISSING,
    message: expect.stringContaining(MISSING.message),
  });
  expect(late.loaded).toBeNull();
  expect(await late.load()).toEqual({ tries: 2 });
});

test.each<[string, () => EmailBackend]>([
  ['smtp', () => new SmtpBackend({ host: '127.0.0.1', port: 9 })],
  ['ses', () => new SesBackend({ client: { send: () => expect.unreachable() } })],
  ['resend', () => new ResendBackend({ apiKey: 're_123456789' })],
  ['console, raw', () => new ConsoleBackend({ raw: true, stream: { write: () => expect.unreachable() } })],
])('over %s, a mail is not sent for that, which is no reason to doubt it', async (_, connect) => {
  const broken = new LateModule<never>(() => Promise.reject(MISSING), './x', import.meta.url);
  const load = vi.spyOn(composer, 'load').mockImplementation(() => broken.load());
  const mail = { subject: 's', body: 'b', fromEmail: 'a@example.com', to: 'b@example.com' };
  await expect(connect().sendMessages([mail])).rejects.toMatchObject({
    code: 'load-failed',
    outcome: 'not-sent',
    status: { recipients: new Map([['b@example.com', expect.objectContaining({ status: 'failed' })]]) },
  });
  load.mockRestore();
});
