import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Outbox } from '../../src/outbox/outbox.ts';

const PRODUCER = fileURLToPath(new URL('kill-producer.js', import.meta.url));

/** The ids that a process said it had written down, before it died at once. */
async function dyingProducer(store: string, count: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [PRODUCER], {
    env: { ...process.env, NODE_V8_COVERAGE: undefined, STORE: store, COUNT: String(count) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [, signal] = await once(child, 'close');
  if (signal !== 'SIGKILL') throw new Error(`a producer ended before it had written its mails down: ${said}`);
  return said.trim().split('\n');
}

/** What processes wrote down that died right after it, and what of that cannot be read whole. */
export async function killProducers(
  outbox: Outbox,
  store: string,
  times: number,
): Promise<{ readonly written: number; readonly lost: readonly string[] }> {
  const ids: string[] = [];
  for (let time = 0; time < times; time += 2) {
    const pair = [1 + Math.floor(Math.random() * 5), 1 + Math.floor(Math.random() * 5)];
    ids.push(...(await Promise.all(pair.map((count) => dyingProducer(store, count)))).flat());
  }
  const lost: string[] = [];
  for (const id of ids) {
    const message = await outbox.message(id);
    if ((await outbox.get(id))?.state !== 'queued' || message?.body.length !== 12_000) lost.push(id);
  }
  return { written: ids.length, lost };
}
