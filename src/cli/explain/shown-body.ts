import { readForm } from '../../mailbox/emulate/form.ts';
import { isObject } from '../../util/json.ts';

const MAX_TEXT = 1000;
const MAX_BASE64 = 60;

/** The body of a request to be shown: JSON or the fields of a form, with long texts and files cut short. */
export async function shownBody(body: Buffer, type: string, hide: (text: string) => string): Promise<unknown> {
  if (body.length === 0) return null;
  if (!/^multipart\/form-data\b/i.test(type)) {
    try {
      return shorten(JSON.parse(body.toString('utf8')), hide);
    } catch {
      return shortText(hide(body.toString('utf8')));
    }
  }
  const fields: Record<string, unknown[]> = {};
  for (const [name, value] of await readForm(body, { 'content-type': type })) {
    const shown =
      typeof value === 'string'
        ? shortText(hide(value))
        : `(a file: ${value.filename}, ${value.type}, ${octets(value.content.length)})`;
    fields[name] = [...(fields[name] ?? []), shown];
  }
  return Object.fromEntries(
    Object.entries(fields).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  );
}

function shorten(value: unknown, hide: (text: string) => string): unknown {
  if (typeof value === 'string') return shortText(hide(value));
  if (Array.isArray(value)) return value.map((entry) => shorten(entry, hide));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shorten(inner, hide)]));
}

function shortText(text: string): string {
  if (text.length > MAX_BASE64 && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text))
    return `${text.slice(0, 20)}... (${octets(Buffer.from(text, 'base64').length)} in base64)`;
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}... (${octets(Buffer.byteLength(text))})` : text;
}

function octets(count: number): string {
  return `${count.toLocaleString('en')} octets`;
}
