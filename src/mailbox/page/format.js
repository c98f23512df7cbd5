const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

/** The time if it is today, or else the day. @param {string} iso */
export function shortTime(iso) {
  const date = new Date(iso);
  return date.toDateString() === new Date().toDateString() ? TIME.format(date) : DAY.format(date);
}

/** @param {string} iso */
export function fullTime(iso) {
  return FULL.format(new Date(iso));
}

/** @param {number} bytes */
export function byteSize(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB'];
  let value = bytes / 1000;
  let unit = 0;
  for (; value >= 1000 && unit < 2; unit++) value /= 1000;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** @typedef {{ readonly name: string, readonly address: string }} Person */

/** A person's name in the list. @param {Person | null} person */
export function personName(person) {
  return person === null ? 'No sender' : person.name || person.address;
}

/** @param {Person | null} person */
export function initials(person) {
  const words = personName(person)
    .replace(/@.*/, '')
    .split(/[\s._-]+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = [...(words[0] ?? '?')][0] ?? '?';
  const last = words.length > 1 ? ([...(words.at(-1) ?? '')][0] ?? '') : '';
  return (first + last).toUpperCase();
}

/** The style that gives an address one of eight colours, always the same. @param {Person | null} person */
export function hue(person) {
  let hash = 7;
  for (const char of person?.address ?? '') hash = (hash * 31 + char.charCodeAt(0)) % 65_521;
  return `--hue: ${(hash % 8) * 45}`;
}

/** @param {number} count @param {string} one @param {string} [many] */
export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}
