/** ESMTP parameters by upper-case keyword; '' for one without a value. */
export type Parameters = Readonly<Record<string, string>>;

/** The argument of MAIL FROM or RCPT TO. */
interface ParsedPath {
  /** The address without brackets and source route; '' for `<>`. */
  readonly address: string;
  readonly parameters: Parameters;
}

const NO_PARAMETERS: Parameters = /* @__PURE__ */ Object.freeze({});
const PATH =
  /^<(?:@[^\s<>:"]+:)?((?:[\w!#$%&'*+\-/=?^`{|}~.\u{80}-\u{10ffff}]+|"(?:[^"\\]|\\.)*")(?:@(?:[\w.\-\u{80}-\u{10ffff}]+|\[[\w.:]+\]))?|)>(?: +(.*))?$/su;
const PARAMETER = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u{80}-\u{10ffff}]+))?$/u;

/** Parses `<address> KEY=value ...` (RFC 5321, section 4.1.2); null for bad syntax or a duplicate keyword. */
export function parsePath(argument: string): ParsedPath | null {
  const match = PATH.exec(argument);
  if (match === null) return null;
  const address = match[1] ?? '';
  const list = match[2]?.trimEnd();
  if (list === undefined || list === '') return { address, parameters: NO_PARAMETERS };
  const parameters: Record<string, string> = {};
  for (const item of list.split(/ +/)) {
    const found = PARAMETER.exec(item);
    const keyword = found?.[1]?.toUpperCase();
    if (keyword === undefined || Object.hasOwn(parameters, keyword)) return null;
    parameters[keyword] = found?.[2] ?? '';
  }
  return { address, parameters };
}

/** Parses `size` or `size LAST` (RFC 3030, section 2); null for bad syntax. */
export function parseChunkSize(argument: string): { readonly size: number; readonly last: boolean } | null {
  const match = /^(\d{1,15})( +LAST)?$/i.exec(argument);
  return match === null ? null : { size: Number(match[1]), last: match[2] !== undefined };
}

/** Whether a text contains a character that no SMTP command may: a C0 control other than the tab, or DEL. */
export function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 32 && code !== 9) || code === 127) return true;
  }
  return false;
}
