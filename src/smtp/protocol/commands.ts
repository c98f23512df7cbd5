import { MessageError } from '../../model/errors.ts';

/** End of content after DATA (RFC 5321, section 4.1.1.4), for content that ends with CRLF. */
export const END_OF_DATA = '.\r\n';
export const DATA = 'DATA\r\n';
export const RSET = 'RSET\r\n';
export const QUIT = 'QUIT\r\n';
export const STARTTLS = 'STARTTLS\r\n';

/** The most octets a command line may have with its CRLF (RFC 5321, section 4.5.3.1.4). */
export const MAX_COMMAND = 512;

/** What a line must never hold: a line end, NUL or another control character would start a second command (RFC 5321, section 4.1.2). */
const CONTROL = /[\p{Cc}\p{Cs}\u2028\u2029]/u;
/** An address with neither a quoted local part nor anything special to SMTP: the usual case. */
const PLAIN_PATH = /^[!#-;=?-[\]-~]+$/;
/** A quoted local part, and a domain or address literal. */
const QUOTED_PATH = /^(?:"(?:[ !#-[\]-~\u00a0-\u{10ffff}]|\\[ -~])*"|[^"<>\\\s]+)@[^"<>\\\s@]+$/u;

/** How a greeting command introduces the client. */
export type Greeting = 'EHLO' | 'HELO' | 'LHLO';

/** EHLO, HELO or LHLO. */
export function hello(verb: Greeting, name: string): string {
  return line(`${verb} ${name}`);
}

/** AUTH, with the initial response when one is given (RFC 4954, section 4); an empty one is written `=`. */
export function auth(mechanism: string, initialResponse?: string): string {
  return line(initialResponse === undefined ? `AUTH ${mechanism}` : `AUTH ${mechanism} ${initialResponse || '='}`);
}

/** A line of the AUTH dialogue. */
export function authResponse(response: string): string {
  return line(response);
}

/** MAIL FROM; `sender` '' is the null sender. `parameters` begin with a space or are ''. */
export function mail(sender: string, parameters: string): string {
  return `MAIL FROM:<${sender === '' ? '' : path(sender)}>${parameters}\r\n`;
}

/** RCPT TO; `parameters` begin with a space or are ''. */
export function rcpt(recipient: string, parameters: string): string {
  return `RCPT TO:<${path(recipient)}>${parameters}\r\n`;
}

/** BDAT (RFC 3030, section 2). */
export function bdat(size: number, last: boolean): string {
  return last ? `BDAT ${size} LAST\r\n` : `BDAT ${size}\r\n`;
}

/** One esmtp-param with its leading space; its value must be printable ASCII without a space (RFC 5321, section 4.1.2). */
export function parameter(keyword: string, value?: string): string {
  if (value === undefined) return ` ${keyword}`;
  if (!/^[!-~]+$/.test(value)) throw refused(keyword, 'has characters that an SMTP parameter cannot carry');
  return ` ${keyword}=${value}`;
}

/** Encodes text as xtext (RFC 3461, section 4): everything but printable ASCII, `+` and `=` as +XX. */
export function xtext(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    encoded +=
      byte < 0x21 || byte > 0x7e || byte === 0x2b || byte === 0x3d
        ? `+${byte.toString(16).toUpperCase().padStart(2, '0')}`
        : String.fromCharCode(byte);
  }
  return encoded;
}

/** An ORCPT value, `addr-type;address` with the address encoded (RFC 3461, section 4.2); one beyond ASCII by RFC 6533, section 3. */
export function originalRecipient(value: string): string {
  const [, type = 'rfc822', address = ''] = /^(?:([A-Za-z0-9-]+);)?(.*)$/s.exec(value) ?? [];
  if (/^[ -~]*$/.test(address)) return `${type};${xtext(address)}`;
  let encoded = '';
  for (const character of address) {
    const code = character.codePointAt(0) ?? 0;
    encoded += /^[!-*,-<>-[\]-~]$/.test(character) ? character : `\\x{${code.toString(16).toUpperCase()}}`;
  }
  return `utf-8;${encoded}`;
}

/** The path between the angle brackets, refused when it could end them; never cleaned into another mailbox. */
function path(address: string): string {
  if (PLAIN_PATH.test(address)) return address;
  if (CONTROL.test(address) || !QUOTED_PATH.test(address)) {
    throw refused('envelope', `the address ${JSON.stringify(address)} cannot be written in an SMTP command`);
  }
  return address;
}

function line(text: string): string {
  if (CONTROL.test(text)) {
    throw refused('smtp', `the ${text.split(' ', 1)[0]?.slice(0, 12)} command would hold a control character`);
  }
  return `${text}\r\n`;
}

function refused(field: string, message: string): MessageError {
  return new MessageError([{ path: field, code: 'control-character', message }]);
}
