import type { Answer } from './hooks.ts';

const ENHANCED = /^(\d{3} )\d\.\d{1,3}\.\d{1,3} /;
const DIGIT_2 = 50;
const DIGIT_3 = 51;

/**
 * Writes a reply as it goes on the wire: a line feed begins a further line, which needs no code of its own.
 *
 * @param enhanced false leaves the enhanced status code out (RFC 2034 is not offered)
 */
export function formatReply(reply: string, enhanced: boolean): string {
  const text = enhanced ? reply : reply.replace(ENHANCED, '$1');
  if (!text.includes('\n')) return `${text}\r\n`;
  const code = text.slice(0, 3);
  const lines = text.slice(4).split('\n');
  return lines.map((line, i) => `${code}${i === lines.length - 1 ? ' ' : '-'}${line}\r\n`).join('');
}

/** Whether an answer lets the client go on: the usual reply, or one of 2xx or 3xx. */
export function isPositive(answer: Answer): boolean {
  if (answer === undefined || answer === null) return answer === undefined;
  const first = typeof answer === 'string' ? answer.charCodeAt(0) : answer[0];
  return first === DIGIT_2 || first === DIGIT_3;
}
