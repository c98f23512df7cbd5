import { isWorkerd } from './runtime.ts';

// Saved at load: fake timers of a test would replace it, and mails would wait forever.
const { setImmediate, setTimeout } = globalThis;
const STEPS_PER_TURN = 250;
let steps = 0;
let turn: Promise<void> | null = null;

/**
 * Counts steps of work that only promises drive, and returns a promise to await now and then, so that timers and sockets run,
 * which promises alone would starve.
 */
export function breathe(): Promise<void> | null {
  if (++steps < STEPS_PER_TURN) return null;
  if (isWorkerd()) return ownTurn(); // there, a promise belongs to its request
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      steps = 0;
      turn = null;
      resolve();
    });
  });
  return turn;
}

/**
 * Calls back in the next turn of the event loop, when what promises alone drive has come to rest. Fake timers do not hold it up,
 * as they would a timer of its own.
 */
export function nextTurn(callback: () => void): void {
  if (typeof setImmediate === 'function') setImmediate(callback);
  else setTimeout(callback, 0); // a page's globals, as those of jsdom, have no setImmediate
}

function ownTurn(): Promise<void> {
  steps = 0;
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
