import { type MessagePort, workerData } from 'node:worker_threads';
import type { EmailBackend } from '../backend/backend.ts';
import type { SyncRequest } from '../backend/blocking/bridge.ts';
import { type PackedResults, packResults, WORKER_ENDED, WORKER_RUNNING } from '../backend/blocking/codec.ts';
import { type DeliveryResult, failedDelivery, toEmailError } from '../backend/job.ts';
import { EmailMessage } from '../model/message.ts';
import { makeWithOptions } from './target.ts';

// The worker's side of blocking calls: it must answer every request, as the other thread sleeps until then.
// bridge.ts starts this file with exactly this data.
const { port, signal } = workerData as { readonly port: MessagePort; readonly signal: Int32Array };
const connections = new Map<number, EmailBackend>();
let queue: Promise<void> = Promise.resolve();

Atomics.store(signal, 1, WORKER_RUNNING);
// A heartbeat: a thread that runs out of memory ends without any event.
setInterval(() => Atomics.add(signal, 2, 1), 1_000).unref();
// A backend may end the thread, by process.exit or an uncaught error.
process.on('exit', () => {
  Atomics.store(signal, 1, WORKER_ENDED);
  Atomics.notify(signal, 0);
});
port.on('message', (request: SyncRequest) => {
  // There is always an answer; messages without a result count as unknown.
  queue = queue
    .then(() => serve(request))
    .then(answer)
    .catch(() => answer(packResults([])));
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
  let ended: unknown;
  try {
    const connection = connections.get(id) ?? makeWithOptions(recipe.backend, recipe.options);
    connections.set(id, connection);
    for await (const result of connection.stream(messages)) results.set(result.index, result);
  } catch (error) {
    ended = error;
  }
  // Every message has a result, unless the connection could not be made.
  return messages.map((message, place) => {
    const index = jobs[place]?.index ?? place;
    return { ...(results.get(place) ?? failedDelivery({ index, message }, toEmailError(ended))), index };
  });
}
