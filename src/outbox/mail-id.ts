import { randomToken } from '../util/random.ts';

/** Digits of the time in milliseconds, enough until the year 5188, and of the count within one. */
const TIME_DIGITS = 9;
const COUNT_DIGITS = 4;
const RANDOM_DIGITS = 13;

let last = 0;
let count = 0;

/** An id of 26 letters and digits; of one process, later ones sort behind earlier ones, whatever its clock does. */
export function newMailId(): string {
  const now = Date.now();
  if (now > last) {
    last = now;
    count = 0;
  } else count++;
  const time = last.toString(36).padStart(TIME_DIGITS, '0');
  return time + count.toString(36).padStart(COUNT_DIGITS, '0') + randomToken().slice(0, RANDOM_DIGITS);
}
