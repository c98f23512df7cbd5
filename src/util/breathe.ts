import { isWorkerd } from './runtime.ts';

// Taken once: a test that fakes the clock later fakes this function, too, and mails would wait for it for ever.
const { setImmediate } = globalThis;
const STEPS_PER_TURN = 250;
let steps = 0;
let turn: Promise<void> | null = null;

/**
 * Counts the steps of work that only promises drive, and now and then gives a promise to wait for: timers and sockets have
 * their turn then, which promises alone would never let them have.
 */
export function breathe(): Promise<void> | null {
  if (++steps < STEPS_PER_TURN) return null;
  if (isWorkerd()) return ownTurn(); // a promise is its request's own there
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
