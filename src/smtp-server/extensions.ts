import type { Parameters } from './command-parser.ts';
import type { ResolvedSmtpServerOptions } from './options.ts';

/** The ESMTP extensions that the server can offer; AUTH is offered when there is an `onAuth`. */
export type Extension =
  | 'PIPELINING'
  | 'SIZE'
  | '8BITMIME'
  | 'SMTPUTF8'
  | 'CHUNKING'
  | 'BINARYMIME'
  | 'DSN'
  | 'ENHANCEDSTATUSCODES'
  | 'STARTTLS'
  | 'REQUIRETLS';

/** All extensions in the order in which EHLO lists them. */
export const EXTENSIONS: readonly Extension[] = [
  'PIPELINING',
  'SIZE',
  '8BITMIME',
  'SMTPUTF8',
  'CHUNKING',
  'BINARYMIME',
  'DSN',
  'ENHANCEDSTATUSCODES',
  'STARTTLS',
  'REQUIRETLS',
];

type Rule = { readonly extension: Extension; readonly value: RegExp };

const MAIL_RULES: Readonly<Record<string, Rule>> = {
  SIZE: { extension: 'SIZE', value: /^\d{1,20}$/ },
  BODY: { extension: '8BITMIME', value: /^(7BIT|8BITMIME|BINARYMIME)$/i },
  SMTPUTF8: { extension: 'SMTPUTF8', value: /^$/ },
  RET: { extension: 'DSN', value: /^(FULL|HDRS)$/i },
  ENVID: { extension: 'DSN', value: /^(?=.{1,100}$)([!-*,-<>-~]|\+[0-9A-F]{2})+$/ },
  REQUIRETLS: { extension: 'REQUIRETLS', value: /^$/ },
};

const RCPT_RULES: Readonly<Record<string, Rule>> = {
  NOTIFY: { extension: 'DSN', value: /^(NEVER|(SUCCESS|FAILURE|DELAY)(,(SUCCESS|FAILURE|DELAY)){0,2})$/i },
  ORCPT: { extension: 'DSN', value: /^[A-Za-z0-9-]+;([!-*,-<>-~\u{80}-\u{10ffff}]|\+[0-9A-F]{2})+$/u },
};

/** The extensions that EHLO lists in the connection's current state. */
export function offeredExtensions(
  options: ResolvedSmtpServerOptions,
  isSecure: boolean,
  isAuthenticated: boolean,
): string[] {
  const lines: string[] = [];
  for (const extension of EXTENSIONS) {
    if (!options.extensions.has(extension)) continue;
    if (extension === 'STARTTLS' && isSecure) continue;
    if (extension === 'REQUIRETLS' && !isSecure) continue;
    lines.push(extension === 'SIZE' ? `SIZE ${options.maxSize}` : extension);
  }
  if (options.authMechanisms.length > 0 && !isAuthenticated && (isSecure || options.allowInsecureAuth))
    lines.push(`AUTH ${options.authMechanisms.join(' ')}`);
  return lines;
}

/** The reply that refuses a MAIL with these parameters, or null. */
export function checkMailParameters(
  address: string,
  parameters: Parameters,
  options: ResolvedSmtpServerOptions,
  isSecure: boolean,
): string | null {
  const fault = checkParameters(parameters, MAIL_RULES, options);
  if (fault !== null) return fault;
  if ('REQUIRETLS' in parameters && !isSecure) return '530 5.7.10 REQUIRETLS needs TLS';
  if (parameters['BODY']?.toUpperCase() === 'BINARYMIME' && !options.extensions.has('BINARYMIME'))
    return '555 5.5.4 BINARYMIME is not offered';
  if (Number(parameters['SIZE'] ?? 0) > options.maxSize) return `552 5.3.4 A mail may have ${options.maxSize} octets`;
  return checkAscii(address, 'SMTPUTF8' in parameters);
}

/** The reply that refuses a RCPT with these parameters, or null. */
export function checkRcptParameters(
  address: string,
  parameters: Parameters,
  options: ResolvedSmtpServerOptions,
  isUtf8: boolean,
): string | null {
  return checkParameters(parameters, RCPT_RULES, options) ?? checkAscii(address, isUtf8);
}

function checkParameters(
  parameters: Parameters,
  rules: Readonly<Record<string, Rule>>,
  options: ResolvedSmtpServerOptions,
): string | null {
  for (const keyword in parameters) {
    if (keyword === 'AUTH' && rules === MAIL_RULES && options.authMechanisms.length > 0) continue;
    const rule = Object.hasOwn(rules, keyword) ? rules[keyword] : undefined;
    if (rule === undefined || !options.extensions.has(rule.extension))
      return `555 5.5.4 The parameter ${keyword} is not offered`;
    if (!rule.value.test(parameters[keyword] ?? '')) return `501 5.5.4 The parameter ${keyword} has a wrong value`;
  }
  return null;
}

/** A non-ASCII address needs SMTPUTF8 (RFC 6531, section 3.4). */
function checkAscii(address: string, isUtf8: boolean): string | null {
  return isUtf8 || !/[^ -~]/.test(address) ? null : '553 5.6.7 The address needs SMTPUTF8';
}
