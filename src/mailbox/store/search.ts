import { comparisonKey } from '../../model/address.ts';
import type { MailSummary } from './caught-mail.ts';

/** Whether a mail matches; `indexed` is its searchable text in lower case. */
export type MailMatcher = (summary: MailSummary, indexed: string) => boolean;

const TERM = /(-?)(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/gi;

const FIELDS: Readonly<Record<string, (summary: MailSummary) => string>> = {
  from: ({ from, envelope }) => `${from?.name} ${from?.address} ${envelope.from}`,
  to: ({ to, cc, envelope }) =>
    [...to.map(({ name, address }) => `${name} ${address}`), ...cc.map(({ name }) => name), ...envelope.to].join(' '),
  subject: ({ subject }) => subject,
  tag: ({ tags }) => tags.join('\n'),
};

const STATES: Readonly<Record<string, (summary: MailSummary) => boolean>> = {
  'has:attachment': ({ attachments }) => attachments > 0,
  'is:unread': ({ isRead }) => !isRead,
  'is:read': ({ isRead }) => isRead,
};

/**
 * Reads a search such as `from:anna subject:"your order" has:attachment -tag:welcome invoice`: every term must match, and a
 * minus negates one.
 */
export function parseSearch(query: string): MailMatcher {
  const terms = [...query.slice(0, 1000).matchAll(TERM)].map(readTerm);
  return (summary, indexed) => terms.every((term) => term(summary, indexed));
}

/**
 * The terms of a search that look like a field or a state but are not, such as `label:x` and `has:invoice`; they are searched
 * as words.
 */
export function unknownTerms(query: string): string[] {
  const terms = [...query.slice(0, 1000).matchAll(TERM)].map(([, , field = '', quoted, plain = '']) => ({
    name: field.toLowerCase(),
    value: (quoted ?? plain).toLowerCase(),
  }));
  const unknown = terms.filter(
    ({ name, value }) =>
      name !== '' &&
      !value.startsWith('//') &&
      !Object.hasOwn(FIELDS, name) &&
      !Object.hasOwn(STATES, `${name}:${value}`),
  );
  return [...new Set(unknown.map(({ name, value }) => `${name}:${value}`))];
}

/** Matches mails whose field contains this text, which is taken literally. */
export function matchField(field: 'from' | 'to' | 'subject' | 'tag', text: string): MailMatcher {
  const read = FIELDS[field];
  const wanted = text.toLowerCase();
  return (summary) => read?.(summary).toLowerCase().includes(wanted) === true;
}

/** Matches mails from or to exactly this address; Cc and Bcc count as to. */
export function matchAddress(field: 'from' | 'to', address: string): MailMatcher {
  const wanted = comparisonKey(address);
  return ({ from, to, cc, envelope }) => {
    const people = field === 'from' ? [from] : [...to, ...cc];
    const addresses = [...people.map((who) => who?.address), ...(field === 'from' ? [envelope.from] : envelope.to)];
    return addresses.some((candidate) => candidate !== undefined && comparisonKey(candidate) === wanted);
  };
}

function readTerm([, minus, field = '', quoted, plain]: RegExpExecArray): MailMatcher {
  const isWanted = minus !== '-';
  const name = field.toLowerCase();
  const value = (quoted ?? plain ?? '').toLowerCase();
  const key = `${name}:${value}`;
  const state = Object.hasOwn(STATES, key) ? STATES[key] : undefined;
  if (state !== undefined) return (summary) => state(summary) === isWanted;
  const read = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  if (read !== undefined) return (summary) => read(summary).toLowerCase().includes(value) === isWanted;
  const text = field === '' ? value : `${name}:${value}`; // a word with a colon, such as a URL
  return (_, indexed) => indexed.includes(text) === isWanted;
}
