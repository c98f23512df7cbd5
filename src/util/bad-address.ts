import type { ServerReply } from '../errors.ts';

// RFC 3463, section 3.2: bad mailbox, bad system, bad syntax, moved without forwarding address, null MX (RFC 7505).
const CODES: ReadonlySet<string> = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10']);

/** Whether a 5xx reply to RCPT says that the address itself is wrong, not who asks. */
export function isBadAddress({ code, enhancedCode }: Pick<ServerReply, 'code' | 'enhancedCode'>): boolean {
  return code === 553 || (enhancedCode !== null && CODES.has(enhancedCode));
}
