export { memoryStore } from './memory-store.ts';
export { Outbox } from './outbox.ts';
export { openStore } from './stores/open-store.ts';
