import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ScriptedHttp } from '../servers/scripted-http.ts';
import { PlainProvider } from './plain-provider.ts';

let server: ScriptedHttp;
beforeEach(async () => {
  server = await ScriptedHttp.start();
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

test.each([1, 3])('fake timers hold up no batch of %i', async (count) => {
  server.script = ({ path }) => ({ body: path === '/send' ? { id: '1' } : [{ id: '1' }, { id: '2' }, { id: '3' }] });
  const backend = new PlainProvider({ baseUrl: server.url, batchOf: 4 });
  const mail = { subject: 's', body: 'b', fromEmail: 'a@x.org', to: 'b@x.org' };
  vi.useFakeTimers();
  expect(await backend.sendMessages(Array.from({ length: count }, () => mail))).toMatchObject({ isSuccess: true });
  expect(server.calls.map(({ path }) => path)).toEqual([count === 1 ? '/send' : '/send-all']);
  await backend.close();
});
