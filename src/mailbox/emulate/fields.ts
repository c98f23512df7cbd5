import { readAddressInputs } from '../../mime/read/addresses.ts';
import { decodeWords } from '../../mime/read/decode-words.ts';
import type { AttachmentInit } from '../../model/attachment.ts';
import type { EmailMessageInit, EspExtra, MergeData } from '../../model/message-init.ts';
import { parseObject } from '../../util/json.ts';
import { refuseContent } from './refusals.ts';

/** Headers that a message has a field for. */
const FIELDS: Readonly<Record<string, (value: string, written: string) => Partial<EmailMessageInit>>> = {
  'reply-to': (_, written) => ({ replyTo: readAddressInputs(written) }),
  'message-id': (value) => ({ messageId: value }),
  'in-reply-to': (value) => ({ inReplyTo: value }),
  references: (value) => ({ references: value }),
};
/** Headers that vendors write themselves. */
const WRITTEN = /^(?:from|sender|to|cc|bcc|subject|date|return-path|mime-version|dkim-signature|content-.*|resent-.*)$/;

/** What headers of a request say of a mail, and those that the vendor would not take over, which are shown beside it. */
export function headerFields(headers: readonly (readonly [name: string, value: string])[]): {
  readonly init: Partial<EmailMessageInit>;
  readonly left: Readonly<Record<string, string>>;
} {
  const custom: [string, string][] = [];
  const left: [string, string][] = [];
  let init: Partial<EmailMessageInit> = {};
  for (const [name, written] of headers) {
    const value = decodeWords(written);
    const field = FIELDS[name.toLowerCase()];
    if (field !== undefined) init = { ...init, ...field(value, written) };
    else if (WRITTEN.test(name.toLowerCase())) left.push([name, value]);
    else custom.push([name, value]);
  }
  return { init: { ...init, headers: Object.fromEntries(custom) }, left: Object.fromEntries(left) };
}

/** What a request says that no field of a message does, under the vendor's name. */
export function extraOf(vendor: string, fields: Readonly<Record<string, unknown>>): { readonly espExtra?: EspExtra } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && !isEmpty(value));
  return given.length === 0 ? {} : { espExtra: { [vendor]: Object.fromEntries(given) } };
}

/** A template and its variables; variables without a template are shown all the same. */
export function templateOf(
  id: string | number | undefined,
  variables: MergeData | undefined,
): Pick<EmailMessageInit, 'templateId' | 'mergeGlobalData'> {
  return {
    templateId: id === undefined ? null : String(id),
    mergeGlobalData: variables === undefined || isEmpty(variables) ? null : variables,
  };
}

/**
 * A text in which each variable stands where it is named; what is no variable stays as it is.
 *
 * @param place where one is named, by its one group
 * @param keyOf what it is called among the values
 */
export function filled(
  text: string,
  place: RegExp,
  values: Readonly<Record<string, unknown>>,
  keyOf: (name: string) => string = (name) => name,
): string {
  return text.replaceAll(place, (written, name: string) =>
    Object.hasOwn(values, keyOf(name)) ? String(values[keyOf(name)]) : written,
  );
}

/** A file. @param content in base64, or as it is */
export function fileOf(
  content: string | Buffer,
  filename: string | undefined,
  mimetype: string | undefined,
  contentId?: string,
): AttachmentInit {
  return {
    filename: filename ?? null,
    content: typeof content === 'string' ? Buffer.from(content, 'base64') : content,
    mimetype: mimetype || null,
    contentId: contentId || null,
  };
}

/** A point in time that a request names, in seconds since 1970 or as a text; null when it is none. */
export function timeOf(value: string | number | undefined): Date | null {
  const time = new Date(typeof value === 'number' ? value * 1_000 : (value ?? ''));
  return Number.isNaN(time.getTime()) ? null : time;
}

/** Values as texts. */
export function textsOf(values: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  );
}

/** An object that a field has as JSON. @throws {Refused} when it is none */
export function objectIn(field: string, json: string): Readonly<Record<string, unknown>> {
  return parseObject(json) ?? refuseContent(field, 'must be an object in JSON');
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
