import type { ResolvedSmtpOptions } from '../../smtp/options.ts';

/** What a connection costs before its first mail. */
export interface SessionPlan {
  /** Each step with its fewest and most round trips. */
  readonly steps: readonly (readonly [step: string, fewest: number, most: number])[];
  readonly fewest: number;
  readonly most: number;
}

/** The round trips of each mechanism when the server takes the initial response (RFC 4954, 5802, 7628). */
const AUTH: Readonly<Record<string, number>> = {
  PLAIN: 1,
  OAUTHBEARER: 1,
  XOAUTH2: 1,
  'CRAM-MD5': 2,
  LOGIN: 3,
  'SCRAM-SHA-1': 3,
  'SCRAM-SHA-256': 3,
};

/** Counts the round trips before the first mail, once for each connection. */
export function planSession(options: ResolvedSmtpOptions): SessionPlan {
  const { path, proxy, security, credentials, authMethod, lmtp, tls } = options;
  const steps: [string, number, number][] = [];
  const add = (step: string, fewest: number, most = fewest) => steps.push([step, fewest, most]);
  // TLS 1.2 needs one more than TLS 1.3.
  const handshake = () => add('TLS handshake', 1, tls.minVersion === 'TLSv1.3' ? 1 : 2);
  const hello = lmtp ? 'LHLO' : 'EHLO';
  if (path === null) add('TCP', 1);
  if (proxy?.scheme === 'https') add('TLS handshake with the proxy', 1, 2);
  if (proxy?.scheme === 'socks5') {
    add('SOCKS method', 1);
    if (proxy.login !== null) add('SOCKS login', 0, 1);
  }
  if (proxy !== null) add('CONNECT of the proxy', 1);
  if (security === 'implicit') handshake();
  add('greeting', 1);
  add(hello, 1);
  if (security === 'required' || security === 'opportunistic') {
    add('STARTTLS', 1);
    handshake();
    add(hello, 1);
  }
  if (credentials !== null) {
    const { tokens } = credentials;
    const known = authMethod === null ? (tokens ? 1 : undefined) : AUTH[authMethod];
    // A token lasts for an hour or so and serves all connections: fetching it is no round trip of this one.
    const from = tokens?.host ? `with a token from ${tokens.host}` : tokens ? 'with a token' : 'PLAIN to SCRAM';
    const how = authMethod === null ? from : tokens?.host ? `${authMethod} ${from}` : authMethod;
    add(`AUTH ${how}`, known ?? 1, known ?? 3);
  }
  const sum = (column: 1 | 2) => steps.reduce((total, step) => total + step[column], 0);
  return { steps, fewest: sum(1), most: sum(2) };
}
