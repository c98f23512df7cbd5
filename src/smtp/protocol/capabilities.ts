/** The extensions a server offers in its reply to EHLO or LHLO (RFC 5321, section 4.1.1.1); HELO leaves everything off. */
export interface Capabilities {
  readonly pipelining: boolean;
  readonly chunking: boolean;
  readonly eightBitMime: boolean;
  readonly smtpUtf8: boolean;
  readonly dsn: boolean;
  readonly startTls: boolean;
  readonly requireTls: boolean;
  /** Whether SIZE may be declared (RFC 1870). */
  readonly size: boolean;
  /** The largest message in octets, 0 when there is no fixed limit. */
  readonly maxSize: number;
  /** The most recipients of one transaction (LIMITS RCPTMAX, RFC 9422), 0 when it is not declared. */
  readonly maxRecipients: number;
  /** The most transactions of one session (LIMITS MAILMAX, RFC 9422), 0 when it is not declared. */
  readonly maxMails: number;
  /** The offered SASL mechanisms, in capitals. */
  readonly auth: ReadonlySet<string>;
}

/** The capabilities of a server that was greeted with HELO. */
export const NO_CAPABILITIES: Capabilities = /* @__PURE__ */ parseCapabilities('');

/** Reads the text of an EHLO reply, lines joined by LF; its first line is the server's own greeting. */
export function parseCapabilities(text: string): Capabilities {
  const keywords = new Map<string, string>();
  const auth = new Set<string>();
  for (const line of text.split('\n').slice(1)) {
    // `AUTH=LOGIN` is how servers before RFC 2554 spell it.
    const [, keyword = '', rest = ''] = /^([A-Za-z0-9][A-Za-z0-9-]*)[ =]?(.*)$/.exec(line.trim()) ?? [];
    const name = keyword.toUpperCase();
    keywords.set(name, rest.trim());
    if (name === 'AUTH') for (const mechanism of rest.toUpperCase().split(/\s+/)) if (mechanism) auth.add(mechanism);
  }
  const limits = keywords.get('LIMITS') ?? '';
  return {
    pipelining: keywords.has('PIPELINING'),
    chunking: keywords.has('CHUNKING'),
    eightBitMime: keywords.has('8BITMIME'),
    smtpUtf8: keywords.has('SMTPUTF8'),
    dsn: keywords.has('DSN'),
    startTls: keywords.has('STARTTLS'),
    requireTls: keywords.has('REQUIRETLS'),
    size: keywords.has('SIZE'),
    maxSize: decimal(keywords.get('SIZE')),
    maxRecipients: decimal(/(?:^|\s)RCPTMAX=(\d+)/i.exec(limits)?.[1]),
    maxMails: decimal(/(?:^|\s)MAILMAX=(\d+)/i.exec(limits)?.[1]),
    auth,
  };
}

function decimal(text: string | undefined): number {
  return text && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}
