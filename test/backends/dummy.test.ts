import { expect, test } from 'vitest';
import { DummyBackend } from '../../src/backends/dummy.ts';
import { EmailConnectionError } from '../../src/model/errors.ts';

const mail = (to: string | readonly string[]) => ({ subject: 's', body: 'b', fromEmail: 'a@x.org', to });

test('sends nothing, and tells everybody sent with one id', async () => {
  const backend = new DummyBackend();
  const status = await backend.sendMessages([mail(['b@x.org', 'c@x.org'])]);
  expect(status.isSuccess).toBe(true);
  expect(status.messageId).toMatch(/^[0-9a-f]{32}@x\.org$/);
  expect(status.recipients.get('b@x.org')?.messageId).toBe(status.messageId);
  expect(backend.messages).toEqual([]);
});

test('store keeps the messages that somebody took, oldest first, until clear', async () => {
  const backend = new DummyBackend({ store: true });
  backend.refuse('no@x.org');
  await backend.sendMessages([mail('b@x.org'), mail('no@x.org'), mail(['no@x.org', 'c@x.org'])]);
  expect(backend.messages.map(({ to }) => to)).toEqual([['b@x.org'], ['no@x.org', 'c@x.org']]);
  backend.clear();
  expect(backend.messages).toEqual([]);
  expect((await backend.sendMessages([mail('no@x.org')])).isSuccess).toBe(true);
});

test.each([
  [[550, '5.1.1', 'no such user'], { status: 'invalid', code: 550, enhancedCode: '5.1.1', response: 'no such user' }],
  [[550], { status: 'invalid', code: 550, enhancedCode: '5.1.1' }],
  [[550, null], { status: 'rejected', code: 550, enhancedCode: null }],
  [[554], { status: 'rejected', code: 554, enhancedCode: null, response: 'refused' }],
  [[450, '4.2.0'], { status: 'failed', retryable: true, code: 450 }],
] as const)('refuses as a server would: %j', async ([code, enhancedCode, text], expected) => {
  const backend = new DummyBackend();
  backend.refuse('No@X.org', code, enhancedCode, text);
  const status = await backend.sendMessages([mail(['b@x.org', 'no@x.org'])]);
  expect(status.recipients.get('no@x.org')).toMatchObject(expected);
  expect(status.recipients.get('no@x.org')?.error?.reply?.code).toBe(code);
  expect(status.recipients.get('b@x.org')?.status).toBe('sent');
});

test('fails the next messages as told, in order', async () => {
  const backend = new DummyBackend({ store: true });
  const down = new EmailConnectionError('refused', 'down', { retryable: true });
  backend.failNext(down);
  backend.failNext(new EmailConnectionError('timeout', 'slow', { outcome: 'unknown' }));
  const silently = { failSilently: true };
  const first = await backend.sendMessages([mail('b@x.org')], silently);
  expect(first.recipients.get('b@x.org')).toMatchObject({ status: 'failed', retryable: true, error: down });
  expect((await backend.sendMessages([mail('b@x.org')], silently)).isUncertain).toBe(true);
  expect((await backend.sendMessages([mail('b@x.org')])).isSuccess).toBe(true);
  expect(backend.messages).toHaveLength(1);
});
