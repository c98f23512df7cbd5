export { memoryStore } from './memory-store.ts';
export { Meter } from './meter.ts';
export { Outbox } from './outbox.ts';
export { openStore } from './stores/open-store.ts';
export { Worker } from './worker.ts';
