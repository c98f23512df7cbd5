import { isWorkerd } from './runtime.ts';

// Saved at load: fake timers of a test would replace it, and mails would wait forever.
const { setImmediate } = globalThis;
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

function ownTurn(): Promise<void> {
  steps = 0;
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
