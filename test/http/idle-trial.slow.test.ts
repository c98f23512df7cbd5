import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ScriptedHttp } from '../servers/scripted-http.ts';

const isWhole = process.env['HTTP_TRIAL'] === 'all';
const TIMEOUT_MS = 900_000;
const PAUSING = fileURLToPath(new URL('pausing-child.js', import.meta.url));
const WAITING = fileURLToPath(new URL('waiting-child.js', import.meta.url));

let server: ScriptedHttp;
beforeEach(async () => {
  server = await ScriptedHttp.start();
  server.script = () => ({ status: 202, headers: { 'x-message-id': 'id' }, body: '' });
});
afterEach(() => server.close());

/** What is said of mails with pauses as long as the server lets a connection idle, over each of some connections. */
async function pause(name: string, isTold: boolean) {
  const [connections, mails] = isWhole ? [20, 50] : [10, 6];
  server.idle(400, isTold);
  const { stdout } = await promisify(execFile)(process.execPath, [PAUSING, server.url, `${connections}`, `${mails}`]);
  if (isWhole) console.log(`idle, a server ${name}: ${stdout}, ${server.connections} connections`);
  const statuses: { readonly queued: number; readonly unknown?: number } = JSON.parse(stdout);
  return { statuses, connections, all: connections * mails };
}

describe('connections that idle about as long as the server lets them', { timeout: TIMEOUT_MS }, () => {
  test('lose no mail when the server says how long that is', async () => {
    const { statuses, all } = await pause('who says so', true);
    expect(statuses).toEqual({ queued: all });
    expect(server.calls).toHaveLength(all);
  });

  test('lose at most the first, which nobody can tell, when it says nothing', async () => {
    const { statuses, all, connections } = await pause('who says nothing', false);
    const { queued, unknown = 0 } = statuses;
    expect(queued + unknown).toBe(all);
    expect(unknown).toBeLessThanOrEqual(connections);
    expect(server.calls.length).toBeGreaterThanOrEqual(queued);
  });
});

/** How long the processes are frozen, and how long the server lets connections idle. */
const [FROZEN_MS, IDLE_MS] = isWhole ? [10_000, 5_000] : [4_500, 1_000];

test.each([
  ['who says when', true],
  ['who says nothing', false],
])(
  'a process that was frozen loses no mail, while its connection was closed by a server %s',
  {
    timeout: TIMEOUT_MS,
  },
  async (name, isTold) => {
    server.idle(IDLE_MS, isTold);
    const [processes, times] = isWhole ? [10, 5] : [3, 1];
    const told = await Promise.all(Array.from({ length: processes }, () => freeze(server.url, times)));
    if (isWhole) console.log(`frozen, a server ${name}: ${told.flat().join(' ')}`);
    expect(told.flat()).toEqual(Array.from({ length: processes * (times + 1) }, () => 'queued'));
    expect(server.calls).toHaveLength(processes * (times + 1));
  },
);

/** What a process says of its mails, that is frozen after each but the last. */
async function freeze(url: string, times: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [WAITING, url], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const told: string[] = [];
  for (let count = 0; count <= times; count++) {
    child.stdin.write('next\n'); // it is there when the process goes on, beside the end of its connection
    if (count > 0) child.kill('SIGCONT');
    const { value } = await lines.next();
    told.push(String(value));
    if (count === times) break;
    child.kill('SIGSTOP');
    await setTimeout(FROZEN_MS);
  }
  child.stdin.end();
  await once(child, 'exit');
  return told;
}
