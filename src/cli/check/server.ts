import { lookup } from 'node:dns/promises';
import { makeWithOptions } from '../../connection/target.ts';
import { type ConnectionErrorCode, EmailConnectionError } from '../../model/errors.ts';
import { locationOf, resolveSmtpOptions, type SmtpOptions } from '../../smtp/options.ts';
import { type Finding, fault, faultOf, ok, warning } from './finding.ts';
import { ipVersion } from './spf-record.ts';

type Details = Readonly<Record<string, string | number | boolean | null>>;

const DAY_MS = 86_400_000;
const SOON_DAYS = 21;

/** Checks an SMTP server step by step: name, connection, TLS, login. Sends nothing. */
export async function checkSmtp(given: Readonly<Record<string, unknown>>): Promise<readonly Finding[]> {
  const options: SmtpOptions = given; // checked by the backend that was made from them
  const resolved = resolveSmtpOptions(options);
  const { host, path, proxy, security, credentials } = resolved;
  const where = locationOf(resolved);
  const findings: Finding[] = [];
  // A proxy looks the name up itself.
  if (path === null && proxy === null && ipVersion(host) === 0) {
    const found = await findHost(host);
    findings.push(found);
    if (found.level === 'error') return findings;
  }
  // First without a login: a failure before the login is not one of the login, and a server that refuses it is described all the same.
  const { username: _, password: __, accessToken: ___, oauth2: ____, authMethod: _____, ...anonymous } = options;
  const plain = { ...anonymous, security };
  try {
    const details = await detailsOf(plain);
    findings.push(ok('connect', `${where} answers as ${details['server']}`));
    findings.push(judgeTls(details, options.tls?.rejectUnauthorized !== false, proxy === null && isLocal(host, path)));
    findings.push(ok('server', capabilities(details)));
  } catch (error) {
    return [...findings, ...(await explainFailure(error, where, plain))];
  }
  findings.push(await checkLogin(options, credentials?.username ?? null));
  return findings;
}

const ENDPOINT = 'check oauth2.tokenUrl, and whether this machine may reach it';

/** What to do when the connection, TLS or login failed. */
const FIXES: Partial<Record<ConnectionErrorCode, string>> = {
  dns: 'check host',
  refused: 'check host and port, whether the server runs, and the firewall between',
  unreachable: 'check host and the network',
  timeout: 'check host and port; many networks block port 25: use 587 or 465',
  closed: 'check port and security; or the server keeps this client out: see its log',
  greeting: "see the server's reply: this address may be on a block list, or too many connections open",
  protocol: 'check port and security: 465 speaks TLS from the first byte, 25 and 587 do not',
  tls: 'check port and security: useSsl is for 465, useTls (STARTTLS) for 587 and 25',
  'starttls-unavailable': 'check port and security; a server without TLS needs useTls=false',
  auth: 'check user name and password; many providers want an app password, or OAuth (oauth2)',
  'auth-unavailable': 'choose a mechanism that the server offers, by authMethod, or leave it to the client',
  'insecure-auth': 'set useTls or useSsl',
  connection: 'check host and port',
};

/** {@link FIXES} for a login with tokens; the errors name the endpoint. */
const OAUTH_FIXES: typeof FIXES = {
  ...FIXES,
  auth: 'check username, oauth2, and that this account may send by SMTP with such a token (scope)',
  ...({ dns: ENDPOINT, refused: ENDPOINT, unreachable: ENDPOINT, timeout: ENDPOINT, connection: ENDPOINT } as const),
  ...({ protocol: ENDPOINT, certificate: ENDPOINT } as const),
};

/** What to do when the proxy makes no connection. */
const PROXY_FIXES: typeof FIXES = {
  dns: 'check proxy',
  refused: 'check proxy, host and port, and whether the proxy allows CONNECT to this port',
  unreachable: 'check host, which the proxy looks up, and port; or the proxy itself',
  timeout: 'check proxy, host and port',
  closed: "check proxy; or it keeps this client out: see the proxy's log",
  protocol: 'check the scheme and port of proxy',
  tls: 'check the scheme and port of proxy',
  certificate: 'give the certificate of its authority as NODE_EXTRA_CA_CERTS, or reach it by a name that it is for',
  auth: 'check user name and password in proxy',
  connection: 'check proxy, host and port',
};

/** By the error code of OpenSSL, or of Node for the name. */
const CERTIFICATE_FIXES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the server needs a new certificate',
  CERT_NOT_YET_VALID: "check this machine's clock",
  ERR_TLS_CERT_ALTNAME_INVALID: 'connect by a name that the certificate has, or set tls.servername to it',
};
const UNTRUSTED =
  'give the certificate of its authority as tls.ca, or set NODE_EXTRA_CA_CERTS to its file; never turn the check off outside tests';

