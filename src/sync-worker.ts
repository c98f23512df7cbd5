import { type MessagePort, workerData } from 'node:worker_threads';
import type { EmailBackend } from './backend.ts';
import { makeBackend } from './connection-target.ts';
import { type DeliveryResult, failedDelivery, toEmailError } from './delivery.ts';
import { type EmailError, SendError } from './errors.ts';
import { EmailMessage } from './message.ts';
import type { SyncRequest } from './sync.ts';
import { type PackedResults, packResults, WORKER_ENDED, WORKER_RUNNING } from './sync-codec.ts';

// The worker's half of the blocking bridge: it must answer every request, as the other thread sleeps until it does.
// sync.ts starts this file with exactly this data.
const { port, signal } = workerData as { readonly port: MessagePort; readonly signal: Int32Array };
const connections = new Map<number, EmailBackend>();
let queue: Promise<void> = Promise.resolve();

Atomics.store(signal, 1, WORKER_RUNNING);
process.on('exit', () => {
  Atomics.store(signal, 1, WORKER_ENDED);
  Atomics.notify(signal, 0);
});
port.on('message', (request: SyncRequest) => {
  queue = queue.then(() => serve(request)).then(answer);
});

function answer(results: PackedResults): void {
  port.postMessage(results);
  Atomics.add(signal, 0, 1);
  Atomics.notify(signal, 0);
}

async function serve(request: SyncRequest): Promise<PackedResults> {
  if (request.kind === 'deliver') return packResults(await deliver(request));
  await connections.get(request.id)?.close();
  connections.delete(request.id);
  return packResults([]);
}

async function deliver({
  id,
  recipe,
  jobs,
}: Extract<SyncRequest, { kind: 'deliver' }>): Promise<readonly DeliveryResult[]> {
  const messages = jobs.map(({ message }) => new EmailMessage(message));
  const results = new Map<number, DeliveryResult>();
  let ended: EmailError = new SendError('aborted', 'the backend ended before it took this message', { phase: 'queue' });
  try {
    const connection = connections.get(id) ?? makeBackend(recipe.backend, recipe.options);
    connections.set(id, connection);
    for await (const result of connection.stream(messages)) {
      results.set(result.index, result);
      if (result.error?.outcome === 'not-sent') ended = result.error;
    }
  } catch (error) {
    ended = toEmailError(error);
  }
  return messages.map((message, position) => {
    const index = jobs[position]?.index ?? position;
    return { ...(results.get(position) ?? failedDelivery({ index, message }, ended)), index };
  });
}
