import type { Answer } from './hooks.ts';

const ENHANCED = /^(\d{3} )\d\.\d{1,3}\.\d{1,3} /;
const DIGIT_2 = 50;
const DIGIT_3 = 51;

/**
 * Formats a reply for the wire; a line feed in it begins another line, which is given the code.
 *
 * @param isEnhanced Whether to keep the enhanced status code (RFC 2034 is offered).
 */
export function formatReply(reply: string, isEnhanced: boolean): string {
  const text = isEnhanced ? reply : reply.replace(ENHANCED, '$1');
  if (!text.includes('\n')) return `${text}\r\n`;
  const code = text.slice(0, 3);
  const lines = text.slice(4).split('\n');
  return lines.map((line, i) => `${code}${i === lines.length - 1 ? ' ' : '-'}${line}\r\n`).join('');
}

/** Narrows what `onMessage` returns for LMTP to one answer per recipient. */
export function isList(answers: Answer | readonly Answer[]): answers is readonly Answer[] {
  return Array.isArray(answers);
}

/** Whether an answer accepts: the usual reply, or one of 2xx or 3xx. */
export function isPositive(answer: Answer): boolean {
  if (answer === undefined || answer === null) return answer === undefined;
  const first = typeof answer === 'string' ? answer.charCodeAt(0) : answer[0];
  return first === DIGIT_2 || first === DIGIT_3;
}