async function explainFailure(error: unknown, where: string, options: SmtpOptions): Promise<readonly Finding[]> {
  if (!(error instanceof EmailConnectionError) || error.phase !== 'tls') {
    const isOfProxy = options.proxy !== undefined && error instanceof EmailConnectionError && error.phase === 'connect';
    return [faultOf('connect', error, isOfProxy ? PROXY_FIXES : FIXES)];
  }
  const connected = ok('connect', `${where} answers`);
  if (error.code !== 'certificate') return [connected, faultOf('tls', error, FIXES)];
  const { code = '' } = error.cause as NodeJS.ErrnoException; // what OpenSSL or Node said
  // This second connection sends nothing secret; it only reads the certificate.
  const { servername } = options.tls ?? {};
  const tls = { rejectUnauthorized: false, ...(servername !== undefined && { servername }) };
  const shown = await detailsOf({ ...options, tls }).then(describeCertificate, () => null);
  const text = shown === null ? error.message : `${error.message}; it is ${shown}`;
  return [connected, fault('tls', text, CERTIFICATE_FIXES[code] ?? UNTRUSTED, { code: error.code })];
}

async function detailsOf(options: SmtpOptions): Promise<Details> {
  return (await makeWithOptions('smtp', options).verify()).details;
}

async function findHost(host: string): Promise<Finding> {
  try {
    const addresses = await lookup(host, { all: true });
    return ok('dns', `${host} is ${addresses.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException; // of getaddrinfo
    const isTemporary = code !== 'ENOTFOUND';
    const what = isTemporary ? 'cannot be looked up now' : 'is not found';
    return fault('dns', `${host} ${what} (${code})`, isTemporary ? 'try again later' : 'check host', {
      code,
      isTemporary,
    });
  }
}

async function checkLogin(options: SmtpOptions, username: string | null): Promise<Finding> {
  if (username === null) return ok('login', 'none is configured');
  try {
    const { authMethod } = await detailsOf(options);
    return ok('login', `${username} is let in by ${authMethod}`);
  } catch (error) {
    return faultOf('login', error, options.oauth2 === undefined ? FIXES : OAUTH_FIXES);
  }
}

/** Rates the TLS of a session. */
export function judgeTls(details: Details, isVerified: boolean, isLocal: boolean, now: number = Date.now()): Finding {
  const { tls, certificateExpires } = details;
  if (tls === null) {
    if (isLocal) return ok('tls', 'none, on this machine');
    return warning(
      'tls',
      'none: everybody on the way can read the mails',
      'set useTls=true (STARTTLS), or useSsl for port 465',
    );
  }
  const text = `${tls}, ${describeCertificate(details)}`;
  if (!isVerified) {
    return warning(
      'tls',
      `${text}; any other is accepted, too`,
      'remove tls.rejectUnauthorized=false: an attacker can read everything',
    );
  }
  const days = Math.floor((Date.parse(String(certificateExpires)) - now) / DAY_MS);
  if (days < SOON_DAYS) return warning('tls', `${text}: in ${days} days`, 'see that it is renewed in time');
  return ok('tls', `${text} (${days} days)`);
}

function describeCertificate(details: Details): string {
  const { certificateSubject, certificateNames, certificateIssuer, certificateExpires } = details;
  const names = String(certificateNames || certificateSubject || 'nobody').replaceAll(/DNS:|IP Address:/g, '');
  const by = certificateIssuer === certificateSubject ? 'signed by itself' : `by ${certificateIssuer}`;
  return `a certificate for ${names}, ${by}, valid until ${String(certificateExpires).slice(0, 10)}`;
}

function capabilities({ pipelining, chunking, eightBitMime, smtpUtf8, dsn, maxSize }: Details): string {
  const offered = Object.entries({
    PIPELINING: pipelining,
    CHUNKING: chunking,
    '8BITMIME': eightBitMime,
    SMTPUTF8: smtpUtf8,
    DSN: dsn,
  });
  const names = offered.flatMap(([name, isOffered]) => (isOffered ? [name] : []));
  const size = maxSize ? [`mails of up to ${Number(maxSize).toLocaleString('en')} octets`] : [];
  return [...names, ...size].join(', ') || 'no extensions';
}

function isLocal(host: string, path: string | null): boolean {
  return path !== null || host === 'localhost' || /^127\.|^::1$/.test(host);
}
